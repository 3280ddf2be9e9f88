"""A run is filed once however often it is filed, and makes known what it was run on."""

from __future__ import annotations

from pathlib import Path

import pytest

from labrig.catalogue import Catalogue, CouponEntry, Filter, check, open_catalogue, replicates
from labrig.errors import CatalogueError
from labrig.model import Condition, Coupon, Geometry, Outcome, Validity
from labrig.units import cm_per_min_per_psi, um
from tests.catalogue.lab import analyse, record, rows


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    return open_catalogue(tmp_path)


def test_a_run_makes_its_coupon_lot_operator_and_result_known(catalogue: Catalogue, tmp_path: Path) -> None:
    coupon = Coupon("C-17", lot="L-4", sheet="S-1", geometry=Geometry(thickness=(101 * um,)))

    catalogue.store.file_run(record(tmp_path, 1, coupon, value=3.98))

    (run,) = catalogue.runs()
    assert (run.coupon, run.lot, run.operator, run.method, run.method_version) == (
        *("C-17", "L-4", "Ada", "quick-permeability", "1"),
    )
    assert (run.outcome, run.cell, run.exposed_diameter) == (Outcome.COMPLETED, "cell-47", 0.047)
    (result,) = catalogue.results(Filter(coupon="C-17"))
    assert [result.shown, result.shown_U, result.unit] == [pytest.approx(3.98), pytest.approx(0.02), "cm/min/psi"]
    assert (result.validity, result.reasons, result.dof) == (Validity.VALID, ("because",), float("inf"))
    assert result.budget[0].source == "diameter"
    row = catalogue.coupon("C-17")
    assert row is not None
    assert (row.lot, row.sheet, row.condition, row.condition_by) == ("L-4", "S-1", Condition.WETTED, run.id)
    assert row.geometry.thickness == pytest.approx((101e-6,))


def test_a_run_that_is_filed_twice_changes_nothing(catalogue: Catalogue, tmp_path: Path) -> None:
    path = record(tmp_path, 1, Coupon("C-17", lot="L-4"))
    catalogue.store.file_run(path)
    before = rows(catalogue.store)

    again = catalogue.store.file_run(path)

    assert not again
    assert rows(catalogue.store) == before


def test_both_versions_of_an_analysis_are_kept_and_the_newest_is_shown(catalogue: Catalogue, tmp_path: Path) -> None:
    path = record(tmp_path, 1, Coupon("C-17"), value=4.0)
    catalogue.store.file_run(path)

    analyse(path, 4.1, version="2")
    catalogue.store.file_run(path)

    assert [row.version for row in catalogue.results()] == ["2"]
    both = catalogue.results(every_version=True)
    assert [(row.version, row.newest, round(row.shown, 3)) for row in both] == [("1", False, 4.0), ("2", True, 4.1)]


def test_what_a_person_entered_holds_over_what_a_header_says(catalogue: Catalogue, tmp_path: Path) -> None:
    catalogue.store.enter([CouponEntry(id="C-17", lot="L-4", note="entered")], by="Ada")

    catalogue.store.file_run(record(tmp_path, 1, Coupon("C-17", lot="L-9", sheet="S-2")))

    row = catalogue.coupon("C-17")
    assert row is not None
    assert (row.lot, row.sheet, row.note) == ("L-4", "S-2", "entered")
    assert [lot.name for lot in catalogue.lots()] == ["L-4"]


def test_the_gravest_condition_that_a_run_left_stays(catalogue: Catalogue, tmp_path: Path) -> None:
    for number, leaves in enumerate((Condition.WETTED, Condition.FOULED, Condition.WETTED)):
        catalogue.store.file_run(record(tmp_path, number, Coupon("C-17"), leaves=leaves))

    row = catalogue.coupon("C-17")

    assert row is not None
    assert row.condition is Condition.FOULED
    assert row.condition_by == catalogue.runs()[1].id


def test_a_person_may_correct_what_a_run_is_said_to_have_made_of_a_coupon(catalogue: Catalogue, tmp_path: Path) -> None:
    fresh = CouponEntry(id="C-17", condition=Condition.FRESH)
    catalogue.store.file_run(record(tmp_path, 1, Coupon("C-17"), leaves=Condition.FOULED))
    first = catalogue.store.enter([fresh], by="Ada", reason="that was a blank run")
    again = catalogue.store.enter([fresh], by="Ada")

    row = catalogue.coupon("C-17")
    assert row is not None
    assert (row.condition, row.condition_by) == (Condition.FRESH, "Ada")
    assert (first, again) == (1, 0)
    assert catalogue.changes("coupon", "C-17")[0].before == {"condition": "fouled"}


def test_runs_that_were_not_filed_come_in_with_the_next_look_at_the_folder(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    paths = [record(tmp_path, number, Coupon(f"C-{number}")) for number in range(3)]
    (tmp_path / "runs" / "half.labrig").write_bytes(b"no run file")

    filed = catalogue.store.sync()

    assert filed.changed == tuple(path.name for path in paths)
    assert filed.failed.keys() == {"half.labrig"}
    assert catalogue.store.sync().changed == ()


def test_a_run_that_is_still_being_recorded_is_left_alone(catalogue: Catalogue, tmp_path: Path) -> None:
    path = record(tmp_path, 1, Coupon("C-17"))
    path.with_name(path.name + "-wal").touch()

    assert catalogue.store.sync().changed == ()
    assert "is being recorded, or was cut off" in check(tmp_path)[0]


def test_of_two_copies_of_a_run_the_catalogue_takes_one(catalogue: Catalogue, tmp_path: Path) -> None:
    path = record(tmp_path, 1, Coupon("C-17"))
    copy = path.with_name("a copy.labrig")
    catalogue.store.file_run(path)
    copy.write_bytes(path.read_bytes())

    catalogue.store.sync()
    catalogue.store.file_run(path)

    assert [run.file for run in catalogue.runs()] == ["a copy.labrig" if copy.name < path.name else path.name]


def test_a_run_is_found_by_the_beginning_of_its_id(catalogue: Catalogue, tmp_path: Path) -> None:
    catalogue.store.file_run(record(tmp_path, 0x1A, Coupon("C-1")))
    catalogue.store.file_run(record(tmp_path, 0x1B, Coupon("C-2")))

    assert catalogue.run("0000001b").coupon == "C-2"
    with pytest.raises(CatalogueError, match="several runs begin"):
        catalogue.run("000000")
    with pytest.raises(CatalogueError, match="no run of the catalogue begins"):
        catalogue.run("ff")


def test_replicates_are_those_that_are_valid(catalogue: Catalogue, tmp_path: Path) -> None:
    for number, (value, validity) in enumerate(
        [(3.9, Validity.VALID), (4.1, Validity.VALID), (9.0, Validity.INVALID), (4.0, Validity.VALID)]
    ):
        path = record(tmp_path, number, Coupon(f"C-{number}", lot="L-4"), value=value, validity=validity)
        catalogue.store.file_run(path)

    (found,) = replicates(catalogue.results(Filter(lot="L-4")))

    assert (found.symbol, found.n, found.coupons) == ("p25", 3, 3)
    assert found.mean / cm_per_min_per_psi == pytest.approx(4.0)
    assert found.sd / cm_per_min_per_psi == pytest.approx(0.1)
