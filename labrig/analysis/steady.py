"""When a plateau is good enough to be measured: pure criteria over the newest window of one channel.

The figures are those that the result depends on: drift of the *measured* pressure, standard error of the mass slope,
mass collected, distance from the target. The scatter of single readings is not among them, because averaging removes
it, nor is the exact set-point, because the measured pressure is what enters the result.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from labrig.analysis.lines import slope_of_series, with_intercept
from labrig.model import Floats

LEAST: Final = 5
"""Usable values below which nothing is called steady."""


@dataclass(frozen=True, slots=True)
class Steadiness:
    """What one criterion says of one window."""

    met: bool
    figure: float
    """What was compared; NaN where the window holds too little."""
    limit: float
    words: str
    """For people, such as ``feed_pressure drifts by 1.8 %; 1 % is allowed``."""


@dataclass(frozen=True, slots=True)
class Drift:
    """The channel's fitted line changes over the window by at most ``limit`` of its mean."""

    channel: str
    limit: float

    @property
    def wants_more(self) -> bool:
        """Whether a longer window mends it; drift wants a later one."""
        return False

    def judge(self, times: Floats, values: Floats) -> Steadiness:
        """``times`` in s and ``values`` in SI (NaN where missing), both of shape (n,)."""
        if len(_usable(times, values)[0]) < LEAST:
            return _too_few(self.channel, self.limit)
        figure = abs(relative_drift(times, values))
        words = f"{self.channel} drifts by {_percent(figure)}; {_percent(self.limit)} is allowed"
        return Steadiness(figure <= self.limit, figure, self.limit, words)


@dataclass(frozen=True, slots=True)
class SlopeError:
    """The standard error of the channel's slope in time is at most ``limit`` of the slope."""

    channel: str
    limit: float

    @property
    def wants_more(self) -> bool:
        """Whether a longer window mends it."""
        return True

    def judge(self, times: Floats, values: Floats) -> Steadiness:
        """``times`` in s and ``values`` in SI (NaN where missing), both of shape (n,)."""
        if len(_usable(times, values)[0]) < LEAST:
            return _too_few(self.channel, self.limit)
        figure = relative_slope_error(times, values)
        words = f"the slope of {self.channel} is uncertain by {_percent(figure)}; {_percent(self.limit)} is allowed"
        return Steadiness(figure <= self.limit, figure, self.limit, words)


@dataclass(frozen=True, slots=True)
class Collected:
    """The channel rose over the window by at least ``amount``, SI."""

    channel: str
    amount: float

    @property
    def wants_more(self) -> bool:
        """Whether a longer window mends it."""
        return True

    def judge(self, times: Floats, values: Floats) -> Steadiness:
        """``times`` in s and ``values`` in SI (NaN where missing), both of shape (n,)."""
        if len(_usable(times, values)[0]) < LEAST:
            return _too_few(self.channel, self.amount)
        figure = rise(times, values)
        share = figure / self.amount if self.amount else math.inf
        words = f"{self.channel} has risen by {_percent(share)} of what is needed"
        return Steadiness(figure >= self.amount, figure, self.amount, words)


@dataclass(frozen=True, slots=True)
class Still:
    """The channel's fitted line changes over the window by at most ``limit``, SI: for what comes to rest near zero."""

    channel: str
    limit: float

    @property
    def wants_more(self) -> bool:
        """Whether a longer window mends it; what still moves wants a later one."""
        return False

    def judge(self, times: Floats, values: Floats) -> Steadiness:
        """``times`` in s and ``values`` in SI (NaN where missing), both of shape (n,)."""
        t, v = _usable(times, values)
        if len(t) < LEAST or t[-1] == t[0]:
            return _too_few(self.channel, self.limit)
        figure = abs(with_intercept(t - t[0], v).slope) * float(t[-1] - t[0])
        words = f"{self.channel} still moves by {_percent(figure / self.limit)} of what is allowed"
        return Steadiness(figure <= self.limit, figure, self.limit, words)


