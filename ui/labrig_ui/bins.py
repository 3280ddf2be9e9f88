"""Kept min/max bins: what a plot draws, whatever the length of the run. No Qt.

A `Pyramid` holds one source's samples at five resolutions, each with a bounded number of bins; the finest that still
reaches back far enough is drawn. Memory and drawing time do not grow with the run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np

from labrig.clock import SECOND
from labrig.history import merged
from labrig.model import Digest, Floats, Times

WIDTHS: Final = (40_000_000, 320_000_000, 2_560_000_000, 20_480_000_000, 163_840_000_000)
"""Bin widths in ns, finest first: what they hold reaches back 5 min, 44 min, 6 h, 2 d and 15 d at the least."""
POINTS: Final = 1200
"""Bins that a curve is drawn from at most."""
KEPT: Final = 8192
"""Bins that a level keeps at the least."""
GAP: Final = 3.0
"""A line is broken where bins are further apart than so many times their usual distance, and more than `SILENCE`."""
SILENCE: Final = SECOND
TOGETHER: Final = 32
"""Digests that wait for the coarser levels at most."""
_NAMES: Final = ("source", "channels")
_FIELDS: Final = ("n", "mean", "low", "high", "last", "quality")


@dataclass(frozen=True, slots=True, eq=False)
class Bins:
    """One channel's bins, oldest first; all arrays of shape (k,), SI, NaN where nothing usable was measured."""

    times: Times
    """Middle of each bin, monotonic ns."""
    mean: Floats
    low: Floats
    high: Floats

    def __len__(self) -> int:
        return len(self.times)


NO_BINS: Final = Bins(np.empty(0, np.int64), np.empty(0), np.empty(0), np.empty(0))


class Pyramid:
    """The bins of one source at every resolution. Not thread-safe: it lives with the screen."""

    def __init__(self, channels: tuple[str, ...]) -> None:
        self.channels = channels
        self._levels = tuple(_Level(len(channels), width) for width in WIDTHS)
        self._waiting: list[Digest] = []
        """What the finest level has and the others have not yet: they take it in one go, a fifth of the work."""

    def add(self, digest: Digest) -> None:
        """Bins that follow all earlier ones; those that do not (they were fetched twice) are left out."""
        finest = self._levels[0]
        fresh = after(digest, self.end) if finest.held else digest
        if not len(fresh.starts):
            return
        finest.add(merged(fresh, finest.width))
        self._waiting.append(fresh)
        if len(self._waiting) >= TOGETHER:
            self._settle()

    def _settle(self) -> None:
        """Let the coarser levels have what waits for them."""
        if self._waiting:
            waiting = _joined(self._waiting)
            self._waiting.clear()
            for level in self._levels[1:]:
                level.add(merged(waiting, level.width))

    @property
    def held(self) -> int:
        """How many bins there are at all resolutions together."""
        self._settle()
        return sum(level.held for level in self._levels)

    @property
    def start(self) -> int:
        """Time of the oldest sample kept at any resolution; 0 without one."""
        if not self._levels[-1].held:
            self._settle()
        return self._levels[-1].start

    @property
    def end(self) -> int:
        """Time of the newest sample; 0 without one."""
        return self._levels[0].end

    def between(self, channel: str, start: int, end: int, most: int) -> Bins:
        """At most about ``most`` bins of a channel between two times, from the finest level that suffices."""
        column = self.channels.index(channel)
        level = self._level_for(start, end, most)
        return reduced(level.bins(column, start, end), most)

    def newest(self, channel: str) -> tuple[float, int]:
        """Last value (NaN where unusable) and the quality bits of the newest bin; NaN and 0 without one."""
        return self._levels[0].newest(self.channels.index(channel))

    def _level_for(self, start: int, end: int, most: int) -> _Level:
        for level in self._levels:
            reaches_back = level.start <= max(start, self.start)
            if reaches_back and (end - start) / level.width <= 8 * most:
                return level
            self._settle()
        return self._levels[-1]


def _joined(digests: Sequence[Digest]) -> Digest:
    """Digests of one source, one after the other, as one."""
    names = [field.name for field in fields(Digest) if field.name not in _NAMES]
    arrays: dict[str, Any] = {
        name: np.concatenate([getattr(one, name) for one in digests]) for name in names
    }  # by name
    return replace(digests[0], **arrays)


def after(digest: Digest, time: int) -> Digest:
    """The bins of a digest that begin later than a time."""
    if not len(digest.starts) or digest.starts[0] > time:
        return digest
    kept = digest.starts > time
    arrays = {field.name: getattr(digest, field.name)[kept] for field in fields(Digest) if field.name not in _NAMES}
    return replace(digest, **arrays)


