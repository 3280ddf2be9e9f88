"""Which part of a run's samples an export has, and how many of them: everything, a stretch, or one row a while."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from labrig.errors import RecordingError
from labrig.exports.streams import Key, Piece, pieces
from labrig.model import Channel, Flags, Floats, Times
from labrig.recording import RunFile

SECOND: Final = 1_000_000_000
Array = Floats | Times | Flags


@dataclass(frozen=True, slots=True)
class Stretch:
    """From a time on, up to (and without) another; times are seconds since the start of the run."""

    start: float | None = None
    end: float | None = None
    every: float = 0.0
    """Length of the bins that samples are gathered in; 0: each sample is a row."""
    pick: bool = False
    """Of each bin its first sample as it is, instead of mean, lowest and highest."""

    def __post_init__(self) -> None:
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise RecordingError(f"nothing lies from {self.start:g} s to {self.end:g} s; the end comes after the start")
        if self.every < 0 or (0 < self.every < 1e-6):
            raise RecordingError(f"every {self.every:g} s is no interval; it is a microsecond at least")
        if self.pick and not self.every:
            raise RecordingError("first samples of which intervals? Give their length with --every")

    @property
    def whole(self) -> bool:
        return self == Stretch()

    @property
    def binned(self) -> bool:
        return self.every > 0 and not self.pick

    @property
    def suffix(self) -> str:
        """What distinguishes the names of its files from those of the whole run."""
        parts = [
            f"_{word}-{value:g}s"
            for word, value in (("from", self.start), ("to", self.end), ("every", self.every or None))
            if value is not None
        ]
        return "".join(parts) + ("_first" if self.pick else "")

    @property
    def words(self) -> dict[str, str]:
        """For the head of a file; empty for the whole run."""
        found: dict[str, str] = {}
        if self.start is not None or self.end is not None:
            start = "the start" if self.start is None else f"{self.start:g} s"
            end = "the end" if self.end is None else f"{self.end:g} s (not included)"
            found["samples"] = f"from {start} to {end}; the run file has all"
        if self.pick:
            found["thinned"] = f"the first sample of each {self.every:g} s; the run file has all"
        elif self.every:
            found["thinned"] = f"mean, min and max of the usable samples of each {self.every:g} s; the run file has all"
        return found


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table of samples."""

    name: str
    kind: Literal["i8", "f8", "u1"]
    channel: str = ""
    unit: str = ""


