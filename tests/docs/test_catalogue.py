"""The page on the catalogue does what it says: its programs run, its columns and tables are those of the code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from labrig.catalogue import CouponEntry, Filter, LotEntry, open_catalogue
from labrig.catalogue.importing import read_coupons
from labrig.catalogue.tables import WORDS, Base
from labrig.model import Coupon
from tests.catalogue.lab import record
from tests.docs.pages import blocks, rows, text

PAGE = "docs/catalogue.md"


def test_the_programs_run_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    lab = open_catalogue(tmp_path / "data")
    lab.store.enter([LotEntry(name="L-4", family="PSU")], by="Ada")
    for number, value in enumerate((3.9, 4.1)):
        lab.store.file_run(record(tmp_path / "data", number, Coupon(f"C-{number}", lot="L-4"), value=value))
    names: dict[str, Any] = {}

    for program in blocks(PAGE, "python"):
        exec(compile(program, PAGE, "exec", dont_inherit=True), names)

    said = capsys.readouterr().out
    assert "± 0.02" in said
    assert list(names["table"]["coupon"]) == ["C-1", "C-0"]
    assert [row.id for row in lab.coupons(Filter(text="c-18"))] == ["C-18"]


def test_the_page_has_every_column_of_an_import() -> None:
    listed = {key for row in rows(PAGE, "Coupons from a table") for key in row.keys}

    assert listed == set(CouponEntry.model_fields)


def test_the_page_has_every_table() -> None:
    section = text(PAGE).partition("## The tables")[2].partition("\n## ")[0]
    first = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    listed = {name for cell in first for name in re.findall(r"`(\w+)`", cell)}

    assert listed == {*Base.metadata.tables, WORDS}


def test_a_faulty_line_is_told_as_the_page_shows_it(tmp_path: Path) -> None:
    shown = text(PAGE).partition("Every line that cannot be is named:\n\n```\n")[2].partition("```")[0]
    path = tmp_path / "coupons.csv"
    path.write_text("id,thickness [µm]\nC-1,101 / 99\nC-2,abc\n", encoding="utf-8")

    (fault,) = read_coupons(path).faults

    assert f"labrig: coupons.csv: {fault}" == shown.splitlines()[0]
