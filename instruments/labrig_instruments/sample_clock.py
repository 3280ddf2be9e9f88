"""When samples were taken: a device's own clock, laid onto labrig's monotonic one.

Cards do not tell the time. What is known: sample 0 was taken between the moments before and after the start command,
and no sample after it had arrived; an axis that says otherwise is moved back, by half an interval a block at most. From
there time = t0 + index / rate, with the index a whole number, never a sum of intervals. But a card's clock is off by up
to 50 ppm (NI's figure), which is 0.2 s in an hour, so the axis is steered: every ten seconds the shortest delay between
a sample's time and its arrival is compared with that of the first ten, and the spacing of samples yet to come is
changed by the difference over a minute. Times that were given stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from labrig.clock import SECOND
from labrig.model import Times

_LOOK: Final = 10 * SECOND
_PULL: Final = 60 * SECOND
"""Time constant: a clock that is off by 50 ppm stays 3 ms off on this axis."""
_LIMIT: Final = 1e-3
"""A clock that is off by more is broken, and is not followed further."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """Where samples stand in a stream."""

    first: int
    """Index of the first one, lost samples counted."""
    times: Times
    lost: int
    """Samples that are missing immediately before the first one."""


class SampleClock:
    """Indices and times of one stream's samples, over all its restarts."""

    def __init__(self) -> None:
        self._rate = 0.0
        self._bracket: tuple[int, int] | None = None
        self._next = 0
        self._anchor: tuple[int, int] | None = None
        """An index and its time."""
        self._last = -1
        """Time of the last sample."""
        self._spacing = 0.0
        self._usual: int | None = None
        self._least: int | None = None
        self._since = 0

    @property
    def next(self) -> int:
        """Index of the next sample."""
        return self._next

    def began(self, rate: float, before: int, after: int) -> None:
        """Sampling began, or began again, between two moments (ns)."""
        self._rate, self._bracket = rate, (before, after)

    def stamp(self, count: int, arrived: int) -> Stamp:
        """Index and times of the next ``count`` samples, the last of which had been taken at ``arrived``."""
        lost = self._anchored(count, arrived) if self._bracket is not None else 0
        first, self._next = self._next, self._next + count
        times = self._times(np.arange(first, self._next))
        if count:
            times = times - self._ahead(times, arrived)
            self._last = int(times[-1])
            self._steer(arrived - self._last, arrived)
        return Stamp(first, times, lost)

    def _anchored(self, count: int, arrived: int) -> int:
        """Fix the time of the first sample after a start; returns how many are missing before it."""
        assert self._bracket is not None
        before, after = self._bracket
        latest = min(after, arrived - round((count - 1) / self._rate * SECOND)) if count else after
        start = (before + max(before, latest)) // 2
        lost = 0
        if self._anchor is not None:
            lost = max(0, round((start - self._time(self._next)) * self._rate / SECOND))
            start = max(start, self._last + 1)
        self._next += lost
        self._anchor, self._bracket = (self._next, start), None
        self._spacing = SECOND / self._rate
        self._usual, self._least, self._since = None, None, arrived
        return lost

    def _ahead(self, times: Times, arrived: int) -> int:
        """How far the axis was ahead of what has arrived, as far as it may move back."""
        assert self._anchor is not None
        ahead = max(0, min(int(times[-1]) - arrived, round(self._spacing / 2), int(times[0]) - self._last - 1))
        self._anchor = (self._anchor[0], self._anchor[1] - ahead)
        return ahead

    def _times(self, indices: Times) -> Times:
        assert self._anchor is not None
        index, time = self._anchor
        times: Times = np.rint((indices - index) * self._spacing).astype(np.int64) + time
        return times

    def _time(self, index: int) -> int:
        return int(self._times(np.array([index]))[0])

    def _steer(self, delay: int, arrived: int) -> None:
        self._least = delay if self._least is None else min(self._least, delay)
        if arrived - self._since < _LOOK:
            return
        if self._usual is None:
            self._usual = self._least
        late = max(-_LIMIT, min(_LIMIT, (self._least - self._usual) / _PULL))
        self._anchor = (self._next, self._time(self._next))
        self._spacing = SECOND / self._rate * (1 + late)
        self._least, self._since = None, arrived
