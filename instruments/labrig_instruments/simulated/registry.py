"""What is wrong with a simulated rig at the moment: set, listed and cleared through the control port."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, get_args

from labrig.plant import Disturbance
from labrig.units import minute, psi
from labrig_instruments.simulated.faults import (
    AirBubble,
    AnyFault,
    AnyLineFault,
    AnySignalFault,
    Clogged,
    DryPores,
    Evaporation,
    FeedEmpty,
    FouledFeed,
    Leak,
    MovedOutlet,
    OverPressure,
    Overrun,
    PlantFault,
    Removed,
    ServerSilence,
    SqueezedBubble,
    StrictWatchdog,
    StuckValve,
    Warming,
    ZeroShift,
)
from labrig_instruments.simulated.line_faults import PluggedDevice
from labrig_instruments.simulated.live import LivePlant
from labrig_instruments.simulated.ni.door import NiServer
from labrig_instruments.simulated.ni.errors import Code, DriverError

_SIGNAL, _LINE, _PLANT = get_args(AnySignalFault), get_args(AnyLineFault), get_args(PlantFault)
LEAK_AT = 10 * psi


class Faults:
    """One fault of a kind and place at a time. Raises ValueError for what this rig cannot suffer."""

    def __init__(self, plant: LivePlant, ni: NiServer, devices: Mapping[str, PluggedDevice]) -> None:
        self._plant, self._ni, self._devices = plant, ni, devices
        self._standing: dict[tuple[str, str], AnyFault] = {}
        self._lock = threading.Lock()

    def standing(self) -> list[dict[str, object]]:
        """Every fault that was set and not cleared, as it was set; SI."""
        with self._lock:
            return [fault.model_dump() for fault in self._standing.values()]

    def set(self, fault: AnyFault) -> None:
        """Let it go wrong from now on; one of the same kind at the same place is cleared first."""
        with self._lock:
            name = (fault.fault, fault.key)
            if name in self._standing:
                self._mend(self._standing.pop(name))
            if isinstance(fault, _PLANT):
                self._plant.disturb(disturbance([*self._standing.values(), fault]))
            else:
                self._break(fault)
            if not isinstance(fault, FeedEmpty | Overrun):
                self._standing[name] = fault

    def clear(self, fault: str, key: str) -> str:
        """Let that be sound again; for a device, where it answers now. Every one of the kind without a ``key``."""
        with self._lock:
            names = [name for name in self._standing if name[0] == fault and key in {"", name[1]}]
            if not names:
                raise ValueError(f"a fault that stands, not {fault!r} {key!r}".rstrip())
            return [self._mend(self._standing.pop(name)) for name in names][-1]

    def clear_all(self) -> None:
        with self._lock:
            while self._standing:
                self._mend(self._standing.popitem()[1])

    def _break(self, fault: AnyFault) -> None:
        try:
            match fault:
                case Overrun():
                    self._ni.driver.overrun(fault.device)
                case Removed():
                    self._ni.driver.remove(fault.device, Code(fault.code), power_lost=fault.power_lost)
                case StrictWatchdog():
                    self._ni.driver.be_strict(fault.device, strict=True)
                case ServerSilence():
                    self._ni.silence.keep(fault.lasts)
                case FeedEmpty():
                    self._plant.empty_vessel()
                case _ if isinstance(fault, _SIGNAL):
                    self._plant.distort(fault)
                case _ if isinstance(fault, _LINE):
                    self._device(fault.address).set(fault)
                case _:
                    pass
        except DriverError as error:
            raise ValueError(str(error).partition("\n")[0]) from error

    def _mend(self, fault: AnyFault) -> str:
        match fault:
            case Removed():
                self._ni.driver.bring_back(fault.device)
            case StrictWatchdog():
                self._ni.driver.be_strict(fault.device, strict=False)
            case ServerSilence():
                self._ni.silence.keep(0.0)
            case _ if isinstance(fault, _SIGNAL):
                self._plant.restore(fault)
            case _ if isinstance(fault, _LINE):
                return self._device(fault.address).clear(fault)
            case _:
                self._plant.disturb(disturbance(self._standing.values()))
        return ""

    def _device(self, address: str) -> PluggedDevice:
        if address not in self._devices:
            raise ValueError(f"a serial device of this rig ({', '.join(self._devices)}), not {address!r}")
        return self._devices[address]


def disturbance(faults: Iterable[AnyFault]) -> Disturbance:
    """The state of the plant that these faults make together."""
    result = Disturbance()
    for fault in faults:
        match fault:
            case Leak(flow=flow):
                result = replace(result, leak=flow / LEAK_AT)
            case Clogged(line=line, factor=factor):
                result = replace(result, clogs={**result.clogs, line: factor})
            case StuckValve(valve=valve, position=position):
                result = replace(result, stuck={**result.stuck, valve: position == "open"})
            case AirBubble(share=share):
                result = replace(result, air=share)
            case OverPressure(pressure=pressure):
                result = replace(result, runaway=pressure)
            case _:
                result = _at_the_membrane(result, fault)
    return result


def _at_the_membrane(result: Disturbance, fault: AnyFault) -> Disturbance:
    """What makes a permeability wrong."""
    changes: dict[str, Any] = {}  # fields of several types
    match fault:
        case SqueezedBubble(share=share, leaves=leaves):
            changes = {"bubble": share, "bubble_leaves": math.inf if leaves is None else leaves}
        case DryPores(share=share, wetted_at=pressure):
            changes = {"unwetted": share, "wetted_at": pressure}
        case FouledFeed(depth=depth):
            changes = {"fouling": 1 / depth}
        case Warming(per_minute=kelvin):
            changes = {"warming": kelvin / minute}
        case MovedOutlet(height=height):
            changes = {"head": height}
        case Evaporation(flow=flow):
            changes = {"evaporation": flow}
        case ZeroShift(address=address, pressure=pressure):
            changes = {"zero_shifts": {**result.zero_shifts, address: pressure}}
        case _:
            pass
    return replace(result, **changes)
