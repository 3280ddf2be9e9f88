"""Coupons, runs and results are found by everything that is known of them, the newest first."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from labrig.catalogue import Catalogue, CouponEntry, Filter, LotEntry, open_catalogue
from labrig.errors import CatalogueError
from labrig.model import Condition, Coupon, Outcome, Validity
from labrig.units import cm_per_min_per_psi
from tests.catalogue.lab import BEGIN, record


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """Five coupons of two lots; three of them were run, in the order of their numbers, an hour apart."""
    data = tmp_path_factory.mktemp("lab")
    store = open_catalogue(data).store
    record(data, 1, Coupon("PSU-0001", lot="L-4"), value=3.0)
    record(data, 2, Coupon("PSU-0002", lot="L-4"), value=4.0, operator="Bo", validity=Validity.INVALID)
    record(data, 3, Coupon("PE-0417", lot="L-5"), value=None, outcome=Outcome.TRIPPED, operator="Bo")
    store.sync()
    coupons = [CouponEntry(id="PE-0001", lot="L-5", barcode="9000017", note="torn corner"), CouponEntry(id="loose")]
    store.enter([LotEntry(name="L-4", family="anisotropic PSU"), *coupons], by="Ada")
    return open_catalogue(data)


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (Filter(lot="L-4"), {"PSU-0001", "PSU-0002"}),
        (Filter(family="anisotropic PSU"), {"PSU-0001", "PSU-0002"}),
        (Filter(condition=Condition.FRESH), {"PE-0001", "loose"}),
        (Filter(text="psu"), {"PSU-0001", "PSU-0002"}),
        (Filter(text="04"), {"PE-0417"}),
        (Filter(text="0001"), {"PSU-0001", "PE-0001"}),
        (Filter(text="corn TOR"), {"PE-0001"}),
        (Filter(text="l-5 pe"), {"PE-0417", "PE-0001"}),
        (Filter(text="pe", lot="L-4"), set()),
        (Filter(text="0001", lot="L-5"), {"PE-0001"}),
        (Filter(text="aniso", condition=Condition.WETTED), {"PSU-0001", "PSU-0002"}),
        (Filter(operator="Bo"), {"PSU-0002", "PE-0417"}),
        (Filter(operator="Bo", lot="L-5"), {"PE-0417"}),
        (Filter(operator="Bo", text="psu"), {"PSU-0002"}),
        (Filter(outcome=Outcome.TRIPPED), {"PE-0417"}),
        (Filter(method="quick-permeability"), {"PSU-0001", "PSU-0002", "PE-0417"}),
        (Filter(since=BEGIN + timedelta(hours=2)), {"PSU-0002", "PE-0417"}),
        (Filter(until=BEGIN + timedelta(hours=2)), {"PSU-0001", "PSU-0002"}),
        (Filter(since=date(2026, 2, 27), until=date(2026, 3, 2)), {"PSU-0001", "PSU-0002", "PE-0417"}),
        (Filter(until=date(2026, 2, 27)), set()),
        (Filter(symbol="p25", low=3.5 * cm_per_min_per_psi), {"PSU-0002"}),
        (Filter(symbol="p25", high=3.5 * cm_per_min_per_psi), {"PSU-0001"}),
        (Filter(validity=Validity.INVALID), {"PSU-0002"}),
        (Filter(symbol="p25", validity=Validity.VALID, operator="Ada"), {"PSU-0001"}),
        (Filter(simulated=False), set()),
    ],
)
def test_all_conditions_hold(catalogue: Catalogue, wanted: Filter, ids: set[str]) -> None:
    assert {row.id for row in catalogue.coupons(wanted)} == ids
    of_runs = {row.coupon for row in catalogue.runs(wanted)}
    assert of_runs == ids - {"PE-0001", "loose"}
    assert {row.coupon for row in catalogue.results(wanted)} == of_runs - {"PE-0417"}


def test_what_a_scanner_types_stands_first(catalogue: Catalogue) -> None:
    assert catalogue.coupons(Filter(text="9000017"))[0].id == "PE-0001"
    assert catalogue.coupons(Filter(text="PSU-0001"))[0].id == "PSU-0001"


def test_the_newest_come_first_up_to_the_limit(catalogue: Catalogue) -> None:
    assert [row.coupon for row in catalogue.runs(limit=2)] == ["PE-0417", "PSU-0002"]
    assert [row.id for row in catalogue.coupons(Filter(method="quick-permeability"), limit=2)] == [
        "PE-0417",
        "PSU-0002",
    ]
    assert len(catalogue.coupons(limit=3)) == 3


def test_a_time_without_a_zone_is_that_of_here(catalogue: Catalogue) -> None:
    here = (BEGIN + timedelta(hours=3)).astimezone().replace(tzinfo=None)

    assert [row.coupon for row in catalogue.runs(Filter(since=here))] == ["PE-0417"]
    assert isinstance(here, datetime)


@pytest.mark.fault("SEC-02")
@pytest.mark.parametrize(
    "text",
    ["'; DROP TABLE coupon; --", '"', '" OR "', "*", "id:PSU", "psu NOT lot", "NEAR(a b)", "%", "()", "\0", "- +"],
)
def test_no_text_is_a_query(catalogue: Catalogue, text: str) -> None:
    assert catalogue.coupons(Filter(text=text)) == ()
    assert catalogue.coupons(Filter(lot=text)) == ()
    assert len(catalogue.coupons()) == 5


def test_a_range_needs_a_symbol() -> None:
    with pytest.raises(CatalogueError, match="needs the symbol"):
        Filter(low=1.0)


def test_names_for_a_choice_are_those_that_occur(catalogue: Catalogue) -> None:
    assert catalogue.names("operator") == ("Ada", "Bo")
    assert catalogue.names("family") == ("anisotropic PSU",)
    with pytest.raises(CatalogueError, match="there are names of"):
        catalogue.names("colour")
