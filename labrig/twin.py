"""The simulated rig without a process: sources and outputs straight on the plant, in virtual time.

What the twin delivers is in volts, amperes and grams, as a driver would deliver it, so that everything above it is the
same as on a rig. A contract test holds it against the real drivers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np

from labrig.clock import SECOND, VirtualClock
from labrig.config import ANYWHERE, SIMULATED, RigConfig
from labrig.model import Block, Event, Flags, Floats, Output, Quality, judge_raw
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
        return (_Weighing if source.period else _Stream)(source, self._plant, start)


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


class _Weighing:
    def __init__(self, source: Source, plant: Plant, start: int) -> None:
        (self._channel,) = source.channels
        self._source, self._plant, self._start, self._next = source, plant, start, 0
        self._address = self._channel.address.removeprefix(SIMULATED).removesuffix(ANYWHERE)

    def until(self, now: int) -> Block | None:
        period = round(self._source.period * SECOND)
        n = (now - self._start) // period - self._next
        if n <= 0:
            return None
        first, self._next = self._next, self._next + n
        times = self._start + period * np.arange(first + 1, first + n + 1, dtype=np.int64)
        values, quality = self._weigh(times / SECOND)
        return Block(self._source.name, (self._channel.name,), first, times, values, quality)

    def _weigh(self, times: Floats) -> tuple[Floats, Flags]:
        values, quality = np.empty((len(times), 1)), np.zeros((len(times), 1), np.uint8)
        for row, at in enumerate(times):
            weighing = self._plant.weigh(self._address, float(at))
            values[row], quality[row] = _as_read(weighing.grams, weighing.load, settled=weighing.settled)
        return values, quality


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

    def make_safe(self) -> None:
        self._command(self._output.safe)

    def _command(self, value: float) -> None:
        self._plant.command(self._output.address, float(self._output.calibration.apply(np.asarray(value))))

    def _value(self) -> float:
        c0, c1 = self._output.calibration.coefficients
        return (self._plant.readback(self._output.address) - c0) / c1


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
