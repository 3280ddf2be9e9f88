"""Time: the real clock with its threads, and the virtual one without any.

The only file that makes threads. `RealClock` waits on an event, so that every wait ends the moment the run ends;
`VirtualClock` jumps, and takes its followers (the twin of the rig) along.
"""

from __future__ import annotations

import sys
import threading
import time
from bisect import bisect_left
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:  # the supervisor, which must stay light, needs the clock and not what stands behind roles
    from labrig.roles import Now

SECOND: Final = 1_000_000_000
STEP: Final = 1.0
"""Seconds between two clocks that count as a step; a time service slews what is less."""
BLOCK: Final = SECOND
"""Longest stride of the virtual clock: samples come in blocks of a second."""

monotonic: Final[Now] = time.perf_counter_ns if sys.platform == "win32" else time.monotonic_ns
"""The monotonic clock of this machine: on Windows below Python 3.13 ``monotonic`` ticks at 16 ms."""


class Clock(Protocol):
    """What the rig's verbs and the pollers know of time."""

    @property
    def virtual(self) -> bool:
        """Whether it jumps."""
        ...

    def now(self) -> int:
        """Monotonic nanoseconds."""
        ...

    def utc(self) -> datetime: ...

    def wait(self, seconds: float, ended: threading.Event) -> bool:
        """Wait, or return at once when ``ended`` is set; True if it is set."""
        ...


class RealClock:
    """The machine's clock."""

    virtual: Final = False

    def now(self) -> int:
        return monotonic()

    def utc(self) -> datetime:
        return datetime.now(UTC)

    def wait(self, seconds: float, ended: threading.Event) -> bool:
        return ended.wait(max(0.0, seconds))


class WallClock:
    """Compares the hour of day with the monotonic clock, so that a clock that somebody sets does not go unnoticed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead = self._looked()

    def step(self) -> float:
        """Seconds by which UTC was put forward (negative: back) since the last look; 0 for what a time service slews.

        A computer that slept shows as a clock that was put forward: the monotonic one rests meanwhile.
        """
        before, ahead = self._ahead, self._looked()
        self._ahead = before if ahead is None else ahead
        step = 0.0 if before is None or ahead is None else ahead - before
        return step if abs(step) >= STEP else 0.0

    def _looked(self) -> float | None:
        """Seconds from the monotonic clock to UTC; None where this thread was held up between the two."""
        before, utc, after = self._clock.now(), self._clock.utc(), self._clock.now()
        return utc.timestamp() - before / SECOND if after - before < STEP / 10 * SECOND else None


class VirtualClock:
    """A clock that jumps in strides of at most one second, telling its followers after each.

    A follower is called with the new time and does all that falls due until then; nothing runs beside it.
    """

    virtual: Final = True

    def __init__(self, start: datetime = datetime(2000, 1, 1, tzinfo=UTC)) -> None:
        self._start = start
        self._now = 0
        self._followers: list[Callable[[int], None]] = []

    def follow(self, follower: Callable[[int], None]) -> None:
        self._followers.append(follower)

    def now(self) -> int:
        return self._now

    def utc(self) -> datetime:
        return self._start + timedelta(microseconds=self._now // 1000)

    def wait(self, seconds: float, ended: threading.Event) -> bool:
        end = self._now + round(seconds * SECOND)
        while self._now < end and not ended.is_set():
            self._now = min(end, self._now + BLOCK)
            for follower in self._followers:
                follower(self._now)
        return ended.is_set()


class Lateness:
    """How late a loop woke up: a histogram in steps of a tenth, from 0.01 ms to 100 s. One thread adds."""

    def __init__(self) -> None:
        self._counts = [0] * len(_LATE)
        self.worst = 0.0
        """Seconds."""

    def add(self, seconds: float) -> None:
        self._counts[min(bisect_left(_LATE, seconds), len(_LATE) - 1)] += 1
        self.worst = max(self.worst, seconds)

    def percentile(self, percent: float) -> float:
        """Seconds by which it was at most so late in so many percent of all turns."""
        counts = tuple(self._counts)
        wanted, passed = sum(counts) * percent / 100, 0
        for count, bound in zip(counts, _LATE, strict=True):
            passed += count
            if passed >= wanted:
                return min(bound, self.worst)
        return self.worst

    def __str__(self) -> str:
        late = [*(self.percentile(percent) for percent in (50, 99)), self.worst]
        p50, p99, worst = (1e3 * seconds for seconds in late)
        return f"{sum(self._counts)} turns, late by p50 {p50:.2f} ms, p99 {p99:.2f} ms, max {worst:.2f} ms"


_LATE: Final = tuple(1e-5 * 1.1**step for step in range(170))
"""Upper bounds of the bins, s."""

Job = threading.Thread
"""What `spawn` returns."""


def spawn(name: str, job: Callable[[], None]) -> Job:
    """Start a named daemon thread. Whoever spawns it ends it and joins it."""
    thread = Job(target=job, name=name, daemon=True)
    thread.start()
    return thread
