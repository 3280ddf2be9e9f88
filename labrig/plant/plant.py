"""The plant: one simulated rig with one membrane, advanced along its own clock."""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

import numpy as np

from labrig.model import Floats
from labrig.plant.disturbance import Disturbance, ValveName
from labrig.plant.hydraulics import Hydraulics
from labrig.plant.membrane import Membrane
from labrig.plant.sensing import Digitiser, Probe
from labrig.plant.spec import PlantSpec, SolenoidValve
from labrig.plant.trajectory import Integral, Trajectory
from labrig.plant.transmitters import Converter, Signal
from labrig.plant.weighing import Scale, Weighing

AddressKind = Literal[
    "analog voltage",
    "analog current",
    "bridge",
    "frequency",
    "digital output",
    "analog output",
    "balance",
    "reading",
    "set-point",
]
"""The last two are of digital instruments, in SI."""
_NORMALLY_OPEN: Final[ValveName] = "vent"
_INSTANT: Final = 1e-9
"""Seconds that are no time at all."""


class Plant:
    """Water, gas, valves, transmitters and balance of one rig. Not thread-safe: the caller locks.

    Time is the caller's: `advance` to it, then `command`, `acquire` and `weigh`. What the plant does follows from
    spec, membrane, seed and commands alone. Terminals that the spec does not know exist all the same: an input with
    nothing wired to it reads noise about zero, an output moves nothing.
    """

    def __init__(self, spec: PlantSpec, membrane: Membrane, seed: int) -> None:
        self.spec, self.membrane, self.seed = spec, membrane, seed
        self.time = 0.0
        """Plant seconds since the start."""
        self._water = Hydraulics(spec, membrane, seed)
        self._probes = [Probe(transmitter, seed) for transmitter in spec.transmitters]
        self._column = {probe.spec.address: column for column, probe in enumerate(self._probes)}
        self._unwired: dict[str, Digitiser] = {}
        count, balance = len(self._probes), spec.permeate
        self._scale = Scale(balance, seed, pan=count, delivered=count + 1)
        self._trajectory = Trajectory(
            0.0,
            self._values(),
            lags=[*(probe.lag for probe in self._probes), balance.filter, balance.filter],
            bands=[*(probe.band for probe in self._probes), 0.0, 0.0],
        )
        self._permeance = Integral(0.0)
        self._permeance.append(0.0, self._water.permeance)
        self._valves: dict[str, tuple[ValveName, SolenoidValve]] = {
            spec.valves.feed.address: ("feed", spec.valves.feed),
            spec.valves.vent.address: ("vent", spec.valves.vent),
            spec.valves.drain.address: ("drain", spec.valves.drain),
        }
        self.addresses: Mapping[str, AddressKind] = MappingProxyType(self._wiring())
        """What is wired where."""
        self._commands: dict[str, float] = {}
        self._moves: list[tuple[float, int, ValveName, bool]] = []
        self._orders = 0
        self._newest: dict[ValveName, int] = {}
        self._stuck: Mapping[ValveName, bool] = {}
        self._shifts: list[tuple[float, Mapping[str, float]]] = []
        """Zeros as they moved: from which time on, and by how much at which address."""

    def advance(self, until: float) -> None:
        """Integrate to that plant time, s; nothing if it lies in the past."""
        water = self._water
        self._move_due()
        while water.time < until:
            end = water.time + water.good_step()
            if self._moves:
                end = min(end, self._moves[0][0])
            water.step(end if until - end > _INSTANT else until)
            self.time = water.time
            self._note()
            self._move_due()

    def command(self, address: str, raw: float) -> None:
        """Set an output at the present plant time: a coil (1 energised, 0 not), a voltage, a digital set-point (SI)."""
        before = self._commands.get(address, 0.0)
        self._commands[address] = float(raw)
        if address == self.spec.regulator.address:
            self._water.gas.set(float(raw))
        elif address in self._valves and bool(raw) != bool(before):
            name, valve = self._valves[address]
            open_now = bool(raw) != (name == _NORMALLY_OPEN)
            delay = valve.opening_delay if open_now else valve.closing_delay
            self._orders += 1
            self._newest[name] = self._orders
            heapq.heappush(self._moves, (self.time + delay, self._orders, name, open_now))

    def readback(self, address: str) -> float:
        """The output's last command; 0 before the first."""
        return self._commands.get(address, 0.0)

    def signal(self, address: str, times: Floats) -> Floats:
        """Noise-free transmitter output (V or A) at increasing plant times, shape (n,).

        The times lie within the last 120 s and not beyond the present; raises ValueError for others. 0 where nothing is
        wired.
        """
        column = self._column.get(address)
        if column is None or not len(times):
            return np.zeros(len(times))
        return self._probes[column].output(self._shown(address, column, times))

    def acquire(self, address: str, first: int, n: int, rate: float, start: float) -> Floats:
        """What a converter delivers: samples ``first`` to ``first + n - 1`` of a stream begun at ``start``, shape (n,).

        Sample k is taken at plant time ``start + k / rate``. Noise depends on seed, address and k alone, so that the
        samples are the same in whatever pieces they are asked for. Raises ValueError as `signal` does.
        """
        if n <= 0:
            return np.empty(0)
        column = self._column.get(address)
        if column is None:
            return self._idle(address).read(np.zeros(n), first)
        probe = self._probes[column]
        times = np.arange(first, first + n) / rate + start
        return probe.digitiser.read(probe.output(self._shown(address, column, times)), first)

    def measure(self, address: str, at: float) -> float:
        """The newest reading of a digital instrument at plant time ``at``, SI.

        Raises ValueError where none is at that address, and as `signal` does.
        """
        if self.addresses.get(address) != "reading":
            raise ValueError(f"a digital instrument's reading, not {address!r}")
        rate = self._probes[self._column[address]].spec.update_rate
        tick = math.floor(at * rate + _INSTANT)
        return float(self.acquire(address, tick, 1, rate, 0.0)[0])

    def weigh(self, address: str, at: float) -> Weighing:
        """What the balance shows at that plant time; raises ValueError for another address, and as `signal` does."""
        if address != self.spec.permeate.address:
            raise ValueError(f"the balance is at {self.spec.permeate.address!r}, not at {address!r}")
        return self._scale.read(self._trajectory, at)

    def empty_beaker(self) -> None:
        """Pour the permeate away, as an operator does."""
        self._water.in_beaker = 0.0
        self._note()

    def stand_beaker(self, *, on_pan: bool) -> None:
        """Put the beaker on the balance, or take it off: what flows meanwhile is spilled."""
        self._water.beaker_on = on_pan
        self._note()

    def disturb(self, disturbance: Disturbance) -> None:
        """Let that, and nothing else, be wrong from now on. A valve that is freed goes where it was told to."""
        for name, valve in self._valves.values():
            told = bool(self._commands.get(valve.address, 0.0)) != (name == _NORMALLY_OPEN)
            setattr(self._water.valves, name, disturbance.stuck.get(name, told))
        self._stuck = disturbance.stuck
        if disturbance.zero_shifts != (self._shifts[-1][1] if self._shifts else {}):
            self._shifts.append((self.time, disturbance.zero_shifts))
        self._water.disturb(disturbance)
        self._note()

    def empty_vessel(self) -> None:
        """Let the feed vessel run dry; it stays so until it is refilled."""
        self._water.run_dry()
        self._note()

    def refill_vessel(self) -> None:
        """Fill the feed vessel to its first level, as an operator does."""
        self._water.refill()
        self._water.settle()
        self._note()

    def truth(self) -> dict[str, float]:
        """What is really so now, SI: gauge pressures, flows, permeance at 25 °C, masses, valve positions (1 open)."""
        water = self._water
        return {
            "time": water.time,
            "vessel_pressure": water.gas.pressure,
            "feed_pressure": water.cell,
            "transmembrane_pressure": water.transmembrane,
            "permeate_flow": water.flow,
            "gas_supply": water.gas_supply,
            "drain_flow": water.drain_flow,
            "permeance": water.permeance,
            "diameter": water.diameter,
            "area": water.area,
            "open_share": water.open_share,
            "head": water.head,
            "temperature": water.temperature,
            "level": water.level,
            "delivered_mass": water.delivered,
            "drained_mass": water.drained,
            "evaporated_mass": water.evaporated,
            "spilled_mass": water.spilled,
            "beaker_mass": water.in_beaker,
            "regulator_setpoint": water.gas.setpoint,
            "feed_open": float(water.valves.feed),
            "vent_open": float(water.valves.vent),
            "drain_open": float(water.valves.drain),
        }

    def true_permeance(self, start: float, end: float) -> float:
        """The membrane's permeance at 25 °C, m/s/Pa, averaged over plant times of the whole run.

        Raises ValueError where start and end are not in order or outside the run.
        """
        return self._permeance.mean(start, end)

    def _shown(self, address: str, column: int, times: Floats) -> Floats:
        """What a transmitter shows at these times, its moved zero included."""
        shown = self._trajectory.shown(column, times)
        for number, (start, shifts) in enumerate(self._shifts):
            end = self._shifts[number + 1][0] if number + 1 < len(self._shifts) else np.inf
            shown += np.where((times >= start) & (times < end), shifts.get(address, 0.0), 0.0)
        return shown

    def _move_due(self) -> None:
        """Let valves move whose delay is over; a later order to the same valve revokes an earlier one."""
        moved = False
        while self._moves and self._moves[0][0] <= self.time + _INSTANT:
            _, order, name, open_now = heapq.heappop(self._moves)
            if order == self._newest[name] and name not in self._stuck:
                setattr(self._water.valves, name, open_now)
                moved = True
        if moved:
            self._water.settle()
            self._note()

    def _wiring(self) -> dict[str, AddressKind]:
        signals: Mapping[Signal, AddressKind] = {
            **{"0-10 V": "analog voltage", "4-20 mA": "analog current", "bridge": "bridge"},
            **{"pulses": "frequency", "digital": "reading"},
        }
        kinds: dict[str, AddressKind] = {probe.spec.address: signals[probe.spec.output] for probe in self._probes}
        for address, (_, valve) in self._valves.items():
            kinds[address] = "set-point" if valve.command == "digital" else "digital output"
        regulator = self.spec.regulator
        kinds[regulator.address] = "set-point" if regulator.command == "digital" else "analog output"
        kinds[self.spec.permeate.address] = "balance"
        return kinds

    def _note(self) -> None:
        self._trajectory.append(self.time, self._values())
        self._permeance.append(self.time, self._water.permeance)

    def _values(self) -> list[float]:
        water = self._water
        now = {
            "feed_pressure": water.cell,
            "membrane_pressure": water.cell,
            "vessel_pressure": water.gas.pressure,
            "permeate_flow": water.flow,
            "gas_supply": water.gas_supply,
            "water_temperature": water.temperature,
        }
        return [*(now[probe.spec.quantity] for probe in self._probes), water.on_pan, water.delivered]

    def _idle(self, address: str) -> Digitiser:
        """The input of a terminal that nothing is wired to."""
        if address not in self._unwired:
            self._unwired[address] = Digitiser(Converter(), self.seed, address, loop=False)
        return self._unwired[address]
