"""A run's samples in pieces of fit size, and the names that things get in files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from labrig import units
from labrig.model import Block, Calibration, Channel, Flags, Floats, Quality, Times, calibrated
from labrig.recording import RunFile

PIECE: Final = 65_536
"""Samples of a source that are held in memory and written at once, unless a row of the run file has more."""

QUALITY_WORDS: Final = "0 good, " + ", ".join(
    f"{bit.value} {str(bit.name).lower().replace('_', ' ')}" for bit in Quality if bit
)

Key = tuple[str, tuple[str, ...]]
"""A stream: a source with one set of channels."""


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Successive samples of one stream."""

    index: Times
    """Sample numbers since the start of the run, shape (n,)."""
    times: Times
    """Nanoseconds since the start of the run, shape (n,)."""
    raw: Floats
    """Shape (n, c)."""
    si: Floats
    """Shape (n, c); NaN where the quality says that there is no usable value."""
    quality: Flags
    """Shape (n, c)."""

    def part(self, which: slice | NDArray[np.bool_]) -> Piece:
        """Some of its samples."""
        return Piece(self.index[which], self.times[which], self.raw[which], self.si[which], self.quality[which])


def pieces(run: RunFile, start: int | None = None, end: int | None = None) -> Iterator[tuple[Key, Piece]]:
    """All samples of a run, stream by stream interleaved as they were recorded.

    With ``start`` and ``end`` (nanoseconds since the start of the run) only those from there, and before there.
    """
    for key, piece in _pieces(run, start, end):
        inside = slice(
            0 if start is None else int(np.searchsorted(piece.times, start)),
            len(piece.times) if end is None else int(np.searchsorted(piece.times, end)),
        )
        if inside.start < inside.stop:
            yield key, piece.part(inside)


def _pieces(run: RunFile, start: int | None, end: int | None) -> Iterator[tuple[Key, Piece]]:
    known, zero = channels(run), run.header.started_ns
    waiting: dict[Key, list[Block]] = {}
    following: dict[Key, int] = {}
    for block in run.blocks(None if start is None else zero + start, None if end is None else zero + end):
        key = (block.source, block.channels)
        group = waiting.setdefault(key, [])
        group.append(_after_gap(block) if block.first > following.get(key, block.first) else block)
        following[key] = block.first + len(block)
        if sum(map(len, group)) >= PIECE:
            yield key, _piece(run, group, known)
            group.clear()
    for key, group in waiting.items():
        if group:
            yield key, _piece(run, group, known)


class _Channels(dict[str, Channel]):
    """The header's channels by name, and a stand-in for one that it does not know: raw values as they are."""

    def __missing__(self, name: str) -> Channel:
        label = "raw values of a channel that the header does not know"
        return Channel(name, units.unit(""), "", -np.inf, np.inf, Calibration((0.0, 1.0)), label=label)


def channels(run: RunFile) -> Mapping[str, Channel]:
    """The run's channels by name; any name has one."""
    return _Channels((channel.name, channel) for channel in run.header.channels)


def file_name(text: str, joint: str = "-") -> str:
    """A text with nothing in it that a file system objects to; with the joint ``_`` also nothing that NeXus does."""
    return re.sub(rf"[^A-Za-z0-9_{joint}]+", joint, text).strip(joint) or "unnamed"


class Names:
    """Names that differ, whatever they are asked for, and also where capitals do not count."""

    def __init__(self, *taken: str, joint: str = "-") -> None:
        self._joint = joint
        self._used = {name.casefold() for name in taken}

    def take(self, wanted: str) -> str:
        """The wanted name without special characters, numbered where it is taken."""
        plain = file_name(wanted, self._joint)
        number, chosen = 2, plain
        while chosen.casefold() in self._used:
            number, chosen = number + 1, f"{plain}{self._joint}{number}"
        self._used.add(chosen.casefold())
        return chosen


def si_symbol(unit: units.Unit) -> str:
    """The symbol of the SI unit of a unit's dimension."""
    named = {"surface tension": "N/m", "ratio": "1"}
    of_kind = (one.symbol for one in units.UNITS.values() if one.dimension == unit.dimension and one.factor == 1.0)
    return named.get(unit.dimension) or next((symbol for symbol in of_kind if symbol), unit.dimension)


class WallClock:
    """UTC at a time of the run's clock, by the last pair that was recorded before it."""

    def __init__(self, pairs: tuple[tuple[int, str], ...]) -> None:
        self._times = [time for time, _ in pairs]
        self._utc = [datetime.fromisoformat(utc) for _, utc in pairs]

    def at(self, time: int) -> str:
        """ISO 8601 with milliseconds."""
        at = max(0, int(np.searchsorted(self._times, time, side="right")) - 1)
        moment = self._utc[at] + timedelta(microseconds=(time - self._times[at]) // 1000)
        return moment.isoformat(timespec="milliseconds")


def _piece(run: RunFile, group: list[Block], known: Mapping[str, Channel]) -> Piece:
    whole = Block(
        group[0].source,
        group[0].channels,
        group[0].first,
        np.concatenate([block.times for block in group]),
        np.concatenate([block.values for block in group]),
        np.concatenate([block.quality for block in group]),
    )
    index = np.concatenate([block.first + np.arange(len(block), dtype=np.int64) for block in group])
    return Piece(index, whole.times - run.header.started_ns, whole.values, calibrated(whole, known), whole.quality)


def _after_gap(block: Block) -> Block:
    quality = block.quality.copy()
    quality[0] |= np.uint8(Quality.AFTER_GAP)
    return Block(block.source, block.channels, block.first, block.times, block.values, quality)
