"""The simulated rig without a process: sources and outputs straight on the plant, in virtual time.

What the twin delivers is in volts, amperes and grams, as a driver would deliver it, so that everything above it is the
same as on a rig. A contract test holds it against the real drivers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np

from labrig import units
from labrig.clock import SECOND, VirtualClock
from labrig.config import ANYWHERE, SIMULATED, RigConfig
from labrig.model import Block, Channel, Event, Output, Quality, judge_raw
from labrig.plant import Plant
from labrig.roles import Actuator, Regulator, Source, Valve


class _Follower(Protocol):
    def until(self, now: int) -> Block | None:
        """All samples that fall due until that time and were not delivered before."""
        ...


class Twin:
    """A rig's instruments played by a plant that follows a virtual clock."""

    def __init__(self, config: RigConfig, plant: Plant, clock: VirtualClock) -> None:
        self._plant, self._clock = plant, clock
        devices = config.build(clock.now)
        self._sources = [device for device in devices.values() if isinstance(device, Source)]
        self.actuators: Mapping[str, Actuator] = {
            device.name: _TwinActuator(device, plant) for device in devices.values() if isinstance(device, Actuator)
        }
        self._followers: tuple[_Follower, ...] = ()
        self._publish: Callable[[Block | Event], None] = lambda _: None
        clock.follow(self._advance)

    def start(self, publish: Callable[[Block | Event], None], lost: Callable[[str], None]) -> None:
        """Begin to sample: streams at once, paced sources one period later."""
        start = self._clock.now()
        self._publish = publish
        self._followers = tuple(self._follower(source, start) for source in self._sources)

    def stop(self) -> None:
        self._followers = ()

    def _advance(self, now: int) -> None:
        self._plant.advance(now / SECOND)
        for follower in self._followers:
            block = follower.until(now)
            if block is not None:
                self._publish(block)

    def _follower(self, source: Source, start: int) -> _Follower:
        return (_Asked if source.period else _Stream)(source, self._plant, start)


class _Stream:
    def __init__(self, source: Source, plant: Plant, start: int) -> None:
        self._source, self._plant, self._start = source, plant, start
        self._names = tuple(channel.name for channel in source.channels)
        self._next = 0

    def until(self, now: int) -> Block | None:
        rate = self._source.rate
        n = int((now - self._start) * rate / SECOND) - self._next
        if n <= 0:
            return None
        first, self._next = self._next, self._next + n
        began = self._start / SECOND
        columns = [self._plant.acquire(c.address, first, n, rate, began) for c in self._source.channels]
        times = self._start + np.rint(np.arange(first, first + n) * (SECOND / rate)).astype(np.int64)
        quality = np.column_stack([judge_raw(c, v) for c, v in zip(self._source.channels, columns, strict=True)])
        return Block(self._source.name, self._names, first, times, np.column_stack(columns), quality)


class _Asked:
    """A source that is asked once a period: a balance, or a digital instrument."""

    def __init__(self, source: Source, plant: Plant, start: int) -> None:
        self._source, self._start, self._next = source, start, 0
        self._names = tuple(channel.name for channel in source.channels)
        self._columns = [_column(channel, plant) for channel in source.channels]

    def until(self, now: int) -> Block | None:
        period = round(self._source.period * SECOND)
        n = (now - self._start) // period - self._next
        if n <= 0:
            return None
        first, self._next = self._next, self._next + n
        times = self._start + period * np.arange(first + 1, first + n + 1, dtype=np.int64)
        values, quality = np.empty((n, len(self._names))), np.zeros((n, len(self._names)), np.uint8)
        for row, at in enumerate(times / SECOND):
            for column, ask in enumerate(self._columns):
                values[row, column], quality[row, column] = ask(float(at))
        return Block(self._source.name, self._names, first, times, values, quality)


_Answer = tuple[float, int]
"""A raw value and its quality."""


def _on_the_plant(address: str) -> str:
    """The plant's name for what a rig file reaches at a simulated port."""
    return address.removeprefix(SIMULATED).replace(ANYWHERE, "")


def _column(channel: Channel, plant: Plant) -> Callable[[float], _Answer]:
    """What a device answers for one channel at a plant time; what the plant does not have is missing."""
    address = _on_the_plant(channel.address)
    raw_unit = units.unit(channel.raw_unit)

    def weighed(at: float) -> _Answer:
        weighing = plant.weigh(address, at)
        return _as_read(weighing.grams, weighing.load, settled=weighing.settled)

    def measured(at: float) -> _Answer:
        raw = raw_unit.from_si(plant.measure(address, at))
        return raw, int(judge_raw(channel, np.asarray(raw)))

    def counted(at: float) -> _Answer:
        raw = float(plant.acquire(address, round(at * 1000), 1, 1000.0, 0.0)[0])
        return raw, int(judge_raw(channel, np.asarray(raw)))

    def nothing(at: float) -> _Answer:
        return np.nan, int(Quality.MISSING)

    match plant.addresses.get(address):
        case "balance":
            return weighed
        case "reading":
            return measured
        case "frequency":
            return counted
        case _:
            return nothing


def _as_read(grams: float, load: str, *, settled: bool) -> tuple[float, int]:
    match load:
        case "overload":
            return np.nan, int(Quality.MISSING | Quality.ABOVE)
        case "underload":
            return np.nan, int(Quality.MISSING | Quality.BELOW)
        case _:
            return grams, int(Quality.GOOD if settled else Quality.UNSETTLED)


class _TwinActuator:
    """A driver's outputs with the plant behind them instead of a line."""

    def __init__(self, driver: Actuator, plant: Plant) -> None:
        self.name, self.outputs = driver.name, driver.outputs
        self._verbs = {output.name: _verbs(output, plant) for output in driver.outputs}

    def open(self) -> str:
        self.make_safe()
        return f"{self.name} (simulated in virtual time)"

    def close(self) -> None:
        return

    def output(self, name: str) -> Valve | Regulator:
        return self._verbs[name]

    def make_safe(self) -> None:
        for verbs in self._verbs.values():
            verbs.make_safe()


class _TwinOutput:
    def __init__(self, output: Output, plant: Plant) -> None:
        self._output, self._plant = output, plant
        self._address = _on_the_plant(output.address)

    def make_safe(self) -> None:
        self._command(self._output.safe)

    def _command(self, value: float) -> None:
        self._plant.command(self._address, float(self._output.calibration.apply(np.asarray(value))))

    def _value(self) -> float:
        c0, c1 = self._output.calibration.coefficients
        return (self._plant.readback(self._address) - c0) / c1


class _TwinValve(_TwinOutput):
    def open(self) -> None:
        self._command(1.0)

    def close(self) -> None:
        self._command(0.0)

    def is_open(self) -> bool:
        return self._value() > 0.5


class _TwinRegulator(_TwinOutput):
    def __init__(self, output: Output, plant: Plant) -> None:
        super().__init__(output, plant)
        self.low, self.high = output.low, output.high

    def set(self, target: float) -> None:
        self._command(target)

    def setpoint(self) -> float:
        return self._value()


def _verbs(output: Output, plant: Plant) -> _TwinValve | _TwinRegulator:
    return (_TwinValve if output.kind == "valve" else _TwinRegulator)(output, plant)
