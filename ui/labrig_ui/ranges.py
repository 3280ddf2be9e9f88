"""The range of an axis while a run goes on: it stays where it is, and takes one wide step when the data leave it.

An axis that follows every sample cannot be read, and costs a redraw of all its labels in each frame. No Qt.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

STEPS: Final = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
HEADROOM: Final = 1.1


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
        return Range(
            self.low if self.low <= low else -round_up(-low * HEADROOM if low < 0 else 0.0),
            self.high if high <= self.high else round_up(high * HEADROOM if high > 0 else 0.0),
        )


def round_up(value: float) -> float:
    """The next of 1, 1.5, 2, 3, 4, 5, 6, 8 times a power of ten that is not below ``value``; 0 for 0."""
    if value <= 0:
        return 0.0
    power = 10.0 ** math.floor(math.log10(value))
    for step in STEPS:
        if value <= step * power * (1 + 1e-9):
            return step * power
    return 10.0 * power


def around(low: float, high: float) -> Range:
    """A round range that holds the data and 0; (0, 1) without data."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return Range(0.0, 1.0)
    found = Range(0.0, 0.0).grown(low, high)
    return found if found.high > found.low else Range(found.low, found.low + 1.0)


def stretched(shown: float, needed: float) -> float:
    """Seconds that a time axis shows: unchanged until they no longer suffice, then a third more, rounded up."""
    if needed <= shown:
        return shown
    return max(60.0, math.ceil(needed * 4 / 3 / 30.0) * 30.0)
