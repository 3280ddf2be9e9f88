"""Bronkhorst's meters and controllers (EL-FLOW, CORI-FLOW, EL-PRESS and their kin) over ProPar on RS232.

Values are asked for in the instrument's own unit, which it tells itself. The vendor's package is not used: it keeps two
threads for ever, opens a lost port again by itself, and does not tell a lost line from silence (docs/adr/0015).
"""

from __future__ import annotations

import math
import threading
from typing import Annotated, ClassVar, Final, Literal

import numpy as np
from pydantic import Field

from labrig import units
from labrig.drivers import ChannelOptions, Name, Period
from labrig.errors import InstrumentError, RigError, WrongInstrument
from labrig.model import Block, Output, Quality, judge_raw
from labrig.roles import Now
from labrig.units import Unit
from labrig_instruments.line import Connect, Line, LineSettings, SerialLine
from labrig_instruments.propar_frames import (
    CAPACITY,
    CAPACITY_UNIT,
    CONTROL_MODE,
    MEASURE,
    MODEL,
    SERIAL_NUMBER,
    SET_POINT,
    TAGS,
    TEMPERATURE,
    Parameter,
    check_status,
    is_answer,
    parse_message,
    parse_value,
    reading,
    writing,
)
from labrig_instruments.set_points import SetPointOptions, check_within

_LATE: Final = 3
"""Answers to earlier questions that may still come."""
_UNITS: Final[dict[str, tuple[str, float]]] = {
    **dict.fromkeys(("ln/min", "ls/min", "l/min"), ("L/min", 1.0)),
    **dict.fromkeys(("mln/min", "mls/min", "ml/min"), ("mL/min", 1.0)),
    **{"g/min": ("g/min", 1.0), "g/h": ("g/h", 1.0), "kg/h": ("g/h", 1000.0)},
    **dict.fromkeys(("bar", "bar(g)"), ("bar", 1.0)),
    **dict.fromkeys(("mbar", "mbar(g)"), ("mbar", 1.0)),
    **dict.fromkeys(("psi", "psi(g)"), ("psi", 1.0)),
}
"""Unit and factor by what an instrument calls it."""
_PARAMETERS: Final = {"measure": MEASURE, "temperature": TEMPERATURE, "set-point": SET_POINT}
_ADDRESSES: Final = {"measure": "flow", "temperature": "temperature", "set-point": "requested"}
_FROM_THE_BUS: Final = (0.0, 18.0)
"""Control modes in which the set-point comes over the line."""
STEPS: Final = 32000
"""Of the capacity, in which older instruments keep a set-point."""
Node = Annotated[int, Field(ge=1, le=128)]


class BronkhorstChannel(ChannelOptions):
    signals: ClassVar = ("L/min", "g/min", "bar", "°C")

    reads: Literal["measure", "temperature", "set-point"]


