"""What people enter is kept, with who, when, before and after; what cannot be is refused whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from labrig.catalogue import Catalogue, CouponEntry, Filter, How, LotEntry, SheetEntry, attach, check, open_catalogue
from labrig.errors import CatalogueError
from labrig.model import Condition, Shape
from labrig.units import mm, um
from tests.catalogue.lab import rows


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    return open_catalogue(tmp_path)


def test_a_coupon_has_its_lot_its_family_and_the_statistics_of_its_readings(catalogue: Catalogue) -> None:
    lot = LotEntry(name="L-4", family="anisotropic PSU")
    thickness = (100 * um, 102 * um, 104 * um)
    coupon = CouponEntry(
        id="C-17", lot="L-4", sheet="S-1", shape=Shape.DISC, thickness=thickness, diameter=(25 * mm,)
    )  # fmt: skip
    catalogue.store.enter([lot, coupon], by="Ada")

    row = catalogue.coupon("C-17")

    assert row is not None
    assert (row.lot, row.sheet, row.family, row.condition) == ("L-4", "S-1", "anisotropic PSU", Condition.FRESH)
    found = row.geometry.statistics()["thickness"]
    assert [found.n, found.low, found.high] == [3, pytest.approx(100e-6), pytest.approx(104e-6)]
    assert [found.mean, found.sd] == [pytest.approx(102e-6), pytest.approx(2e-6)]
    assert row.geometry.statistics().keys() == {"thickness", "diameter"}


def test_a_change_is_kept_with_who_why_before_and_after(catalogue: Catalogue) -> None:
    catalogue.store.enter([CouponEntry(id="C-17", lot="L-4", note="torn?")], by="Ada")

    catalogue.store.enter([CouponEntry(id="C-17", lot="L-5")], by="Bo", reason="label misread", how=How.EDIT)

    newest, oldest = catalogue.changes("coupon", "C-17")
    assert (newest.by, newest.reason, newest.before, newest.after) == (
        "Bo",
        "label misread",
        {"lot": "L-4"},
        {"lot": "L-5"},
    )
    assert (oldest.by, oldest.before, oldest.after) == ("Ada", None, {"lot": "L-4", "note": "torn?"})
    row = catalogue.coupon("C-17")
    assert row is not None
    assert (row.lot, row.note) == ("L-5", "torn?")


def test_a_lot_that_only_a_mistake_named_goes_with_the_mistake(catalogue: Catalogue) -> None:
    catalogue.store.enter([CouponEntry(id="C-17", lot="L-44", sheet="S-1")], by="Ada")

    catalogue.store.enter([CouponEntry(id="C-17", lot="L-4")], by="Ada")

    assert [(lot.name, lot.sheets, lot.coupons) for lot in catalogue.lots()] == [("L-4", 1, 1)]


def test_coupons_follow_the_family_of_their_lot_unless_they_say_otherwise(catalogue: Catalogue) -> None:
    own = CouponEntry(id="C-2", lot="L-4", family="foam")
    catalogue.store.enter([CouponEntry(id="C-1", lot="L-4"), own], by="Ada")

    catalogue.store.enter([LotEntry(name="L-4", family="PSU")], by="Ada")

    assert {row.id: row.family for row in catalogue.coupons()} == {"C-1": "PSU", "C-2": "foam"}


def test_an_entry_that_changes_nothing_leaves_no_trace(catalogue: Catalogue) -> None:
    catalogue.store.enter([CouponEntry(id="C-17", lot="L-4", thickness=(101 * um,))], by="Ada")
    before = rows(catalogue.store)

    number = catalogue.store.enter([CouponEntry(id="C-17", lot="L-4", thickness=(101 * um,))], by="Bo")

    assert number == 0
    assert rows(catalogue.store) == before


@pytest.mark.parametrize(
    ("entries", "how", "words"),
    [
        ([CouponEntry(id="C-9"), CouponEntry(id="C-17")], How.ADD, "C-17 is in the catalogue already"),
        ([CouponEntry(id="C-17", note="x"), CouponEntry(id="C-9")], How.EDIT, "no coupon C-9"),
        ([CouponEntry(id="C-9", sheet="S-1")], How.ADD, "a sheet is one of a lot"),
        ([CouponEntry(id="C-9", barcode="0417")], How.ADD, "C-17 has the barcode '0417' already"),
        ([CouponEntry(id="C-9", barcode="1"), CouponEntry(id="C-8", barcode="1")], How.ADD, "the barcode '1' already"),
        ([CouponEntry(id="C-9"), CouponEntry(id="C-9")], How.ADD, "comes twice"),
    ],
)
def test_what_cannot_be_is_refused_whole(
    catalogue: Catalogue, entries: list[CouponEntry], how: How, words: str
) -> None:
    catalogue.store.enter([CouponEntry(id="C-17", barcode="0417")], by="Ada")
    before, ledger = rows(catalogue.store), catalogue.store.ledger.path.read_bytes()

    with pytest.raises(CatalogueError, match=words):
        catalogue.store.enter(entries, by="Bo", how=how)

    assert rows(catalogue.store) == before
    assert catalogue.store.ledger.path.read_bytes() == ledger


@pytest.mark.parametrize(
    "said",
    [
        {"id": "../C"},
        {"id": "C-1", "lott": "L-4"},
        {"id": "C-1", "thickness": ["101"]},
        {"id": "C-1", "thickness": ["101 psi"]},
        {"id": "C-1", "thickness": ["-1 µm"]},
        {"id": "C-1", "shape": "square"},
        {"id": "C-1", "note": "a\x1bb"},
    ],
)
def test_a_name_a_key_a_unit_or_a_choice_that_cannot_be_is_refused(said: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CouponEntry.model_validate(said, context={"from_file": True})


def test_a_condition_that_a_person_tells_holds_until_a_later_run(catalogue: Catalogue) -> None:
    catalogue.store.enter([CouponEntry(id="C-17")], by="Ada")

    catalogue.store.enter([CouponEntry(id="C-17", condition=Condition.BROKEN)], by="Bo", reason="fell")

    row = catalogue.coupon("C-17")
    assert row is not None
    assert (row.condition, row.condition_by) == (Condition.BROKEN, "Bo")
    assert catalogue.coupons(Filter(condition=Condition.BROKEN)) == (row,)


def test_an_attachment_is_copied_known_by_its_content_and_missed_when_it_changes(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    catalogue.store.enter([SheetEntry(lot="L-4", name="S-1")], by="Ada")
    photo = tmp_path / "photo of L-4.jpg"
    photo.write_bytes(b"\xff\xd8 skin side")

    attach(catalogue, "lot", "L-4", photo, by="Ada", note="skin side")

    (row,) = catalogue.attachments("lot", "L-4")
    assert (row.name, row.note, row.size) == ("photo of L-4.jpg", "skin side", 12)
    assert (tmp_path / row.path).read_bytes() == photo.read_bytes()
    assert check(tmp_path) == ()
    (tmp_path / row.path).write_bytes(b"another")
    assert "is not what was attached" in check(tmp_path)[0]


def test_nothing_is_attached_to_what_is_not_there(catalogue: Catalogue, tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="no coupon C-9"):
        attach(catalogue, "coupon", "C-9", Path(__file__), by="Ada")

    assert not (tmp_path / "attachments").exists()


def test_the_ledger_is_lines_of_json_that_anybody_reads(catalogue: Catalogue, tmp_path: Path) -> None:
    catalogue.store.enter([CouponEntry(id="C-17", thickness=(101 * um,))], by="Ada")

    (line,) = (tmp_path / "entries.jsonl").read_text(encoding="utf-8").splitlines()

    said = json.loads(line)
    assert (said["entry"], said["by"]) == (1, "Ada")
    assert said["changes"] == [
        {"kind": "coupon", "subject": "C-17", "before": None, "after": {"thickness": ["0.101 mm"]}}
    ]