def columns(channels: Sequence[Channel], stretch: Stretch) -> tuple[Column, ...]:
    """What a table of samples of these channels has, in the order of `arrays`."""
    time = Column("time_s", "f8", unit="s")
    if not stretch.binned:
        values = (Column(f"{c.name} [{c.unit.symbol}]", "f8", c.name, c.unit.symbol) for c in channels)
        return (Column("index", "i8"), time, *values, *(Column(f"{c.name} quality", "u1", c.name) for c in channels))
    found = [time]
    for c in channels:
        found += [
            Column(f"{c.name} {what} [{c.unit.symbol}]", "f8", c.name, c.unit.symbol) for what in ("mean", "min", "max")
        ]
        found += [Column(f"{c.name} n", "i8", c.name), Column(f"{c.name} quality", "u1", c.name)]
    return tuple(found)


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Successive rows of one table of samples."""

    arrays: tuple[Array, ...]
    """As `columns` lists them, in the units that are shown; NaN where there is no usable value."""

    def __len__(self) -> int:
        return len(self.arrays[0])


def sample_rows(run: RunFile, known: Mapping[str, Channel], stretch: Stretch) -> Iterator[tuple[Key, Rows]]:
    """All rows of all tables of samples, interleaved as they were recorded; holds one piece of each at a time."""
    found = pieces(run, _ns(stretch.start), _ns(stretch.end))
    if stretch.binned:
        yield from _binned(found, known, round(stretch.every * SECOND))
        return
    for key, piece in _first_of_each(found, round(stretch.every * SECOND)) if stretch.pick else found:
        channels = [known[name] for name in key[1]]
        values = [_shown(channel, piece.si[:, at]) for at, channel in enumerate(channels)]
        quality = [piece.quality[:, at] for at in range(len(channels))]
        yield key, Rows((piece.index, piece.times / 1e9, *values, *quality))


def _ns(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * SECOND)


def _shown(channel: Channel, si: Floats) -> Floats:
    return (si - channel.unit.offset) / channel.unit.factor


def _first_of_each(found: Iterator[tuple[Key, Piece]], every: int) -> Iterator[tuple[Key, Piece]]:
    last: dict[Key, int] = {}
    for key, piece in found:
        number = piece.times // every
        first = np.diff(number, prepend=last.get(key, number[0] - 1)) != 0
        last[key] = int(number[-1])
        if first.any():
            yield key, piece.part(first)


@dataclass(frozen=True, slots=True, eq=False)
class _Bins:
    """Shape (k,) and (k, c); SI."""

    number: Times
    n: NDArray[np.int64]
    total: Floats
    low: Floats
    high: Floats
    quality: Flags

    def part(self, which: slice) -> _Bins:
        return _Bins(
            self.number[which],
            self.n[which],
            self.total[which],
            self.low[which],
            self.high[which],
            self.quality[which],
        )


def _binned(found: Iterator[tuple[Key, Piece]], known: Mapping[str, Channel], every: int) -> Iterator[tuple[Key, Rows]]:
    """The last bin of each piece waits for what the next one adds to it."""
    waiting: dict[Key, _Bins] = {}
    for key, piece in found:
        bins = _bins(piece, every)
        if key in waiting:
            bins = _joined(waiting[key], bins)
        complete, waiting[key] = bins.part(slice(-1)), bins.part(slice(-1, None))
        if len(complete.number):
            yield key, _rows(complete, [known[name] for name in key[1]], every)
    for key, bins in waiting.items():
        yield key, _rows(bins, [known[name] for name in key[1]], every)


def _bins(piece: Piece, every: int) -> _Bins:
    number = piece.times // every
    starts = np.flatnonzero(np.diff(number, prepend=number[0] - 1))
    usable = ~np.isnan(piece.si)
    return _Bins(
        number[starts],
        np.add.reduceat(usable.astype(np.int64), starts),
        np.add.reduceat(np.where(usable, piece.si, 0.0), starts),
        np.fmin.reduceat(piece.si, starts),
        np.fmax.reduceat(piece.si, starts),
        np.bitwise_or.reduceat(piece.quality, starts),
    )


def _joined(before: _Bins, after: _Bins) -> _Bins:
    """A last bin, and those that follow it, of which the first may be more of the same."""
    if before.number[0] == after.number[0]:
        more, after = after.part(slice(1)), after.part(slice(1, None))
        before = replace(
            before,
            n=before.n + more.n,
            total=before.total + more.total,
            low=np.fmin(before.low, more.low),
            high=np.fmax(before.high, more.high),
            quality=before.quality | more.quality,
        )
    return _Bins(
        np.concatenate((before.number, after.number)),
        np.concatenate((before.n, after.n)),
        np.concatenate((before.total, after.total)),
        np.concatenate((before.low, after.low)),
        np.concatenate((before.high, after.high)),
        np.concatenate((before.quality, after.quality)),
    )


def _rows(bins: _Bins, channels: Sequence[Channel], every: int) -> Rows:
    """A mean lies between the lowest and the highest, which the rounding of a long sum alone would not ensure."""
    arrays: list[Array] = [bins.number * every / 1e9]
    with np.errstate(invalid="ignore"):
        mean = np.clip(bins.total / bins.n, bins.low, bins.high)
    for at, channel in enumerate(channels):
        arrays += [_shown(channel, values[:, at]) for values in (mean, bins.low, bins.high)]
        arrays += [bins.n[:, at], bins.quality[:, at]]
    return Rows(tuple(arrays))