class BronkhorstMeter:
    """A meter, or a controller of which only the readings are wanted."""

    def __init__(
        self,
        name: str,
        now: Now,
        connect: Connect = SerialLine,
        *,
        port: str,
        node: Node = 128,
        baud: int = 38400,
        serial_number: str | None = None,
        period: Period = 0.1,
        timeout: Period = 0.5,
        channels: Annotated[dict[Name, BronkhorstChannel], Field(min_length=1)],
    ) -> None:
        self.name, self.period, self.rate = name, period, 1 / period
        self._reads = tuple(options.reads for options in channels.values())
        self.channels = tuple(
            options.as_channel(key, f"{port}/{_ADDRESSES[options.reads]}") for key, options in channels.items()
        )
        self._now, self._connect, self._serial_number, self._node = now, connect, serial_number, node
        self._settings = LineSettings(port, baud, timeout=timeout, longest=600)
        self._line: Line | None = None
        self._lock = threading.RLock()
        """Of one transaction with all that belongs to it: a poller reads while somebody sets."""
        self._identity = ""
        self._unit: Unit = units.unit("")
        self._factor = self._capacity = 1.0
        self._tag = 0
        self._in_doubt = False
        self._index = 0

    def open(self) -> str:
        """Connect; returns model and serial number, which is checked before anything else is asked."""
        self.close()
        try:
            with self._lock:
                self._line = self._connect(self._settings)
                self._in_doubt = False
                self._identity = self._identified(self._serial_number)
                model = self._asked(MODEL)
                self._unit, self._factor = self._told_unit()
                self._capacity = self._number(CAPACITY)
                for channel, reads in zip(self.channels, self._reads, strict=True):
                    self._check_unit(channel.name, units.unit(channel.raw_unit), reads)
                self._begin()
        except InstrumentError:
            self.close()
            raise
        return f"Bronkhorst {model}, serial number {self._identity}"

    def _begin(self) -> None:
        """What a controller does once it is known."""

    def close(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.close()

    def start(self) -> None:
        self._opened()

    def stop(self) -> None:
        """Nothing: between two questions the instrument is silent."""

    def read(self) -> Block:
        """One value of each channel, timed at the middle of the questions; raw values in L/min, g/min, bar or °C.

        Raises `InstrumentError` for an answer that does not fit and for silence, `LinkLost` when the line is gone.
        """
        index, self._index = self._index, self._index + 1
        self._opened()
        with self._lock:
            asked = self._now()
            found = [self._number(_PARAMETERS[reads]) for reads in self._reads]
            time = (asked + self._now()) // 2
        values, quality = np.empty((1, len(found))), np.zeros((1, len(found)), np.uint8)
        for place, (channel, value, reads) in enumerate(zip(self.channels, found, self._reads, strict=True)):
            wanted = units.unit(channel.raw_unit)
            raw = value if reads == "temperature" else wanted.from_si(self._unit.to_si(value * self._factor))
            values[0, place] = raw if math.isfinite(raw) else np.nan
            quality[0, place] = judge_raw(channel, values[0, place])
            if reads == "measure" and value > 1.3 * self._capacity:  # an instrument ends at 131 % of its capacity
                quality[0, place] |= np.uint8(Quality.ABOVE)
        names = tuple(channel.name for channel in self.channels)
        return Block(self.name, names, index, np.array([time], np.int64), values, quality)

    def _told_unit(self) -> tuple[Unit, float]:
        told = str(self._asked(CAPACITY_UNIT))
        if told not in _UNITS:
            raise InstrumentError(f"{self.name} measures in {told}; set it to one of {', '.join(_UNITS)}")
        symbol, factor = _UNITS[told]
        return units.unit(symbol), factor

    def _check_unit(self, name: str, wanted: Unit, reads: str) -> None:
        found = "temperature" if reads == "temperature" else self._unit.dimension
        if wanted.dimension != found:
            raise InstrumentError(
                f"{self.name} tells a {found}, and its rig file wants a {wanted.dimension} for {name}"
            )

    def _identified(self, wanted: str | None) -> str:
        found = str(self._asked(SERIAL_NUMBER))
        if wanted is not None and found != wanted:
            raise WrongInstrument(
                f"{self._settings.port}: expected the instrument with serial number {wanted}, found {found}. "
                "Not connected."
            )
        return found

    def _number(self, parameter: Parameter) -> float:
        if self._in_doubt:
            self._in_doubt = False
            self._identified(self._identity)
        value = self._asked(parameter)
        if isinstance(value, str):
            raise InstrumentError(f"{self.name} answered with a text in place of a number: {value!r}")
        return value

    def _asked(self, parameter: Parameter) -> float | str:
        """A parameter's value. Each question has a number of its own; answers with another one are late and dropped."""
        line = self._opened()
        self._tag = self._tag % (TAGS - 1) + 1
        self._in_doubt = True
        message = parse_message(line.ask(reading(self._node, parameter, self._tag)))
        for _ in range(_LATE):
            if is_answer(message, self._tag):
                break
            message = parse_message(line.hear())
        value = parse_value(message, parameter)
        self._in_doubt = False
        return value

    def _opened(self) -> Line:
        if self._line is None:
            raise InstrumentError(f"{self.name} is not connected")
        return self._line


class BronkhorstController(BronkhorstMeter):
    """A controller of flow or pressure: its readings, and its set-point as an output."""

    def __init__(
        self,
        name: str,
        now: Now,
        connect: Connect = SerialLine,
        *,
        port: str,
        node: Node = 128,
        baud: int = 38400,
        serial_number: str | None = None,
        period: Period = 0.1,
        timeout: Period = 0.5,
        channels: Annotated[dict[Name, BronkhorstChannel], Field(min_length=1)],
        setpoint_name: Name,
        setpoint: SetPointOptions,
    ) -> None:
        super().__init__(
            name,
            now,
            connect,
            port=port,
            node=node,
            baud=baud,
            serial_number=serial_number,
            period=period,
            timeout=timeout,
            channels=channels,
        )
        self._output = setpoint.as_output(setpoint_name, f"{port}/setpoint")
        self.outputs: tuple[Output, ...] = (self._output,)
        self.low, self.high = self._output.low, self._output.high

    def output(self, name: str) -> BronkhorstController:
        """Its one output is itself; raises `RigError` for another name."""
        if name != self._output.name:
            raise RigError(f"{self.name} has no output {name!r}; it has {self._output.name}")
        return self

    def set(self, target: float) -> None:
        """Command a set-point, SI, and read it back; raises `RigError` outside ``low`` to ``high``, unsent."""
        check_within(self._output, target)
        with self._lock:
            line, value = self._opened(), self._unit.from_si(target) / self._factor
            if self._in_doubt:
                self._identified(self._identity)
            self._in_doubt = True
            check_status(parse_message(line.ask(writing(self._node, SET_POINT, value))))
            self._in_doubt = False
            taken = self._number(SET_POINT)
        if abs(taken - value) > self._capacity / STEPS:
            raise InstrumentError(f"{self.name} was told {value:g} and says {taken:g}")

    def setpoint(self) -> float:
        """The set-point that the instrument has, SI."""
        self._opened()
        with self._lock:
            return self._unit.to_si(self._number(SET_POINT) * self._factor)

    def make_safe(self) -> None:
        """Bring the set-point to its safe value."""
        self.set(self._output.safe)

    def _begin(self) -> None:
        self._check_unit(self._output.name, self._output.unit, "set-point")
        mode = self._number(CONTROL_MODE)
        if mode not in _FROM_THE_BUS:
            raise InstrumentError(
                f"{self.name} takes its set-point from elsewhere (control mode {mode:g}): set it to 0, bus, or 18"
            )
        self.make_safe()
