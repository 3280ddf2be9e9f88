"""A run file as data: what analyses, exports and reports read."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from labrig.errors import RecordingError
from labrig.model import Block, Event, Flags, Floats, Outcome, Quality, RunHeader, Series, Span
from labrig.recording import codec, rows
from labrig.recording.memory import known_channel, marked, series_of
from labrig.recording.opening import open_to_read
from labrig.recording.records import End, FiledAnalysis, Totals, Verification
from labrig.recording.table import Row, checked_rows, end_record, one_row, sources
from labrig.recording.verify import verify


class RunFile:
    """One run from its file; implements `labrig.model.RunData`.

    Nothing on the disk is changed. Every row is checked against its CRC as it is read: what is damaged is left out (a
    channel's values become NaN with `Quality.MISSING`; where times are lost the next sample says `AFTER_GAP`) and is
    named in `damage`. All methods raise `RecordingError` for a file that cannot be read. Use it in one thread.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damage: list[str] = []
        """The damaged rows met so far; `verify` looks at all of them."""
        self._connection = open_to_read(path)
        try:
            self.header: RunHeader = self._header()
        except RecordingError:
            self.close()
            raise

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """In the order in which they were recorded."""
        return tuple(codec.event_from_json(kind, text) for _, _, kind, text, _ in self._rows("event"))

    @cached_property
    def end(self) -> End | None:
        """The end record; None where the recording was cut off and not yet recovered."""
        return end_record(self._connection, self._note)

    @property
    def outcome(self) -> Outcome:
        return self.end.outcome if self.end else Outcome.INTERRUPTED

    @property
    def reason(self) -> str:
        return self.end.reason if self.end else "the recording has no end"

    @cached_property
    def totals(self) -> Mapping[str, Totals]:
        """By source."""
        return self.end.totals if self.end else self._index[1]

    @property
    def analyses(self) -> tuple[FiledAnalysis, ...]:
        """Every version of every analysis that was added, oldest first."""
        return tuple(
            FiledAnalysis(number, utc, codec.analysis_from_json(text))
            for number, _, _, utc, text, _ in self._rows("analysis")
        )

    @cached_property
    def clock_pairs(self) -> tuple[tuple[int, str], ...]:
        """Monotonic ns and UTC at the same moment, in order; the first is the header's."""
        return tuple((time, utc) for _, time, utc, _ in self._rows("clock"))

    def spans(self, kind: str) -> tuple[Span, ...]:
        return marked(self.events, kind)

    def series(self, channel: str, span: Span | None = None) -> Series:
        """One channel in SI, the samples at both ends of the span included; reads no other channel's values."""
        known = known_channel(self.header, channel)
        touching = (
            self._block(row, channel)
            for source, places in self._index[0].items()
            if channel in self._sources[source][1]
            for row in self._touching(places, span)
        )
        return series_of(known, touching, span)

    def blocks(self, start: int | None = None, end: int | None = None) -> Iterator[Block]:
        """All rows of samples in the order in which they were written, neighbours merged as `rows.merged` does.

        With ``start`` and ``end`` (monotonic ns) only rows that reach into that time; the others are not read.
        """
        span = Span("", -(2**63) if start is None else start, 2**63 - 1 if end is None else end)
        places = (_inside(all_places, span) for all_places in self._index[0].values())
        for number in sorted(number for some in places for number in some[:, 0].tolist()):
            row = one_row(self._connection, "block", number)
            if row is not None:
                yield self._block(row, None)

    def verify(self) -> Verification:
        """Read and check every row, count and hash, and SQLite's own structure."""
        return verify(self._connection)

    def _header(self) -> RunHeader:
        good = next(checked_rows(self._connection, "header", self._note), None)
        if good is None:
            raise RecordingError(f"{self.path}: the header is damaged, so the samples have no meaning; restore a copy")
        return codec.header_from_json(good[1])

    @cached_property
    def _sources(self) -> dict[int, tuple[str, tuple[str, ...]]]:
        """Name and channels by id; the end record has them too."""
        known = dict(enumerate(self.end.sources, 1)) if self.end else {}
        names = tuple(channel.name for channel in self.header.channels)
        return known | sources(self._connection, self._rows("source"), names)

    @cached_property
    def _index(self) -> tuple[dict[int, NDArray[np.int64]], dict[str, Totals]]:
        """Of each source: id, first and last time of its rows, shape (rows, 3); and its totals.

        Made of all rows of ``block``, each checked: one whose source or times are damaged must not vanish from a
        search unnoticed, as it would if SQLite did the searching.
        """
        found: dict[int, array[int]] = {}
        totals: dict[str, Totals] = {}
        for row in self._rows("block"):
            if row[1] not in self._sources:
                self._note(f"block {row[0]}: of an unknown source")
                continue
            found.setdefault(row[1], array("q")).extend((row[0], row[4], row[5]))
            name = self._sources[row[1]][0]
            totals[name] = totals.get(name, Totals()).plus(row[2], row[3])
        return {source: np.frombuffer(rows, np.int64).reshape(-1, 3) for source, rows in found.items()}, totals

    def _touching(self, places: NDArray[np.int64], span: Span | None) -> Iterator[Row]:
        for number in _inside(places, span)[:, 0].tolist():
            row = one_row(self._connection, "block", number)
            if row is not None:
                yield row

    def _rows(self, table: str) -> Iterator[Row]:
        promised = self.end.rows.get(table, 0) if table not in {"end", "analysis"} and self.end else 0
        return checked_rows(self._connection, table, self._note, promised)

    def _note(self, damaged: str) -> None:
        if damaged not in self.damage:
            self.damage.append(damaged)

    def _block(self, row: Row, only: str | None) -> Block:
        _, source, first, n, start, _, step, packed, samples, _ = row
        name, channels = self._sources[source]
        wanted = channels if only is None else (only,)
        values, quality = np.empty((n, len(wanted))), np.empty((n, len(wanted)), np.uint8)
        for column, channel in enumerate(wanted):
            values[:, column], quality[:, column] = self._column(samples + channels.index(channel), n)
        return Block(name, wanted, first, rows.unpack_times(n, start, step, packed), values, quality)

    def _column(self, number: int, n: int) -> tuple[Floats, Flags]:
        row = one_row(self._connection, "samples", number)
        if row is None:
            self._note(f"samples {number}: damaged")
            return np.full(n, np.nan), np.full(n, Quality.MISSING, np.uint8)
        return rows.unpack_column(n, row[5], row[6])


def _inside(places: NDArray[np.int64], span: Span | None) -> NDArray[np.int64]:
    """The rows of which some time lies within the span."""
    return places if span is None else places[(places[:, 1] <= span.end) & (places[:, 2] >= span.start)]
