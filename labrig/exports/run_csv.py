"""A run as CSV files: one table for each stream of samples, the events, the results, the tables of the analyses."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Protocol

from labrig.exports.cells import comment, numbers, safe
from labrig.exports.facts import Shown, event_row, facts, shown
from labrig.exports.files import TextFile
from labrig.exports.streams import QUALITY_WORDS, Key, Names, Piece, WallClock, channels, pieces, si_symbol
from labrig.model import Channel
from labrig.recording import RunFile

Cell = str | int | float | None


class _Rows(Protocol):
    def writerow(self, row: Iterable[Cell], /) -> object: ...
    def writerows(self, rows: Iterable[Iterable[Cell]], /) -> object: ...


EVENT_COLUMNS: Final = ("time_s", "utc", "kind", "subject", "text", "value", "start_s", "end_s", "detail")
RESULT_COLUMNS: Final = (
    *("analysis", "version", "filed_utc", "validity", "reasons", "name", "symbol", "value", "U", "unit"),
    *("coverage_factor", "dof", "value_si", "u_si", "definition"),
)
BUDGET_COLUMNS: Final = (
    *("analysis", "version", "result", "source", "estimate", "u", "unit", "contribution_si", "dof"),
)


def write_csv(run: RunFile, folder: Path) -> list[Path]:
    """Write all tables of a run into a folder; returns their paths. Each is read back and compared."""
    tables = Tables(run, folder)
    tables.streams()
    tables.events()
    if run.analyses:
        tables.results()
        tables.budget()
        tables.analysis_tables()
    return tables.written


class Tables:
    """The tables of one run in one folder."""

    def __init__(self, run: RunFile, folder: Path) -> None:
        self.written: list[Path] = []
        self._run, self._folder = run, folder
        self._facts = facts(run)
        self._names = Names("events", "results", "budget")

    def streams(self) -> None:
        """One table for each stream: ``index``, ``time_s``, each channel in its unit, each channel's quality."""
        known = channels(self._run)
        with ExitStack() as files:
            tables: dict[Key, _Rows] = {}
            for key, piece in pieces(self._run):
                source, names = key
                shown_channels = [known[name] for name in names]
                if key not in tables:
                    tables[key] = self._stream_table(files, source, shown_channels)
                tables[key].writerows(_sample_rows(piece, shown_channels))

    def events(self) -> None:
        """One row an event."""
        wall, start = WallClock(self._run.clock_pairs), self._run.header.started_ns
        with ExitStack() as files:
            table = self._table(files, "events", EVENT_COLUMNS, {"value": "SI units; a valve's 1 is open"})
            for event in self._run.events:
                one = event_row(event)
                moments = [None if time is None else (time - start) / 1e9 for time in (one.start, one.end)]
                text = (safe(one.kind), safe(one.subject), safe(one.text))
                table.writerow(
                    ((event.time - start) / 1e9, wall.at(event.time), *text, one.value, *moments, one.detail)
                )

    def results(self) -> None:
        """One row a result, of each version of each analysis."""
        with ExitStack() as files:
            table = self._table(files, "results", RESULT_COLUMNS, {"U": "expanded uncertainty, 95 % coverage"})
            for filed in self._run.analyses:
                done = filed.analysis
                head = (
                    safe(done.name),
                    safe(done.version),
                    filed.utc,
                    done.validity.value,
                    safe("; ".join(done.reasons)),
                )
                for result in done.results:
                    one: Shown = shown(result)
                    definition = json.dumps(dict(result.definition), ensure_ascii=False)
                    row = (safe(result.name), safe(result.symbol), *numbered(one.value, one.expanded), one.unit)
                    si = numbered(result.coverage_factor, result.dof, result.value, result.u)
                    table.writerow((*head, *row, *si, safe(definition)))

    def budget(self) -> None:
        """One row a contribution to a result's uncertainty."""
        with ExitStack() as files:
            table = self._table(files, "budget", BUDGET_COLUMNS, {})
            for filed in self._run.analyses:
                for result in filed.analysis.results:
                    for line in result.budget:
                        words = (filed.analysis.name, filed.analysis.version, result.name, line.source)
                        row = (*map(safe, words), *numbered(line.estimate, line.u), safe(line.unit))
                        table.writerow((*row, *numbered(line.contribution, line.dof)))

    def analysis_tables(self) -> None:
        """The tables that analyses made, all versions of one beneath each other."""
        found: dict[tuple[str, str], list[Mapping[str, float | str]]] = {}
        for filed in self._run.analyses:
            for title, rows in filed.analysis.tables.items():
                lines = found.setdefault((filed.analysis.name, title), [])
                lines += [{"version": filed.analysis.version, **row} for row in rows]
        for (analysis, title), rows in found.items():
            columns = list(dict.fromkeys(key for row in rows for key in row))
            with ExitStack() as files:
                name = self._names.take(f"{analysis}-{title}")
                table = self._table(files, name, [safe(one) for one in columns], {"numbers": "SI units"})
                for row in rows:
                    cells = [row.get(column) for column in columns]
                    table.writerow([safe(cell) if isinstance(cell, str) else number(cell) for cell in cells])

    def _stream_table(self, files: ExitStack, source: str, shown_channels: Sequence[Channel]) -> _Rows:
        about = {"source": source}
        about["index"] = "number of the sample since the start; a jump shows lost samples"
        about["quality"] = f"sum of: {QUALITY_WORDS}"
        for channel in shown_channels:
            about[f"channel {channel.name}"] = _described(channel)
        columns = ["index", "time_s", *(f"{one.name} [{one.unit.symbol}]" for one in shown_channels)]
        columns += [f"{one.name} quality" for one in shown_channels]
        return self._table(files, self._names.take(source), [safe(column) for column in columns], about)

    def _table(self, files: ExitStack, name: str, columns: Sequence[str], about: Mapping[str, str]) -> _Rows:
        path = self._folder / f"{self._run.path.stem}.{name}.csv"
        file = files.enter_context(TextFile(path))
        self.written.append(path)
        for key, value in {**self._facts, **about}.items():
            file.write(comment(key, value))
        table = csv.writer(file, lineterminator="\n")
        table.writerow(columns)
        return table


def number(value: float | None) -> float | None:
    """A number, or None and so an empty cell where there is none."""
    return None if value is None or math.isnan(value) else value


def numbered(*values: float) -> list[float | None]:
    """The same for several."""
    return [number(value) for value in values]


def _sample_rows(piece: Piece, shown_channels: Sequence[Channel]) -> Iterable[Iterable[Cell]]:
    values = [
        numbers((piece.si[:, column] - one.unit.offset) / one.unit.factor) for column, one in enumerate(shown_channels)
    ]
    quality = [piece.quality[:, column].tolist() for column in range(len(shown_channels))]
    return zip(piece.index.tolist(), (piece.times / 1e9).tolist(), *values, *quality, strict=True)


def _described(channel: Channel) -> str:
    terms = " + ".join(f"{c!r} raw^{power}" for power, c in enumerate(channel.calibration.coefficients))
    certificate = f", certificate {channel.calibration.certificate}" if channel.calibration.certificate else ""
    symbol = si_symbol(channel.unit)
    title = channel.label or channel.name
    wired = f", wired to {channel.address}" if channel.address else ""
    return f"{title}; SI value ({symbol}) = {terms} with raw in {channel.raw_unit}{certificate}{wired}"
