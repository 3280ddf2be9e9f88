"""What people enter, typed and with units; only what is given is changed."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from labrig.model import Condition, Direction, Edge, Shape
from labrig.quantities import Length

NAME: Final = r"[^\W_][\w .+#()-]{0,63}"
"""A thing's name in the laboratory; `labrig.cli.ordering` takes the same."""
Name = Annotated[str, StringConstraints(pattern=rf"^{NAME}$")]
MaybeName = Annotated[str, StringConstraints(pattern=rf"^({NAME})?$")]
"""Empty: none."""
Words = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$", max_length=1000)]
Line = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=200)]
Readings = Annotated[tuple[Annotated[Length, Field(gt=0, lt=100)], ...], Field(max_length=100)]
"""Each in its own unit; all of a dimension are entered together."""


class Entry(BaseModel):
    """What is said of one subject. A field that is not given stays as it was; an empty one is cleared."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: ClassVar[str]
    keys: ClassVar[tuple[str, ...]]
    """The fields that name the subject."""

    @property
    def subject(self) -> str:
        """The name by which the catalogue knows it; a sheet's is ``LOT/SHEET``."""
        return "/".join(str(getattr(self, key)) for key in self.keys)

    @property
    def facts(self) -> dict[str, Any]:
        """What was given, as JSON: quantities are texts with units."""
        return self.model_dump(mode="json", exclude_unset=True, exclude=set(self.keys))


class LotEntry(Entry):
    """What was delivered or made together."""

    kind = "lot"
    keys = ("name",)

    name: Name
    family: MaybeName = ""
    """Kind of membrane, such as ``anisotropic PSU``; its coupons have it unless they say otherwise."""
    supplier: Line = ""
    received: date | None = None
    note: Words = ""


class SheetEntry(Entry):
    kind = "sheet"
    keys = ("lot", "name")

    lot: Name
    name: Name
    note: Words = ""


class CouponEntry(Entry):
    """One piece cut from a sheet."""

    kind = "coupon"
    keys = ("id",)

    id: Name
    lot: MaybeName = ""
    sheet: MaybeName = ""
    family: MaybeName = ""
    barcode: Line = ""
    """What a scanner reads from its label, where that is not the id."""
    shape: Shape | None = None
    direction: Direction | None = None
    position: Line = ""
    edge: Edge = Edge.OPEN
    thickness: Readings = ()
    diameter: Readings = ()
    width: Readings = ()
    length: Readings = ()
    condition: Condition = Condition.FRESH
    """Only to correct what its runs say, or to tell what no run did to it."""
    note: Words = ""


class OperatorEntry(Entry):
    kind = "operator"
    keys = ("name",)

    name: Name
    full_name: Line = ""
    note: Words = ""


class AttachmentEntry(Entry):
    """A file beside a lot, a coupon or a run; `labrig.catalogue.attach` makes it."""

    kind = "attachment"
    keys = ("of", "subject_name", "name")

    of: Annotated[str, StringConstraints(pattern="^(lot|coupon|run)$")]
    subject_name: Line
    name: Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f/\\]{1,200}$")]
    sha256: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
    size: Annotated[int, Field(ge=0)]
    note: Words = ""


KINDS: Final[dict[str, type[Entry]]] = {
    kind.kind: kind for kind in (LotEntry, SheetEntry, CouponEntry, OperatorEntry, AttachmentEntry)
}


def entry_of(kind: str, subject: str, facts: dict[str, Any]) -> Entry:
    """The entry that a line of the ledger tells of; raises `ValueError` where it cannot be one."""
    if kind not in KINDS:
        raise ValueError(f"nothing that this labrig knows is a {kind!r}")
    model = KINDS[kind]
    names = subject.split("/", len(model.keys) - 1)
    if len(names) != len(model.keys):
        raise ValueError(f"{subject!r} is no name of a {kind}")
    return model.model_validate({**dict(zip(model.keys, names, strict=True)), **facts}, context={"from_file": True})
