"""What is measured: channels and outputs, their calibration, and samples as the device delivered them.

`calibrated` is the one function that turns raw values into SI. Arrays inside are made read-only at birth; times are
integer nanoseconds of the run's monotonic clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntFlag
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from labrig.units import Unit

Floats = NDArray[np.float64]
Times = NDArray[np.int64]
Flags = NDArray[np.uint8]


class Quality(IntFlag):
    """Why a sample is less than good; 0 is good. Stored with every sample, never folded into its number."""

    GOOD = 0
    MISSING = 1
    """No value: the read failed. The value is NaN."""
    BELOW = 2
    """Under the calibrated range; the value is kept."""
    ABOVE = 4
    """Over the calibrated range; the value is kept."""
    OPEN_LOOP = 8
    """A 4-20 mA loop below 3.6 mA or above 21 mA (NAMUR NE 43): the value says nothing about the process."""
    UNSETTLED = 16
    """The device itself says that its reading has not settled (a balance's dynamic weight)."""
    AFTER_GAP = 32
    """Samples were lost immediately before this one."""

    @property
    def usable(self) -> bool:
        """Whether the number may enter a result."""
        return not self & (Quality.MISSING | Quality.OPEN_LOOP)


@dataclass(frozen=True, slots=True)
class Calibration:
    """SI value = c0 + c1·raw + c2·raw² + …, with the standard uncertainties that its certificate states."""

    coefficients: tuple[float, ...]
    relative_u: float = 0.0
    """Standard uncertainty of the sensitivity, as a fraction of the reading."""
    offset_u: float = 0.0
    """Standard uncertainty of the zero, SI units. A measured zero replaces it by the noise of that measurement."""
    certificate: str = ""
    date: str = ""

    def apply(self, raw: Floats) -> Floats:
        """SI values of raw ones, any shape."""
        result = np.full_like(raw, self.coefficients[-1])
        for coefficient in self.coefficients[-2::-1]:
            result = result * raw + coefficient
        return result


@dataclass(frozen=True, slots=True)
class Channel:
    """One measured quantity: how it is called, shown, calibrated and limited."""

    name: str
    """Unique in a rig, such as ``feed_pressure``; the column name of exports."""
    unit: Unit
    """What people read; values inside are SI."""
    raw_unit: str
    """What the device delivers: ``V``, ``A``, ``g``."""
    low: float
    """Lower end of the calibrated range, SI."""
    high: float
    """Upper end of the calibrated range, SI."""
    calibration: Calibration
    label: str = ""
    """A few words for screens, such as ``Feed pressure``; the name where empty."""
    resolution: float = 0.0
    """Smallest step of the display or converter, SI; 0 where unknown."""
    loop: bool = False
    """A 4-20 mA current loop, judged by NAMUR NE 43."""
    address: str = ""
    """Where it is wired: a terminal such as ``cDAQ1Mod1/ai0``, or a port."""


@dataclass(frozen=True, slots=True)
class Output:
    """One thing that labrig commands: a valve (1 open, 0 closed) or a continuous set-point."""

    name: str
    kind: Literal["valve", "regulator"]
    address: str
    """Where it is wired: a terminal such as ``cDAQ1Mod3/port0/line0``."""
    safe: float
    """SI; a valve's 1 is open."""
    unit: Unit
    low: float
    high: float
    calibration: Calibration
    """Raw command from SI: volts from pascal, or coil energised (1) from open (1)."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """``n`` samples of ``c`` channels of one source: one balance reading is a block, and so is a DAQ buffer."""

    source: str
    channels: tuple[str, ...]
    first: int
    """Index of the first sample in the source's stream, counted from when sampling began, lost samples included."""
    times: Times
    """Monotonic nanoseconds, shape (n,), increasing."""
    values: Floats
    """As the device delivered them, shape (n, c)."""
    quality: Flags
    """`Quality` bits, shape (n, c)."""

    def __post_init__(self) -> None:
        n, c = len(self.times), len(self.channels)
        if self.values.shape != (n, c) or self.quality.shape != (n, c):
            raise ValueError(
                f"{self.source}: {n} times and {c} channels, but values {self.values.shape}, quality "
                f"{self.quality.shape}"
            )
        for array in (self.times, self.values, self.quality):
            array.flags.writeable = False

    def __len__(self) -> int:
        return len(self.times)


GOOD: NDArray[np.uint8] = np.zeros((), np.uint8)


def good(n: int, c: int) -> Flags:
    """Quality of n samples of c channels that are all good; costs no memory."""
    return np.broadcast_to(GOOD, (n, c))


OPEN_LOOP_BELOW = 3.6e-3
OPEN_LOOP_ABOVE = 21e-3
"""A: currents beyond which a 4-20 mA loop signals a failure (NAMUR NE 43)."""


def judge_raw(channel: Channel, raw: Floats) -> Flags:
    """Quality bits of raw values as a device delivered them, any shape."""
    values = channel.calibration.apply(raw)
    flags = np.zeros(raw.shape, np.uint8)
    flags[values < channel.low] |= np.uint8(Quality.BELOW)
    flags[values > channel.high] |= np.uint8(Quality.ABOVE)
    flags[~np.isfinite(raw)] |= np.uint8(Quality.MISSING)
    if channel.loop:
        flags[(raw < OPEN_LOOP_BELOW) | (raw > OPEN_LOOP_ABOVE)] = np.uint8(Quality.OPEN_LOOP)
    return flags


def calibrated(block: Block, channels: Mapping[str, Channel]) -> Floats:
    """The block's values in SI, shape (n, c); NaN wherever the quality says that there is no usable value."""
    result = np.empty_like(block.values)
    for column, name in enumerate(block.channels):
        result[:, column] = channels[name].calibration.apply(block.values[:, column])
    unusable = (block.quality & (Quality.MISSING | Quality.OPEN_LOOP)) != 0
    if unusable.any():
        result[unusable] = np.nan
    return result


@dataclass(frozen=True, slots=True, eq=False)
class Digest:
    """Consecutive bins of a source's samples in SI, some tens of milliseconds each: what screens and protocols follow.

    Arrays have shape (k, c); ``m2`` is the sum of squared deviations from the mean, so that bins merge exactly.
    """

    source: str
    channels: tuple[str, ...]
    starts: Times
    """Time of each bin's first sample, shape (k,)."""
    ends: Times
    """Time of each bin's last sample, shape (k,)."""
    n: NDArray[np.int64]
    """Usable samples."""
    mean: Floats
    """NaN where no sample is usable, like ``low``, ``high`` and ``last``."""
    m2: Floats
    low: Floats
    high: Floats
    last: Floats
    quality: Flags
    """Bitwise OR over the samples."""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One channel over a stretch of a run, in SI."""

    times: Times
    values: Floats
    """NaN where the quality says that there is no usable value."""
    quality: Flags

    def __len__(self) -> int:
        return len(self.times)

    @property
    def seconds(self) -> Floats:
        """Seconds since the first sample."""
        return (self.times - self.times[0]) / 1e9 if len(self.times) else np.empty(0)
