"""A table from outside is read whole, or refused with every line that is wrong."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig.catalogue.importing import Imported, read_coupons
from labrig.errors import ConfigError
from labrig.model import Direction, Shape

NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9 .+#()_-]{0,20}[A-Za-z0-9]", fullmatch=True)


def read(folder: Path, written: str | bytes) -> Imported:
    path = folder / "coupons.csv"
    path.write_bytes(written.encode() if isinstance(written, str) else written)
    return read_coupons(path)


def test_headings_carry_units_cells_several_readings_and_empty_cells_say_nothing(tmp_path: Path) -> None:
    table = "Id;Lot;Shape;Direction;thickness [µm];width\nC-1;L-4;strip;MD;101 / 99;25 mm / 1 in\n\nC-2;;;;;\n"

    read_ = read(tmp_path, table)

    first, second = read_.coupons
    assert (first.id, first.lot, first.shape, first.direction) == ("C-1", "L-4", Shape.STRIP, Direction.MD)
    assert first.thickness == pytest.approx((101e-6, 99e-6))
    assert first.width == pytest.approx((0.025, 0.0254))
    assert (second.facts, read_.faults) == ({}, ())


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_commas_semicolons_tabs_and_a_byte_order_mark_are_taken(tmp_path: Path, separator: str, mark: str) -> None:
    table = mark + separator.join(("id", "lot", "note")) + "\r\n" + separator.join(("C-1", "L-4", '"a"')) + "\r\n"

    (coupon,) = read(tmp_path, table).coupons

    assert (coupon.id, coupon.lot, coupon.note) == ("C-1", "L-4", "a")


@pytest.mark.fault("INP-04")
def test_every_line_that_cannot_be_is_named(tmp_path: Path) -> None:
    table = "id,lot,thickness\nC-1,L-4,101 µm\n,L-4,\nC-3,L-4,101\nC-4,L-4\n../x,,\nC-1,,\nC-5,L-4,2 psi\n"

    read_ = read(tmp_path, table)

    assert [coupon.id for coupon in read_.coupons] == ["C-1"]
    assert [fault.partition(":")[0] for fault in read_.faults] == [f"line {number}" for number in range(3, 9)]
    assert "expected a value, found nothing" in read_.faults[0]
    assert "a length such as '10 µm'" in read_.faults[1]
    assert "expected 3 cells" in read_.faults[2]
    assert "C-1 stands in line 2 already" in read_.faults[4]


@pytest.mark.fault("INP-04")
@pytest.mark.parametrize(
    ("written", "words"),
    [
        (b"", "a column id"),
        (b"lot,sheet\nL-4,S\n", "a column id"),
        (b"id,lott\nC-1,L\n", "line 1: expected columns out of"),
        (b"id,id\nC-1,C-2\n", "each column once"),
        (b"id,lot [mm]\nC-1,L\n", "a unit only after"),
        ("id\nC-1\n".encode("utf-16"), "a readable UTF-8 text file"),
        (b"id\nC-1\0\n", "NUL bytes"),
        (b'id,note\nC-1,"no end\n', "quotation marks that end"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused_in_words(tmp_path: Path, written: bytes, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        read(tmp_path, written)


@given(st.lists(st.tuples(NAMES, NAMES, st.text(st.characters(exclude_categories=["C"]), max_size=40)), max_size=8))
def test_what_a_spreadsheet_writes_is_read_back(rows: list[tuple[str, str, str]]) -> None:
    rows = list({row[0]: row for row in rows}.values())
    buffer = io.StringIO()
    csv.writer(buffer).writerows([("id", "lot", "note"), *rows])

    with TemporaryDirectory() as folder:
        read_ = read(Path(folder), buffer.getvalue())

    assert read_.faults == ()
    assert [(one.id, one.lot, one.note) for one in read_.coupons] == [(a, b, c.strip()) for a, b, c in rows]


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_in_words(written: bytes) -> None:
    with TemporaryDirectory() as folder:
        try:
            read(Path(folder), written)
        except ConfigError:
            return
