"""What each input delivers while nothing runs: raw signal, noise, and what that says of its wiring."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from labrig import units
from labrig.clock import SECOND, Clock
from labrig.errors import InstrumentError
from labrig.model import Channel, Floats, Quality
from labrig.roles import Actuator, Source

ZERO = 3.0
"""Standard uncertainties of its zero within which a channel reads nothing."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One channel over some seconds."""

    channel: Channel
    samples: int
    raw: float
    """Mean as the device delivers it; NaN where it delivered none."""
    raw_noise: float
    """Standard deviation of single samples."""
    state: str
    """``good``, or what is wrong in words."""

    @property
    def value(self) -> float:
        """Mean, SI."""
        return float(self.channel.calibration.apply(np.array([self.raw]))[0])

    @property
    def noise(self) -> float:
        """Standard deviation of single samples, SI."""
        around = self.channel.calibration.apply(np.array([self.raw - self.raw_noise, self.raw + self.raw_noise]))
        return abs(float(around[1] - around[0])) / 2

    @property
    def at_zero(self) -> bool:
        """Whether it reads nothing, within the uncertainty of its zero or a thousandth of its range."""
        slack = max(ZERO * self.channel.calibration.offset_u, (self.channel.high - self.channel.low) / 1000)
        return self.channel.unit.dimension != "temperature" and abs(self.value) <= slack


@dataclass(frozen=True, slots=True)
class Unread:
    """A source that was not read, and why."""

    source: str
    why: str


def look(sources: Iterable[Source], seconds: float, clock: Clock) -> list[Reading | Unread]:
    """Read each source for that long. One with outputs is not opened: opening would move them."""
    return [each for source in sources for each in _looked(source, seconds, clock)]


def _looked(source: Source, seconds: float, clock: Clock) -> list[Reading | Unread]:
    if isinstance(source, Actuator) and source.outputs:
        return [Unread(source.name, "has outputs, which opening it would move; it was left alone")]
    try:
        source.open()
        source.start()
        columns = _sampled(source, seconds, clock)
        source.stop()
    except InstrumentError as error:
        return [Unread(source.name, str(error))]
    finally:
        source.close()
    return [_judged(channel, *columns[channel.name]) for channel in source.channels]


def _sampled(source: Source, seconds: float, clock: Clock) -> Mapping[str, tuple[Floats, int]]:
    """Raw values and the quality bits that any of them had, by channel."""
    blocks, end = [source.read()], clock.now() + round(seconds * SECOND)
    while clock.now() < end:
        blocks.append(source.read())
    values = np.concatenate([block.values for block in blocks])
    quality = np.concatenate([block.quality for block in blocks])
    return {
        channel.name: (values[:, k], int(np.bitwise_or.reduce(quality[:, k])))
        for k, channel in enumerate(source.channels)
    }


def _judged(channel: Channel, raw: Floats, quality: int) -> Reading:
    there = raw[np.isfinite(raw)]
    mean = float(there.mean()) if len(there) else math.nan
    noise = float(there.std(ddof=1)) if len(there) > 1 else 0.0
    return Reading(channel, len(raw), mean, noise, _state(Quality(quality)))


def _state(quality: Quality) -> str:
    words = {
        Quality.OPEN_LOOP: "open loop: below 3.6 mA or above 21 mA; look for a broken wire or a failed transmitter",
        Quality.MISSING: "no value now and then",
        Quality.BELOW: "below its range",
        Quality.ABOVE: "above its range",
        Quality.UNSETTLED: "not settled",
    }
    return "; ".join(said for bit, said in words.items() if quality & bit) or "good"


def shown_raw(channel: Channel, raw: float) -> str:
    """A raw value as people read it: milliamperes, millivolts a volt."""
    symbol = {"A": "mA", "V/V": "mV/V"}.get(channel.raw_unit, channel.raw_unit)
    return units.unit(symbol).show(units.unit(channel.raw_unit).to_si(raw), 5)
