"""What the catalogue says of a coupon that a run is ordered for, before it is mounted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from labrig.catalogue.database import FILE
from labrig.catalogue.reading import Catalogue, open_catalogue
from labrig.catalogue.records import CouponRow
from labrig.errors import CatalogueError
from labrig.model import Condition, Coupon


@dataclass(frozen=True, slots=True)
class Specimen:
    """A coupon as a run's header takes it, and what whoever mounts it should hear first."""

    coupon: Coupon
    words: str
    """What the catalogue knows of it."""
    cautions: tuple[str, ...] = ()
    """What an earlier run or a person made of it."""
    refused: str = ""
    """Why the order cannot be right; empty where it can."""


def ordered_specimen(data: Path, asked: Coupon) -> Specimen:
    """The coupon of that id or barcode, completed from the catalogue; an unknown one as it was ordered.

    A catalogue that cannot be read keeps nobody from measuring: the words say so.
    """
    try:
        row, catalogue = _known(data, asked.id)
        if catalogue is None or row is None:
            return Specimen(asked, f"{asked.id} is new: it is entered when the run is filed")
        return _specimen(catalogue, row, asked)
    except CatalogueError as error:
        return Specimen(asked, f"the run goes by what was ordered, because the catalogue cannot be read: {error}")


def _known(data: Path, id_: str) -> tuple[CouponRow | None, Catalogue | None]:
    if not (data / FILE).exists():  # the first run of a data folder need not wait until a catalogue is made
        return None, None
    catalogue = open_catalogue(data)
    return catalogue.coupon(id_), catalogue


def _specimen(catalogue: Catalogue, row: CouponRow, asked: Coupon) -> Specimen:
    coupon = row.ordered
    if not coupon.lot:
        coupon = replace(coupon, lot=asked.lot)
    refused = ""
    if asked.lot and asked.lot != coupon.lot:
        refused = (
            f"{coupon.id} is of lot {coupon.lot} in the catalogue, and lot {asked.lot} was ordered; take the right "
            f"coupon, or correct it: labrig specimens edit {coupon.id}"
        )
    known = [f"lot {coupon.lot}" * bool(coupon.lot), f"sheet {coupon.sheet}" * bool(coupon.sheet), row.family]
    known += [f"{name} {one.mean * 1e3:.4g} mm" for name, one in row.geometry.statistics().items()]
    words = ", ".join(word for word in known if word) or "nothing more is known of it"
    cautions = () if row.condition is Condition.FRESH else (_caution(catalogue, row),)
    return Specimen(coupon, f"{coupon.id}: {words}", cautions, refused)


def _caution(catalogue: Catalogue, row: CouponRow) -> str:
    try:
        run = catalogue.run(row.condition_by)
    except CatalogueError:
        return f"{row.id} is {row.condition.value}" + (f", says {row.condition_by}" if row.condition_by else "")
    when = datetime.fromisoformat(run.started).astimezone().strftime("%Y-%m-%d %H:%M")
    rig = f"{run.rig}, simulated" if run.simulated else run.rig
    return (
        f"{row.id} was {row.condition.value} by {run.method} on {when} ({rig}; {run.outcome.value}; run {run.id[:8]}): "
        "use a fresh coupon where that matters"
    )
