"""What the specimen page shows, asked of the catalogue in the background. No Qt; nothing heavy before it is asked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from labrig.model import Condition
from labrig.units import round_significant, unit
from labrig_ui import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labrig.catalogue import CouponRow, Replicates, ResultRow, RunRow

MOST: Final = 200
"""Coupons that are listed; more are found by typing more."""
LENGTH: Final = {"thickness": "µm"}
"""Units of dimensions; all others in mm."""


@dataclass(frozen=True, slots=True)
class Found:
    """Answer to a search."""

    lots: tuple[str, ...]
    coupons: tuple[CouponRow, ...]
    exact: bool
    """Whether the first coupon is the one whose id or barcode was typed or scanned, whole."""


@dataclass(frozen=True, slots=True)
class Story:
    """All that is known of one coupon."""

    coupon: CouponRow
    runs: tuple[RunRow, ...]
    results: tuple[ResultRow, ...]
    replicates: tuple[Replicates, ...]
    """Of its lot, over everything valid; empty without a lot."""


def find(data: Path, typed: str, lot: str) -> Found:
    """Coupons of a lot, or of all, by beginnings of words; raises `CatalogueError`. Not for the GUI thread."""
    from labrig.catalogue import Filter, open_catalogue

    catalogue = open_catalogue(data)
    coupons = catalogue.coupons(Filter(text=typed.strip(), lot=lot), limit=MOST)
    exact = bool(coupons) and typed.strip() != "" and typed.strip() in {coupons[0].id, coupons[0].barcode}
    return Found(tuple(one.name for one in catalogue.lots()), coupons, exact)


def story(data: Path, id_: str) -> Story:
    """Raises `CatalogueError`, also for a coupon that is not known. Not for the GUI thread."""
    from labrig.catalogue import Filter, open_catalogue, replicates
    from labrig.errors import CatalogueError

    catalogue = open_catalogue(data)
    coupon = catalogue.coupon(id_)
    if coupon is None:
        raise CatalogueError(f"the catalogue knows no coupon {id_}")
    of_coupon = Filter(coupon=coupon.id)
    of_lot = catalogue.results(Filter(lot=coupon.lot), limit=1000) if coupon.lot else ()
    return Story(coupon, catalogue.runs(of_coupon), catalogue.results(of_coupon), replicates(of_lot))


def coupon_cells(row: CouponRow) -> tuple[str, ...]:
    """Coupon, lot, condition, when it was last touched."""
    return row.id, row.lot or "–", row.condition.value, words.local_time(row.touched)[:10] if row.touched else "–"


def facts(row: CouponRow, runs: Sequence[RunRow] = ()) -> tuple[tuple[str, str], ...]:
    """What is known, a name and its words; nothing for what nobody said."""
    shape = row.geometry
    run = next((one for one in runs if one.id == row.condition_by), None)
    cause = f"run of {words.local_time(run.started)[:16]}" if run is not None else row.condition_by
    by = f" (by {cause})" if row.condition_by and row.condition is not Condition.FRESH else ""
    known = (
        ("Lot", row.lot),
        ("Sheet", row.sheet),
        ("Family", row.family),
        ("Barcode", row.barcode),
        ("Condition", row.condition.value + by),
        ("Shape", " ".join(str(one.value) for one in (shape.shape, shape.direction) if one is not None)),
        ("Position", shape.position),
        ("Edge", shape.edge.value),
        *((name.capitalize(), _readings(name, row)) for name in ("thickness", "diameter", "width", "length")),
        ("Note", row.note),
    )
    return tuple((name, said) for name, said in known if said)


def result_cells(row: ResultRow) -> tuple[str, ...]:
    """What, value, validity, method, day; the minute stands with the run."""
    said = words.result_text({"value": row.shown, "U": row.shown_U, "unit": row.unit})
    when = words.local_time(row.started)[:10]
    return words.capitalised(row.name), said, row.validity.value, f"{row.method} {row.method_version}", when


def run_cells(row: RunRow) -> tuple[str, ...]:
    """When, method, outcome, what it left, operator."""
    outcome = words.OUTCOME_WORDS.get(row.outcome.value, row.outcome.value)
    return words.local_time(row.started)[:16], row.method, outcome, row.leaves.value, row.operator or "–"


def replicate_cells(row: Replicates, results: Sequence[ResultRow]) -> tuple[str, ...]:
    """Quantity, mean, spread, relative spread, number."""
    name = next((one.name for one in results if one.symbol == row.symbol), row.symbol)
    own = unit(row.unit)
    mean = f"{round_significant(own.from_si(row.mean), 4)} {row.unit}".rstrip()
    if math.isnan(row.sd):
        spread, relative = "–", "–"
    else:
        spread = f"{round_significant(row.sd / own.factor, 2)} {row.unit}".rstrip()
        relative = f"{100 * row.relative_sd:.1f} %"
    return words.capitalised(name), mean, spread, relative, f"{row.n} on {row.coupons}"


def _readings(name: str, row: CouponRow) -> str:
    """``201.3 µm, 199.8 µm: mean 200.6 µm, n = 2``."""
    read: tuple[float, ...] = getattr(row.geometry, name)
    if not read:
        return ""
    own = unit(LENGTH.get(name, "mm"))
    mean = f"{round_significant(own.from_si(math.fsum(read) / len(read)), 4)} {own.symbol}"
    return mean if len(read) == 1 else f"{mean} (mean of {len(read)} readings)"
