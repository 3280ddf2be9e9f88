"""A run's tables beside its samples: one description that CSV, Excel, HDF5 and Parquet files are written from."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from labrig.exports.facts import event_row, shown
from labrig.exports.streams import Names, WallClock
from labrig.model import Measured
from labrig.recording import FiledAnalysis, RunFile

Cell = str | float | None
"""None where there is nothing."""

NUMBERS: Final = frozenset(
    {
        *("time_s", "value", "start_s", "end_s", "U", "coverage_factor", "dof", "value_si", "u_si"),
        *("estimate", "u", "contribution_si"),
    }
)
"""The columns of the fixed tables that hold numbers; the others hold text."""
UNITS: Final = {"time_s": "s", "start_s": "s", "end_s": "s"}

EVENT_COLUMNS: Final = ("time_s", "utc", "kind", "subject", "text", "value", "start_s", "end_s", "detail")
RESULT_COLUMNS: Final = (
    *("analysis", "version", "filed_utc", "validity", "reasons", "name", "symbol", "value", "U", "unit"),
    *("coverage_factor", "dof", "value_si", "u_si", "definition"),
)
BUDGET_COLUMNS: Final = (
    *("analysis", "version", "result", "source", "estimate", "u", "unit", "contribution_si", "dof"),
)


@dataclass(frozen=True, slots=True)
class Table:
    """Some rows with named columns, small enough to be held in memory."""

    name: str
    columns: tuple[str, ...]
    numeric: tuple[bool, ...]
    """Of each column: whether it holds numbers (and nothing else), or text."""
    rows: tuple[tuple[Cell, ...], ...]
    notes: Mapping[str, str] = field(default_factory=dict)
    """What its columns hold, in words, by column or subject."""

    def column(self, at: int) -> list[Cell]:
        return [row[at] for row in self.rows]


def tables(run: RunFile, names: Names) -> Iterator[Table]:
    """Events; then, where a run was analysed, results, budget and the tables of its analyses."""
    yield _events(run)
    filed = run.analyses
    if filed:
        yield _results(filed)
        yield _budget(filed)
        yield from _of_analyses(filed, names)


def fixed(name: str, columns: Sequence[str], rows: Iterable[tuple[Cell, ...]], **notes: str) -> Table:
    """A table whose columns are known beforehand."""
    return Table(name, tuple(columns), tuple(column in NUMBERS for column in columns), tuple(rows), notes)


def result_cells(result: Measured) -> tuple[Cell, ...]:
    """A result in the columns from ``name`` to ``definition``."""
    one = shown(result)
    definition = json.dumps(dict(result.definition), ensure_ascii=False)
    numbers = (result.coverage_factor, result.dof, result.value, result.u)
    return (result.name, result.symbol, one.value, one.expanded, one.unit, *numbers, definition)


def _events(run: RunFile) -> Table:
    wall, start = WallClock(run.clock_pairs), run.header.started_ns
    rows: list[tuple[Cell, ...]] = []
    for event in run.events:
        one = event_row(event)
        moments = [None if time is None else (time - start) / 1e9 for time in (one.start, one.end)]
        when = ((event.time - start) / 1e9, wall.at(event.time))
        rows.append((*when, one.kind, one.subject, one.text, one.value, *moments, one.detail))
    return fixed("events", EVENT_COLUMNS, rows, value="SI units; a valve's 1 is open")


def _results(filed: Sequence[FiledAnalysis]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for one in filed:
        done = one.analysis
        head = (done.name, done.version, one.utc, done.validity.value, "; ".join(done.reasons))
        rows += [(*head, *result_cells(result)) for result in done.results]
    return fixed("results", RESULT_COLUMNS, rows, U="expanded uncertainty, 95 % coverage")


def _budget(filed: Sequence[FiledAnalysis]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for one in filed:
        for result in one.analysis.results:
            head = (one.analysis.name, one.analysis.version, result.name)
            rows += [
                (*head, line.source, line.estimate, line.u, line.unit, line.contribution, line.dof)
                for line in result.budget
            ]
    return fixed("budget", BUDGET_COLUMNS, rows, contribution_si="sensitivity times u, in the result's SI unit")


def _of_analyses(filed: Sequence[FiledAnalysis], names: Names) -> Iterator[Table]:
    """The tables that analyses made, all versions of one beneath each other."""
    found: dict[tuple[str, str], list[Mapping[str, float | str]]] = {}
    for one in filed:
        for title, rows in one.analysis.tables.items():
            lines = found.setdefault((one.analysis.name, title), [])
            lines += [{"version": one.analysis.version, **row} for row in rows]
    for (analysis, title), lines in found.items():
        columns = tuple(dict.fromkeys(key for row in lines for key in row))
        numeric = tuple(not any(isinstance(row.get(column), str) for row in lines) for column in columns)
        cells = tuple(tuple(_cell(row.get(c), n) for c, n in zip(columns, numeric, strict=True)) for row in lines)
        yield Table(names.take(f"{analysis}-{title}"), columns, numeric, cells, {"numbers": "SI units"})


def _cell(value: float | str | None, numeric: bool) -> Cell:
    return value if numeric or value is None else str(value)


def missing(value: Cell) -> bool:
    """Whether a cell holds nothing."""
    return value is None or (isinstance(value, float) and math.isnan(value))
