"""A run as CSV files: one table for each stream of samples, the events, the results, the tables of the analyses."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from labrig.exports.cells import comment, numbers, safe
from labrig.exports.facts import about_samples, facts
from labrig.exports.files import TextFile
from labrig.exports.streams import Key, Names, channels
from labrig.exports.stretch import Rows, Stretch, columns, sample_rows
from labrig.exports.tables import Cell, Table, missing, tables
from labrig.recording import RunFile


class _Rows(Protocol):
    def writerow(self, row: Iterable[Cell], /) -> object: ...
    def writerows(self, rows: Iterable[Iterable[Cell]], /) -> object: ...


def write_csv(run: RunFile, folder: Path, stem: str, stretch: Stretch) -> list[Path]:
    """Write all tables of a run into a folder; returns their paths. Each is read back and compared."""
    names, known = Names("events", "results", "budget"), facts(run)
    written = _samples(run, folder, stem, stretch, names)
    for table in tables(run, names):
        written.append(write_table(table, folder / f"{stem}.{table.name}.csv", known))
    return written


def write_table(table: Table, path: Path, about: Mapping[str, str]) -> Path:
    """A table with its heading lines; texts are made harmless, a number that is none is an empty cell."""
    with ExitStack() as files:
        rows = _opened(files, path, [safe(column) for column in table.columns], {**about, **table.notes})
        for row in table.rows:
            rows.writerow([safe(cell) if isinstance(cell, str) else None if missing(cell) else cell for cell in row])
    return path


def _samples(run: RunFile, folder: Path, stem: str, stretch: Stretch, names: Names) -> list[Path]:
    """One table for each stream, with the columns of `stretch.columns`."""
    known, written = channels(run), dict[Key, Path]()
    with ExitStack() as files:
        opened: dict[Key, _Rows] = {}
        for key, rows in sample_rows(run, known, stretch):
            if key not in opened:
                source, its = key[0], [known[name] for name in key[1]]
                written[key] = folder / f"{stem}.{names.take(source)}.csv"
                heads = [safe(column.name) for column in columns(its, stretch)]
                about = {**facts(run), **about_samples(source, its, stretch)}
                opened[key] = _opened(files, written[key], heads, about)
            opened[key].writerows(_cells(rows))
    return list(written.values())


def _opened(files: ExitStack, path: Path, heads: Sequence[str], about: Mapping[str, str]) -> _Rows:
    file = files.enter_context(TextFile(path))
    for key, value in about.items():
        file.write(comment(key, value))
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(heads)
    return rows


def _cells(rows: Rows) -> Iterable[Iterable[Cell]]:
    return zip(*(numbers(array) for array in rows.arrays), strict=True)
