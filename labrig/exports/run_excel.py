"""A run as an Excel workbook: about, results, budget, tables of the analyses, events, one sheet of samples a stream."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from labrig.errors import RecordingError
from labrig.exports.facts import about_samples, facts
from labrig.exports.streams import Key, Names, channels
from labrig.exports.stretch import Stretch, columns, sample_rows
from labrig.exports.tables import Table, tables
from labrig.exports.workbook import ROWS, Book, Sheet, TooLong, saved
from labrig.recording import RunFile

FIRST: Final = ("results", "budget")
"""What people look for stands before the rest."""


def write_excel(run: RunFile, folder: Path, stem: str, stretch: Stretch) -> Path:
    """Write a run into one workbook in a folder; returns its path. Every cell is read back and compared.

    Raises `RecordingError` for a stream of samples that is too long for a sheet.
    """
    path, names = folder / f"{stem}.xlsx", Names("about", "events", "results", "budget")
    try:
        _check_length(run, stretch)
        with saved(path) as book:
            about = book.sheet("about")
            about.row(("what", "value"), bold=True)
            for pair in {**facts(run), **stretch.words}.items():
                about.row(pair)
            found = list(tables(run, names))
            for table in sorted(found, key=lambda one: (one.name == "events", one.name not in FIRST)):
                _write(book.sheet(table.name), table)
            _samples(run, book, about, names, stretch)
    except TooLong as error:
        raise RecordingError(_advised(run, stretch, error.sheet)) from None
    return path


def _samples(run: RunFile, book: Book, about: Sheet, names: Names, stretch: Stretch) -> None:
    """Each sheet is written from top to bottom, and several of them at once."""
    known, sheets = channels(run), dict[Key, Sheet]()
    for key, rows in sample_rows(run, known, stretch):
        if key not in sheets:
            its = [known[name] for name in key[1]]
            sheets[key] = book.sheet(names.take(key[0]))
            sheets[key].row([column.name for column in columns(its, stretch)], bold=True)
            for note, words in about_samples(key[0], its, stretch).items():
                about.row((f"{sheets[key].name}: {note}", words))
        for cells in zip(*(array.tolist() for array in rows.arrays), strict=True):
            sheets[key].row(cells)


def write_table(table: Table, path: Path, about: Mapping[str, str]) -> Path:
    """One table as a workbook of its own, with a sheet of what it is."""
    with saved(path) as book:
        _write(book.sheet(table.name), table)
        sheet = book.sheet("about")
        sheet.row(("what", "value"), bold=True)
        for pair in {**about, **table.notes}.items():
            sheet.row(pair)
    return path


def _write(sheet: Sheet, table: Table) -> None:
    sheet.row(table.columns, bold=True)
    for row in table.rows:
        sheet.row(row)


def _check_length(run: RunFile, stretch: Stretch) -> None:
    """Refuse at once what would fail after minutes; a part of a run is counted while it is written."""
    if stretch.whole:
        for source, totals in run.totals.items():
            if totals.samples >= ROWS:
                raise TooLong(source)


def _advised(run: RunFile, stretch: Stretch, source: str) -> str:
    """What to do where a sheet cannot hold a stream."""
    last = run.end.time - run.header.started_ns if run.end else run.clock_pairs[-1][0] - run.header.started_ns
    seconds = min(last / 1e9, math.inf if stretch.end is None else stretch.end) - (stretch.start or 0.0)
    fits = max(0.1, math.ceil(10 * seconds / (ROWS - 1)) / 10)
    return (
        f"{source} has more samples than the {ROWS - 1} rows that a sheet of Excel holds below its heading. Thin them "
        f"with --every '{fits:g} s', take a stretch with --from and --to, or export CSV, HDF5 or Parquet"
    )
