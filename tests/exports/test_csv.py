"""CSV files of a run: every number exactly, and no text that a spreadsheet would run."""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig.exports import export
from labrig.exports.cells import comment, plain, safe
from labrig.model import Quality
from labrig.recording import RunFile
from tests.exports.runs import FORMULAS, recorded


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("csv")
    export(recorded(target), target, ["csv"])
    return target


def table(path: Path) -> list[dict[str, str]]:
    """The reader of docs/exports.md."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def comments(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    return dict((line[2:].split(": ", 1)) for line in lines if line.startswith("# "))


def test_there_is_a_file_for_each_stream_and_each_kind_of_record(folder: Path) -> None:
    names = {path.name.removeprefix("run-1.") for path in folder.iterdir()}

    streams = {"daq.csv", "balance.csv"}
    assert names == streams | {"labrig", "events.csv", "results.csv", "budget.csv", "water-plateaus.csv", "sha256"}


def test_values_are_calibrated_and_in_the_unit_that_the_column_names(folder: Path) -> None:
    rows = table(folder / "run-1.daq.csv")

    index = [int(row["index"]) for row in rows]
    assert index == [*range(30), *range(50, 75)]
    psi, kilopascal = 6894.757293168361, 1000.0
    for row, at in zip(rows[:30], index, strict=False):
        volts, amperes = at * 0.5 + 0.25, -at / 3.0
        assert float(row["time_s"]) == at / 1000
        assert float(row["feed [psi]"]) == pytest.approx((100.0 + 68_947.0 * volts) / psi, rel=1e-14)
        si = -250_000.0 + 62.5e6 * amperes + 3.0 * amperes**2
        assert float(row["back [kPa]"]) == pytest.approx(si / kilopascal, rel=1e-14)


def test_every_number_reads_back_to_the_same_bits(folder: Path) -> None:
    rows = table(folder / "run-1.daq.csv")
    with RunFile(folder / "run-1.labrig") as run:
        unit = run.header.channels[0].unit
        series = run.series("feed")

    read = np.array([float(row["feed [psi]"] or "nan") for row in rows])
    assert np.array_equal(read, (series.values - unit.offset) / unit.factor, equal_nan=True)
    assert np.array_equal(np.array([float(row["time_s"]) for row in rows]), series.times / 1e9)


def test_a_missing_value_is_an_empty_cell_and_its_quality_says_why(folder: Path) -> None:
    rows = {int(row["index"]): row for row in table(folder / "run-1.daq.csv")}

    assert rows[71]["feed [psi]"] == ""
    assert rows[71]["feed quality"] == str(int(Quality.MISSING))
    assert rows[72]["back [kPa]"] == ""
    assert rows[72]["back quality"] == str(Quality.OPEN_LOOP | Quality.BELOW)
    assert rows[50]["feed quality"] == str(int(Quality.AFTER_GAP))
    assert rows[10]["feed quality"] == "0"


def test_the_header_says_what_the_run_was(folder: Path) -> None:
    known = comments(folder / "run-1.daq.csv")

    assert known["coupon"] == "C-17"
    assert known["started_utc"] == "2026-03-01T08:30:00.250000+00:00"
    assert known["outcome"] == "completed"
    assert known["simulated"] == "yes"
    assert known["parameter pressures"] == "10 psi, 20 psi"
    assert known["channel feed"].startswith("Feed pressure; SI value (Pa) = 100.0 raw^0 + 68947.0 raw^1 with raw in V")
    assert known["quality"].startswith("sum of: 0 good, 1 missing, 2 below, 4 above, 8 open loop")


def test_events_are_rows_with_time_and_text(folder: Path) -> None:
    rows = table(folder / "run-1.events.csv")

    commanded = next(row for row in rows if row["subject"] == "regulator")
    assert (commanded["kind"], commanded["text"], commanded["value"]) == ("commanded", "set", "68947.57")
    assert commanded["utc"] == "2026-03-01T08:30:00.257+00:00"
    marked = next(row for row in rows if row["kind"] == "marked")
    assert (marked["subject"], marked["start_s"], marked["end_s"]) == ("plateau", "0.02", "0.039")
    assert plain(next(row for row in rows if row["subject"] == "'=daq")["text"]) == "C:\\temp \x1b[31m"


def test_results_are_shown_in_their_unit_and_in_si(folder: Path) -> None:
    rows = table(folder / "run-1.results.csv")

    assert [row["version"] for row in rows] == ["1.0", "1.0", "1.1", "1.1"]
    first, odd = rows[:2]
    factor = 0.01 / 60 / 6894.757293168361
    assert float(first["value"]) == pytest.approx(2.0e-9 / factor, rel=1e-14)
    assert float(first["U"]) == pytest.approx(1.96 * 3.0e-11 / factor, rel=1e-14)
    assert (first["unit"], first["validity"], first["dof"]) == ("cm/min/psi", "indicative", "inf")
    assert first["definition"] == '{"reference temperature": "25 \u00b0C"}'
    assert (odd["value"], odd["unit"], odd["value_si"]) == ("", "SI", "")


def test_the_budget_and_the_tables_of_an_analysis_are_there(folder: Path) -> None:
    budget = table(folder / "run-1.budget.csv")
    plateaus = table(folder / "run-1.water-plateaus.csv")

    assert [row["source"] for row in budget[:2]] == ["balance", "'=area"]
    assert float(budget[0]["contribution_si"]) == 2e-11
    assert [row["version"] for row in plateaus] == ["1.0", "1.0", "1.1", "1.1"]
    assert plateaus[0]["mean"] == ""
    assert plateaus[1]["'=word"] == "'=1"


@pytest.mark.fault("SEC-03")
def test_no_cell_of_any_file_is_a_formula(folder: Path) -> None:
    """Split as a spreadsheet splits, comment lines too, at commas and at semicolons."""
    number = re.compile(r"[-+]?([0-9.]+(e[-+]?[0-9]+)?|inf)")
    for path in folder.glob("*.csv"):
        for delimiter in ",;":
            with path.open(encoding="utf-8-sig", newline="") as file:
                for row in csv.reader(file, delimiter=delimiter):
                    for cell in row:
                        bare = cell.strip(' \t\r\n\u00a0"')
                        if not number.fullmatch(bare) and delimiter == ",":
                            assert not bare.startswith(tuple("=+-@\uff1d\uff0b\uff0d\uff20")), (path.name, row)


@pytest.mark.fault("SEC-03")
@pytest.mark.parametrize("text", FORMULAS[:12])
def test_a_text_that_would_be_a_formula_gets_an_apostrophe(text: str) -> None:
    cell = safe(text)

    assert cell[0] in "'\\"
    assert plain(cell) == text


@pytest.mark.fault("SEC-03")
@given(st.text(st.characters(), max_size=30))
def test_any_text_comes_back_from_its_cell_and_stays_on_its_line(text: str) -> None:
    cell = safe(text)

    assert plain(cell) == text
    assert len(cell.splitlines()) <= 1
    assert not cell.lstrip(" \u00a0\ufeff\u3000").startswith(tuple("=+-@\uff1d\uff0b\uff0d\uff20"))


@given(st.text(max_size=40))
def test_a_comment_is_one_line_without_quotation_marks(text: str) -> None:
    line = comment("note", text)

    assert line.startswith("# note: ")
    assert len(line.splitlines()) == 1
    assert '"' not in line


def test_plain_numbers_in_comments_stay_numbers() -> None:
    assert comment("coefficients", "1.5,-2.5,-3e-05") == "# coefficients: 1.5,-2.5,-3e-05\n"
    assert comment("note", "a,-2+3") == "# note: a,'-2+3\n"


def test_numbers_survive_whatever_they_are() -> None:
    from labrig.exports.cells import numbers

    values = np.array([0.1, -0.0, 1e-320, math.inf, math.nan, 1 / 3])

    cells = numbers(values)

    assert cells[4] is None
    read = [float(repr(cell)) if cell is not None else math.nan for cell in cells]
    assert np.array(read).tobytes() == values.tobytes()
