"""The range of an axis while a run goes on: it stays where it is, and takes one wide step when the data leave it.

An axis that follows every sample cannot be read, and costs a redraw of all its labels in each frame. No Qt.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

STEPS: Final = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
HEADROOM: Final = 1.1
LEAST_BELOW: Final = 0.05
"""Share of the upper end that is shown below 0 where anything lies there: noise about 0 gives no odd numbers."""
SMALLEST: Final = 1e-30


@dataclass(frozen=True, slots=True)
class Range:
    """From ``low`` to ``high``, in shown units."""

    low: float
    high: float

    def holds(self, low: float, high: float) -> bool:
        return self.low <= low and high <= self.high

    def grown(self, low: float, high: float) -> Range:
        """Itself while it holds the data; else the next round range that holds both. Never smaller."""
        if not (math.isfinite(low) and math.isfinite(high)) or self.holds(low, high):
            return self
        above = self.high if high <= self.high else round_up(high * HEADROOM)
        below = (
            self.low if self.low <= low else -round_up(max(-low * HEADROOM, LEAST_BELOW * above)) if low < 0 else 0.0
        )
        return Range(below, above)


def round_up(value: float) -> float:
    """The next of 1, 1.5, 2, 3, 4, 5, 6, 8 times a power of ten that is not below ``value``; 0 for 0 and less."""
    if value <= 0:
        return 0.0
    value = max(value, SMALLEST)
    power = 10.0 ** math.floor(math.log10(value))
    for step in STEPS:
        if value <= step * power * (1 + 1e-9):
            return step * power
    return 10.0 * power


def around(low: float, high: float, least: float = 1.0) -> Range:
    """A round range that holds the data and 0 and reaches up to ``least``; that alone without data."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return Range(0.0, least)
    return Range(0.0, least).grown(low, high)


def stretched(shown: float, needed: float) -> float:
    """Seconds that a time axis shows: unchanged until they no longer suffice, then a third more, rounded up."""
    if needed <= shown:
        return shown
    return max(60.0, math.ceil(needed * 4 / 3 / 30.0) * 30.0)


def moved(start: float, end: float, step: float) -> tuple[float, float]:
    """A moving stretch of time, moved on by whole steps only: an axis that moves is drawn anew with its grid."""
    on = math.ceil(end / step) * step - end
    return start + on, end + on
