"""Excel workbooks, read by openpyxl: numbers are numbers, and text is text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest

from labrig.clock import VirtualClock
from labrig.exports import ExportFailed, export, workbook
from labrig.exports.cells import one_line
from labrig.exports.workbook import Sheet, TooLong, saved
from labrig.model import Outcome
from labrig.recording import Recorder, RunFile
from tests.exports.runs import FORMULAS, recorded
from tests.recording.runs import block, header

Rows = list[tuple[Any, ...]]
"""Any: what openpyxl makes of a cell."""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("excel")
    return next(made for made in export(recorded(target), target, ["excel"]) if made.suffix == ".xlsx")


def rows(path: Path, sheet: str) -> Rows:
    book = openpyxl.load_workbook(path, read_only=True)
    try:
        return [tuple(row) for row in book[sheet].iter_rows(values_only=True)]
    finally:
        book.close()


def test_what_people_look_for_stands_first(path: Path) -> None:
    book = openpyxl.load_workbook(path, read_only=True)
    names = book.sheetnames
    book.close()

    assert names == ["about", "results", "budget", "water-plateaus", "events", "daq", "balance"]
    about: dict[str, str] = dict(rows(path, "about"))
    assert about["coupon"] == "C-17"
    assert about["daq: channel feed"].startswith("Feed pressure; SI value (Pa) = ")


def test_samples_are_those_of_the_run_to_sixteen_digits(path: Path) -> None:
    head, *found = rows(path, "daq")
    with RunFile(path.with_suffix(".labrig")) as run:
        series, psi = run.series("feed"), run.header.channels[0].unit.factor

    assert head == ("index", "time_s", "feed [psi]", "back [kPa]", "feed quality", "back quality")
    read = [float("nan") if row[2] is None else row[2] for row in found]
    assert read == pytest.approx((series.values / psi).tolist(), rel=1e-15, nan_ok=True)
    assert [row[0] for row in found] == [*range(30), *range(50, 75)]


def test_results_have_numbers_and_words(path: Path) -> None:
    head, first, odd, *_ = rows(path, "results")
    result, strange = (dict(zip(head, row, strict=True)) for row in (first, odd))

    assert result["value_si"] == pytest.approx(2.0e-9, rel=1e-15)
    assert (result["unit"], result["dof"], result["validity"]) == ("cm/min/psi", "inf", "indicative")
    assert strange["value"] is None


@pytest.mark.fault("SEC-03")
def test_no_text_is_a_formula(path: Path) -> None:
    book = openpyxl.load_workbook(path)
    kinds = {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}
    texts = {cell.value for row in book["events"].iter_rows() for cell in row}

    assert "f" not in kinds
    assert {one_line(text) for text in FORMULAS} <= texts


def test_a_stream_that_no_sheet_can_hold_is_refused_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "long.labrig"
    recorder = Recorder(path, header(), clock=VirtualClock(), threaded=False, reserve_bytes=0)
    for first in range(0, 1_100_000, 50_000):
        recorder(block(first, 50_000))
    recorder.close(Outcome.COMPLETED)

    with pytest.raises(ExportFailed, match=r"daq has more samples than the 1048575 rows .* with --every '.*Parquet"):
        export(path, tmp_path / "out", ["excel"])

    assert list((tmp_path / "out").iterdir()) == []


def test_a_sheet_that_becomes_too_long_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "ROWS", 3)

    def fill(sheet: Sheet) -> None:
        for number in range(4):
            sheet.row((float(number),))

    with pytest.raises(TooLong), saved(tmp_path / "book.xlsx") as book:
        fill(book.sheet("samples"))


def test_what_excel_cannot_hold_is_shortened_and_counted(tmp_path: Path) -> None:
    with saved(tmp_path / "book.xlsx") as book:
        for name in ("a" * 40, "A" * 40):
            book.sheet(name).row(("x" * 40_000, "\x07\ud800", 1.0))

    found = openpyxl.load_workbook(tmp_path / "book.xlsx", read_only=True)
    assert [len(name) <= 31 for name in found.sheetnames] == [True, True]
    (text, odd, number), *_ = found.worksheets[0].iter_rows(values_only=True)
    assert len(str(text)) == 32_767
    assert str(text).endswith(" …")
    assert (odd, number) == ("\\u0007\\ud800", 1)
    found.close()
