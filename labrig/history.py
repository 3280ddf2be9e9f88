"""The recent past in memory: min/max/mean bins for waits and screens.

Two levels: bins of 20 ms for ten minutes, bins of a second for a day. Bins carry their count and squared deviations,
so that merging them loses nothing but time resolution.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from labrig.clock import SECOND
from labrig.errors import RigError
from labrig.model import Block, Channel, Digest, Event, Flags, Floats, Quality, Times, calibrated

FINE: Final = 20_000_000
FINE_KEPT: Final = 30_000
COARSE_KEPT: Final = 86_400
_FIELDS: Final = ("starts", "ends", "n", "mean", "m2", "low", "high", "last", "quality")


def digest(block: Block, channels: Mapping[str, Channel], width: int = FINE) -> Digest:
    """The block in bins of ``width`` nanoseconds."""
    values = calibrated(block, channels)
    usable = np.isfinite(values)
    edges = np.flatnonzero(np.diff(block.times // width, prepend=-1))
    n = np.add.reduceat(usable.astype(np.int64), edges, axis=0)
    zeroed = np.where(usable, values, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.add.reduceat(zeroed, edges, axis=0) / n
    lengths = np.diff(edges, append=len(values))
    deviation = np.where(usable, values - np.repeat(mean, lengths, axis=0), 0.0)
    last_rows = edges + lengths - 1
    return Digest(
        block.source,
        block.channels,
        block.times[edges],
        block.times[last_rows],
        n,
        mean,
        np.add.reduceat(deviation**2, edges, axis=0),
        np.fmin.reduceat(values, edges, axis=0),
        np.fmax.reduceat(values, edges, axis=0),
        values[last_rows],
        np.bitwise_or.reduceat(np.asarray(block.quality), edges, axis=0),
    )


def merged(digest_: Digest, width: int = SECOND) -> Digest:
    """The same samples in wider bins; exact for everything that a bin holds."""
    edges = np.flatnonzero(np.diff(digest_.starts // width, prepend=-1))
    lengths = np.diff(edges, append=len(digest_.starts))
    n = np.add.reduceat(digest_.n, edges, axis=0)
    held = np.where(digest_.n > 0, digest_.mean, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.add.reduceat(held * digest_.n, edges, axis=0) / n
    between = digest_.n * np.where(digest_.n > 0, digest_.mean - np.repeat(mean, lengths, axis=0), 0.0) ** 2
    last_rows = edges + lengths - 1
    return Digest(
        digest_.source,
        digest_.channels,
        digest_.starts[edges],
        digest_.ends[last_rows],
        n,
        mean,
        np.add.reduceat(digest_.m2 + between, edges, axis=0),
        np.fmin.reduceat(digest_.low, edges, axis=0),
        np.fmax.reduceat(digest_.high, edges, axis=0),
        digest_.last[last_rows],
        np.bitwise_or.reduceat(digest_.quality, edges, axis=0),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """One channel's bins over a stretch of time, SI, oldest first; all arrays have shape (k,)."""

    times: Times
    """Middle of each bin, monotonic nanoseconds."""
    n: NDArray[np.int64]
    mean: Floats
    low: Floats
    high: Floats
    quality: Flags

    def __len__(self) -> int:
        return len(self.times)


class _Level:
    """The newest bins of one source. Grows by doubling up to twice its depth, then forgets the oldest half at once."""

    def __init__(self, first: Digest, depth: int) -> None:
        self._depth = depth
        self._held = 0
        self._names = first.source, first.channels
        self._arrays = {
            name: np.empty_like(getattr(first, name), shape=(0, *getattr(first, name).shape[1:])) for name in _FIELDS
        }
        self.columns = {name: column for column, name in enumerate(first.channels)}

    def add(self, digest_: Digest) -> None:
        k = len(digest_.starts)
        self._make_room(k)
        for name, array in self._arrays.items():
            array[self._held : self._held + k] = getattr(digest_, name)
        self._held += k

    def oldest(self) -> int:
        return int(self._arrays["starts"][0]) if self._held else 0

    def trace(self, channel: str, start: int, end: int) -> Trace:
        starts, ends = self._arrays["starts"][: self._held], self._arrays["ends"][: self._held]
        rows = slice(int(np.searchsorted(starts, start)), int(np.searchsorted(ends, end, side="right")))
        column = self.columns[channel]
        return Trace(
            (starts[rows] + ends[rows]) // 2,
            *(self._arrays[name][rows, column].copy() for name in ("n", "mean", "low", "high", "quality")),
        )

    def between(self, start: int, end: int) -> Digest:
        starts, ends = self._arrays["starts"][: self._held], self._arrays["ends"][: self._held]
        return self._rows(slice(int(np.searchsorted(starts, start)), int(np.searchsorted(ends, end, side="right"))))

    def after(self, end: int) -> Digest:
        first = int(np.searchsorted(self._arrays["ends"][: self._held], end, side="right"))
        return self._rows(slice(first, self._held))

    def _rows(self, rows: slice) -> Digest:
        return Digest(*self._names, **{name: array[rows].copy() for name, array in self._arrays.items()})

    def newest(self, channel: str) -> tuple[int, float, Quality]:
        row, column = self._held - 1, self.columns[channel]
        value, quality = self._arrays["last"][row, column], self._arrays["quality"][row, column]
        return int(self._arrays["ends"][row]), float(value), Quality(int(quality))

    def _make_room(self, k: int) -> None:
        capacity = len(self._arrays["starts"])
        if self._held + k <= capacity:
            return
        kept = min(self._held, self._depth)
        room = max(min(2 * capacity, 2 * self._depth), kept + k, 64)
        for name, array in self._arrays.items():
            grown = np.empty_like(array, shape=(room, *array.shape[1:]))
            grown[:kept] = array[self._held - kept : self._held]
            self._arrays[name] = grown
        self._held = kept