def reduced(bins: Bins, most: int) -> Bins:
    """Neighbouring bins merged until at most ``most`` are left; extremes are kept, means are of the bins' means."""
    if len(bins) <= most:
        return bins
    step = -(-len(bins) // most)
    edges = np.arange(0, len(bins), step)
    held = np.isfinite(bins.mean)
    n = np.add.reduceat(held.astype(np.int64), edges)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.add.reduceat(np.where(held, bins.mean, 0.0), edges) / n
    return Bins(
        bins.times[np.minimum(edges + step // 2, len(bins) - 1)],
        mean,
        np.fmin.reduceat(bins.low, edges),
        np.fmax.reduceat(bins.high, edges),
    )


def outline(bins: Bins) -> tuple[Floats, Floats]:
    """The line to draw: through low and high of each bin in turn, broken by NaN at gaps.

    Times in s (float, of the same origin as the bins' ns) and values in SI, both of shape (2k + gaps,).
    """
    if not len(bins):
        return np.empty(0), np.empty(0)
    times = np.repeat(bins.times / SECOND, 2)
    values = np.column_stack((bins.low, bins.high)).ravel()
    distances = np.diff(bins.times)
    if not len(distances):
        return times, values
    gaps = np.flatnonzero(distances > max(GAP * float(np.median(distances)), SILENCE)) + 1
    if len(gaps):
        times = np.insert(times, 2 * gaps, bins.times[gaps - 1] / SECOND)
        values = np.insert(values, 2 * gaps, np.nan)
    return times, values


class _Level:
    """Bins of one width; the newest may still grow. Twice the room that is kept, so that forgetting is rare."""

    def __init__(self, channels: int, width: int) -> None:
        self.width = width
        self.held = 0
        self._starts = np.empty(2 * KEPT, np.int64)
        self._ends = np.empty(2 * KEPT, np.int64)
        kinds = {"n": np.int64, "quality": np.uint8}
        self._arrays = {name: np.empty((2 * KEPT, channels), kinds.get(name, np.float64)) for name in _FIELDS}

    @property
    def start(self) -> int:
        return int(self._starts[0]) if self.held else 0

    @property
    def end(self) -> int:
        return int(self._ends[self.held - 1]) if self.held else 0

    def add(self, digest: Digest) -> None:
        """A digest whose bins have this level's width."""
        if self.held and digest.starts[0] // self.width == self._starts[self.held - 1] // self.width:
            self._grow_last(digest)
            digest = after(digest, int(digest.starts[0]))
        digest = _newest(digest, KEPT)
        k = len(digest.starts)
        self._make_room(k)
        rows = slice(self.held, self.held + k)
        self._starts[rows], self._ends[rows] = digest.starts, digest.ends
        for name, array in self._arrays.items():
            array[rows] = getattr(digest, name)
        self.held += k

    def bins(self, column: int, start: int, end: int) -> Bins:
        starts, ends = self._starts[: self.held], self._ends[: self.held]
        rows = slice(int(np.searchsorted(ends, start)), int(np.searchsorted(starts, end, side="right")))
        mean, low, high = (self._arrays[name][rows, column] for name in ("mean", "low", "high"))
        return Bins((starts[rows] + ends[rows]) // 2, mean, low, high)

    def newest(self, column: int) -> tuple[float, int]:
        if not self.held:
            return float("nan"), 0
        row = self.held - 1
        return float(self._arrays["last"][row, column]), int(self._arrays["quality"][row, column])

    def _grow_last(self, digest: Digest) -> None:
        """Merge the digest's first bin into the newest one."""
        row, held = self.held - 1, self._arrays
        n, more = held["n"][row], digest.n[0]
        both = n + more
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = (np.where(n > 0, held["mean"][row], 0.0) * n + np.where(more > 0, digest.mean[0], 0.0) * more) / both
        held["n"][row], held["mean"][row] = both, mean
        held["low"][row] = np.fmin(held["low"][row], digest.low[0])
        held["high"][row] = np.fmax(held["high"][row], digest.high[0])
        held["last"][row] = digest.last[0]
        held["quality"][row] |= digest.quality[0]
        self._ends[row] = digest.ends[0]

    def _make_room(self, k: int) -> None:
        if self.held + k <= 2 * KEPT:
            return
        old = slice(self.held - KEPT, self.held)
        for array in (self._starts, self._ends, *self._arrays.values()):
            array[:KEPT] = array[old].copy()
        self.held = KEPT


def _newest(digest: Digest, most: int) -> Digest:
    return after(digest, int(digest.starts[-most - 1])) if len(digest.starts) > most else digest
