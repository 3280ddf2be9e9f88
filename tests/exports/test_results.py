"""The results of many runs in one table."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from labrig.exports import ExportFailed, export_results, rows_of
from labrig.model import Coupon
from tests.exports.runs import RESULT, recorded


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    return [recorded(tmp_path / name) for name in ("a", "b")]


def test_there_is_a_row_for_each_result_of_the_newest_version(runs: list[Path], tmp_path: Path) -> None:
    made = export_results(rows_of(runs), tmp_path / "lot.csv", {"runs": "2"})

    table = pd.read_csv(made, comment="#", encoding="utf-8-sig")
    assert len(table) == 4
    assert set(table["version"].astype(str)) == {"1.1"}
    first = table.iloc[0]
    assert (first["coupon"], first["lot"], first["symbol"], first["unit"]) == ("C-17", "L-4", "L_p", "cm/min/psi")
    assert (first["validity"], first["simulated"], first["outcome"]) == ("indicative", "yes", "completed")
    assert first["value_si"] == RESULT.value
    assert first["U"] / first["value"] == pytest.approx(RESULT.U / RESULT.value, rel=1e-12)
    assert "reference temperature" in first["definition"]


@pytest.mark.parametrize("ending", [".csv", ".xlsx", ".parquet"])
def test_the_ending_says_the_format(runs: list[Path], tmp_path: Path, ending: str) -> None:
    made = export_results(rows_of(runs), tmp_path / f"lot{ending}", {})

    if ending == ".xlsx":
        book = openpyxl.load_workbook(made, read_only=True)
        (head, first, *_) = book["results"].iter_rows(values_only=True)
        book.close()
        value = dict(zip(head, first, strict=True))["value_si"]
    else:
        read = pd.read_parquet(made) if ending == ".parquet" else pd.read_csv(made, comment="#", encoding="utf-8-sig")
        value = read["value_si"][0]
    assert value == pytest.approx(RESULT.value, rel=1e-15)
    assert sorted(tmp_path.iterdir()) == sorted([tmp_path / "a", tmp_path / "b", made])


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportFailed, match=r"the ending says the format: \.csv, \.xlsx and \.parquet"):
        export_results([], tmp_path / "lot.ods", {})


def test_a_coupons_lot_is_the_one_that_is_known_now(runs: list[Path]) -> None:
    rows = rows_of(runs[:1], lambda coupon: Coupon(coupon.id, lot="L-5"))

    assert rows[0][3] == "L-5"