class _Kept:
    """One source's two levels. Fine bins wait until their second is over, so that a second is one coarse bin."""

    def __init__(self, first: Digest) -> None:
        self.fine, self.coarse = _Level(first, FINE_KEPT), _Level(first, COARSE_KEPT)
        self._waiting: list[Digest] = []

    def add(self, fine: Digest) -> None:
        self.fine.add(fine)
        self._waiting.append(fine)
        present = int(fine.starts[-1]) // SECOND
        if int(self._waiting[0].starts[0]) // SECOND == present:
            return
        joined = joined_digests(self._waiting)
        over = int(np.searchsorted(joined.starts // SECOND, present))
        self.coarse.add(merged(_rows(joined, slice(None, over))))
        self._waiting = [_rows(joined, slice(over, None))]

    def level(self, start: int) -> _Level:
        return self.fine if self.fine.oldest() <= start else self.coarse


def joined_digests(digests: Sequence[Digest]) -> Digest:
    """Consecutive digests of one source as one."""
    first = digests[0]
    return Digest(
        first.source,
        first.channels,
        **{name: np.concatenate([getattr(each, name) for each in digests]) for name in _FIELDS},
    )


def _rows(digest_: Digest, rows: slice) -> Digest:
    return Digest(digest_.source, digest_.channels, **{name: getattr(digest_, name)[rows] for name in _FIELDS})


class History:
    """A sink that keeps what waits and screens look back at. Any thread may read while another publishes."""

    def __init__(self, channels: Mapping[str, Channel]) -> None:
        self._channels = channels
        self._kept: dict[str, _Kept] = {}
        self._source_of: dict[str, str] = {}
        self._lock = threading.Lock()

    def __call__(self, item: Block | Event) -> None:
        if not isinstance(item, Block) or not len(item):
            return
        fine = digest(item, self._channels)
        with self._lock:
            if item.source not in self._kept:
                self._kept[item.source] = _Kept(fine)
                self._source_of.update(dict.fromkeys(item.channels, item.source))
            self._kept[item.source].add(fine)

    def bins(self, channel: str, start: int, end: int) -> Digest:
        """The bins of a channel's whole source that lie whole between two times; coarse where the fine are forgotten.

        Raises `RigError` for a channel that has not delivered a sample yet.
        """
        with self._lock:
            return self._of(channel).level(start).between(start, end)

    def newer(self, after: Mapping[str, int]) -> tuple[Digest, ...]:
        """For each source its fine bins that end after ``after[source]`` (all of them for one not named there)."""
        with self._lock:
            newest = [kept.fine.after(after.get(source, -1)) for source, kept in self._kept.items()]
        return tuple(bins for bins in newest if len(bins.starts))

    def trace(self, channel: str, start: int, end: int) -> Trace:
        """The bins that lie whole between two times; coarse ones where the fine ones are forgotten.

        Raises `RigError` for a channel that has not delivered a sample yet.
        """
        with self._lock:
            return self._of(channel).level(start).trace(channel, start, end)

    def latest(self, channel: str) -> tuple[int, float, Quality]:
        """Time, SI value and quality of the newest bin's last sample."""
        with self._lock:
            return self._of(channel).fine.newest(channel)

    def _of(self, channel: str) -> _Kept:
        source = self._source_of.get(channel)
        if source is None:
            raise RigError(f"{channel} has not delivered a sample yet")
        return self._kept[source]