@dataclass(frozen=True, slots=True)
class SteadySlope:
    """The channel's slope in the window's second half differs from that in its first by at most ``limit`` of it."""

    channel: str
    limit: float

    @property
    def wants_more(self) -> bool:
        """Whether a longer window mends it; a rate that changes wants a later one."""
        return False

    def judge(self, times: Floats, values: Floats) -> Steadiness:
        """``times`` in s and ``values`` in SI (NaN where missing), both of shape (n,)."""
        t, v = _usable(times, values)
        middle = len(t) // 2
        if middle < LEAST or t[middle] == t[0] or t[-1] == t[middle]:
            return _too_few(self.channel, self.limit)
        first = with_intercept(t[:middle] - t[0], v[:middle]).slope
        second = with_intercept(t[middle:] - t[middle], v[middle:]).slope
        # The middles of the halves are half a window apart: over the whole one it changes twice as much.
        figure = abs(_ratio(2 * (second - first), abs(first)))
        words = f"the slope of {self.channel} changes by {_percent(figure)}; {_percent(self.limit)} is allowed"
        return Steadiness(figure <= self.limit, figure, self.limit, words)


@dataclass(frozen=True, slots=True)
class Near:
    """The channel's mean is within the fraction ``within`` of ``target``, SI."""

    channel: str
    target: float
    within: float

    @property
    def wants_more(self) -> bool:
        """Whether a longer window mends it; a pressure off its target wants a later one."""
        return False

    def judge(self, times: Floats, values: Floats) -> Steadiness:
        """``times`` in s and ``values`` in SI (NaN where missing), both of shape (n,)."""
        usable = _usable(times, values)[1]
        if len(usable) < LEAST:
            return _too_few(self.channel, self.within)
        off = abs(float(usable.mean()) - self.target)
        figure = off / abs(self.target) if self.target else (math.inf if off else 0.0)
        words = f"{self.channel} is {_percent(figure)} away from its target; {_percent(self.within)} is allowed"
        return Steadiness(figure <= self.within, figure, self.within, words)


def relative_drift(times: Floats, values: Floats) -> float:
    """Change of the fitted line from the first value to the last, as a fraction of the mean; signed.

    ``times`` in s and ``values`` of shape (n,), NaN where missing. Infinite about a mean of 0, NaN without a line.
    """
    t, v = _usable(times, values)
    if len(t) < 2 or t[-1] == t[0]:
        return math.nan
    change = with_intercept(t - t[0], v).slope * float(t[-1] - t[0])
    return _ratio(change, abs(float(v.mean())))


def relative_slope_error(times: Floats, values: Floats) -> float:
    """Standard error of the slope in time, as a fraction of the slope (see `lines.slope_of_series`).

    ``times`` in s and ``values`` of shape (n,), NaN where missing. Infinite for no slope, NaN without an error.
    """
    t, v = _usable(times, values)
    if len(t) < 3 or t[-1] == t[0]:
        return math.nan
    series = slope_of_series(t, v)
    return _ratio(series.se, abs(series.slope))


def rise(times: Floats, values: Floats) -> float:
    """Last minus first usable value, each the median of three so that one wild reading decides nothing; SI."""
    _, v = _usable(times, values)
    return float(np.median(v[-3:]) - np.median(v[:3])) if len(v) else math.nan


def _usable(times: Floats, values: Floats) -> tuple[Floats, Floats]:
    usable = np.isfinite(values) & np.isfinite(times)
    return times[usable], values[usable]


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else (math.copysign(math.inf, part) if part else math.inf)


def _percent(fraction: float) -> str:
    return f"{fraction * 100:.2g} %" if math.isfinite(fraction) else "an unknown share"


def _too_few(channel: str, limit: float) -> Steadiness:
    return Steadiness(False, math.nan, limit, f"{channel} has fewer than {LEAST} usable values in the window")
