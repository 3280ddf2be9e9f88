"""A run ordered for a known coupon has its lot, sheet and geometry; a coupon that was used before is told."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from labrig.catalogue import CouponEntry, LotEntry, open_catalogue
from labrig.catalogue.ordering import ordered_specimen
from labrig.config import find_rig, load_rig
from labrig.filing import catalogue_run
from labrig.header import Order
from labrig.methods import load_method
from labrig.model import Condition, Coupon, Edge, Outcome
from labrig.plant import load_membrane
from labrig.rehearsal import rehearse
from labrig.units import um
from tests.catalogue.lab import record


def test_a_known_coupon_brings_lot_sheet_family_and_geometry(tmp_path: Path) -> None:
    known = CouponEntry(id="C-17", lot="L-4", sheet="S-1", barcode="0417", thickness=(101 * um,), edge=Edge.SEALED)
    open_catalogue(tmp_path).store.enter([LotEntry(name="L-4", family="PSU"), known], by="Ada")

    specimen = ordered_specimen(tmp_path, Coupon("0417"))

    coupon = specimen.coupon
    assert (coupon.id, coupon.lot, coupon.sheet, coupon.family) == ("C-17", "L-4", "S-1", "PSU")
    assert coupon.geometry.thickness == pytest.approx((101e-6,))
    assert (specimen.cautions, specimen.refused) == ((), "")
    assert "lot L-4, sheet S-1, PSU, thickness 0.101 mm" in specimen.words


def test_an_unknown_coupon_is_taken_as_ordered_and_entered_when_its_run_is_filed(tmp_path: Path) -> None:
    specimen = ordered_specimen(tmp_path, Coupon("C-9", lot="L-7"))

    assert (specimen.coupon, specimen.refused) == (Coupon("C-9", lot="L-7"), "")
    assert "C-9 is new" in specimen.words
    assert catalogue_run(record(tmp_path, 1, specimen.coupon)) == ""
    row = open_catalogue(tmp_path).coupon("C-9")
    assert row is not None
    assert row.lot == "L-7"


@pytest.mark.fault("SPC-04")
def test_a_coupon_that_an_earlier_run_fouled_is_told_with_that_run(tmp_path: Path) -> None:
    path = record(tmp_path, 1, Coupon("C-17", lot="L-4"), leaves=Condition.FOULED, outcome=Outcome.ABORTED)
    catalogue_run(path)

    specimen = ordered_specimen(tmp_path, Coupon("C-17"))

    (words,) = specimen.cautions
    assert words.startswith("C-17 was fouled by quick-permeability on 2026-03-01")
    assert "aborted; run 00000001" in words
    assert specimen.refused == ""


def test_a_coupon_that_a_person_called_broken_is_told_with_that_person(tmp_path: Path) -> None:
    open_catalogue(tmp_path).store.enter([CouponEntry(id="C-17", condition=Condition.BROKEN)], by="Bo")

    assert ordered_specimen(tmp_path, Coupon("C-17")).cautions == ("C-17 is broken, says Bo",)


def test_another_lot_than_the_coupons_is_refused_in_words(tmp_path: Path) -> None:
    open_catalogue(tmp_path).store.enter([CouponEntry(id="C-17", lot="L-4")], by="Ada")

    assert (
        "C-17 is of lot L-4 in the catalogue, and lot L-5 was ordered"
        in ordered_specimen(tmp_path, Coupon("C-17", lot="L-5")).refused
    )


def test_a_catalogue_that_cannot_be_read_keeps_nobody_from_measuring(tmp_path: Path) -> None:
    (tmp_path / "catalogue.db").write_bytes(b"\0" * 5000)

    specimen = ordered_specimen(tmp_path, Coupon("C-17", lot="L-4"))

    assert (specimen.coupon, specimen.refused) == (Coupon("C-17", lot="L-4"), "")
    assert "the catalogue cannot be read" in specimen.words


def test_the_header_has_what_the_method_makes_of_a_coupon_and_the_edge_of_the_coupon(tmp_path: Path) -> None:
    config, method = load_rig(find_rig("bench-25")), load_method("quick-permeability")
    open_catalogue(tmp_path).store.enter([CouponEntry(id="C-17", edge=Edge.SEALED)], by="Ada")
    order = Order(method.facts, ordered_specimen(tmp_path, Coupon("C-17")).coupon, "Ada")

    header = rehearse(method.protocol, order, config, load_membrane("example-v"), seed=0).run.header

    assert (header.leaves, header.mounting.edge) == (Condition.WETTED, "sealed")


@pytest.mark.parametrize("known", [True, False])
def test_the_server_asks_a_child(tmp_path: Path, *, known: bool) -> None:
    if known:
        open_catalogue(tmp_path).store.enter([CouponEntry(id="C-17", lot="L-4", thickness=(101 * um,))], by="Ada")
    request = {"what": "coupon", "data": str(tmp_path), "coupon": "C-17", "lot": ""}

    done = subprocess.run(
        [sys.executable, "-m", "labrig.describing"],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=True,
    )

    coupon = json.loads(done.stdout)["answer"]["coupon"]
    assert (coupon["id"], coupon["lot"]) == ("C-17", "L-4" if known else "")
    assert coupon["geometry"]["thickness"] == ([pytest.approx(101e-6)] if known else [])


def test_the_filing_child_brings_a_run_into_the_catalogue_even_where_it_cannot_be_analysed(tmp_path: Path) -> None:
    path = record(tmp_path, 1, Coupon("C-17"), value=None)

    done = subprocess.run(
        [sys.executable, "-m", "labrig.filing"], input=json.dumps({"run": str(path)}), capture_output=True, text=True,
        check=True,
    )  # fmt: skip

    assert "a parameter of water-permeability" in json.loads(done.stdout)["error"]
    assert [run.coupon for run in open_catalogue(tmp_path).runs()] == ["C-17"]


def test_a_run_that_cannot_be_catalogued_says_why_and_its_file_is_untouched(tmp_path: Path) -> None:
    path = record(tmp_path, 1, Coupon("C-17"))
    before = path.read_bytes()
    (tmp_path / "catalogue.db").write_bytes(b"\0" * 5000)

    assert "labrig catalogue rebuild" in catalogue_run(path)
    assert path.read_bytes() == before
