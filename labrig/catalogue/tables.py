"""The tables of the catalogue; docs/catalogue.md explains them to people.

Everything in them can be made again from the run files and the ledger. Rows are known by what people call them; the
``number`` of a coupon only ties it to the index of its words, and is another one after a rebuild.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import JSON, ForeignKey, ForeignKeyConstraint, Index, MetaData
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

HEAD: Final = "0001"
"""The newest migration: what a catalogue of this labrig is at."""

WORDS: Final = "coupon_words"
"""The full-text index over `COUPON_WORDS`, kept up by triggers; SQLite's own, so that no model describes it."""
COUPON_WORDS: Final = ("id", "barcode", "lot", "sheet", "family", "note")


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {dict[str, Any]: JSON, list[Any]: JSON}  # noqa: RUF012 - SQLAlchemy's hook


class About(Base):
    """How far the catalogue has followed the ledger."""

    __tablename__ = "about"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class Entered(Base):
    """What people entered of a subject, merged; the ledger is where it comes from."""

    __tablename__ = "entered"

    kind: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    facts: Mapped[dict[str, Any]]
    utc: Mapped[str]


class Change(Base):
    """One subject of one entry: who changed what, when, why."""

    __tablename__ = "change"

    entry: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    utc: Mapped[str]
    by: Mapped[str]
    reason: Mapped[str]
    kind: Mapped[str]
    subject: Mapped[str]
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """None where the subject was not there."""
    after: Mapped[dict[str, Any]]

    __table_args__ = (Index("ix_change_kind_subject", "kind", "subject"),)


class Attachment(Base):
    """A file that somebody put beside a lot, a coupon or a run."""

    __tablename__ = "attachment"

    kind: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str]
    size: Mapped[int]
    note: Mapped[str]
    utc: Mapped[str]
    by: Mapped[str]


class Lot(Base):
    __tablename__ = "lot"

    name: Mapped[str] = mapped_column(primary_key=True)
    family: Mapped[str]
    supplier: Mapped[str]
    received: Mapped[str]
    note: Mapped[str]


class Sheet(Base):
    __tablename__ = "sheet"

    lot: Mapped[str] = mapped_column(ForeignKey("lot.name", deferrable=True, initially="DEFERRED"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    note: Mapped[str]


class Coupon(Base):
    __tablename__ = "coupon"

    number: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    lot: Mapped[str | None] = mapped_column(ForeignKey("lot.name", deferrable=True, initially="DEFERRED"))
    sheet: Mapped[str | None]
    family: Mapped[str]
    """Its own, else its lot's."""
    barcode: Mapped[str]
    condition: Mapped[str]
    condition_by: Mapped[str]
    """The run that made it so, or who entered it."""
    geometry: Mapped[dict[str, Any]]
    note: Mapped[str]
    touched: Mapped[str]
    """UTC of its newest run or entry."""

    __table_args__ = (
        ForeignKeyConstraint(["lot", "sheet"], ["sheet.lot", "sheet.name"], deferrable=True, initially="DEFERRED"),
        Index("ix_coupon_barcode", "barcode"),
        Index("ix_coupon_lot_sheet_touched", "lot", "sheet", "touched"),
        Index("ix_coupon_lot_touched", "lot", "touched"),
        Index("ix_coupon_family_touched", "family", "touched"),
        Index("ix_coupon_condition_touched", "condition", "touched"),
        Index("ix_coupon_touched", "touched"),
    )


class Operator(Base):
    __tablename__ = "operator"

    name: Mapped[str] = mapped_column(primary_key=True)
    full_name: Mapped[str]
    note: Mapped[str]


class Method(Base):
    __tablename__ = "method"

    name: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(primary_key=True)
    protocol: Mapped[str] = mapped_column(primary_key=True)


class Run(Base):
    __tablename__ = "run"

    id: Mapped[str] = mapped_column(primary_key=True)
    coupon: Mapped[str] = mapped_column(ForeignKey("coupon.id", deferrable=True, initially="DEFERRED"), index=True)
    method: Mapped[str]
    method_version: Mapped[str]
    protocol: Mapped[str]
    parameters: Mapped[dict[str, Any]]
    operator: Mapped[str] = mapped_column(ForeignKey("operator.name", deferrable=True, initially="DEFERRED"))
    rig: Mapped[str]
    simulated: Mapped[bool]
    started: Mapped[str]
    """UTC."""
    ended: Mapped[str]
    outcome: Mapped[str]
    reason: Mapped[str]
    leaves: Mapped[str]
    coupon_facts: Mapped[dict[str, Any]]
    """What its header says of the coupon."""
    labrig: Mapped[str]
    """Version that recorded it."""
    file: Mapped[str]
    """Its file's name in the folder of runs."""
    revision: Mapped[int]
    """SQLite's count of changes to that file: another one says that it holds more by now."""

    __table_args__ = (
        ForeignKeyConstraint(
            ["method", "method_version", "protocol"],
            ["method.name", "method.version", "method.protocol"],
            deferrable=True,
            initially="DEFERRED",
        ),
        Index("ix_run_started", "started"),
        Index("ix_run_operator_started", "operator", "started"),
        Index("ix_run_outcome_started", "outcome", "started"),
        Index("ix_run_method_started", "method", "started"),
        Index("ix_run_file", "file"),
    )


class Mounting(Base):
    """How the coupon sat in the cell for one run."""

    __tablename__ = "mounting"

    run: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    cell: Mapped[str]
    orientation: Mapped[str]
    edge: Mapped[str]
    exposed_diameter: Mapped[float]
    exposed_diameter_u: Mapped[float]


class Analysis(Base):
    """One version of one analysis of a run; all are kept."""

    __tablename__ = "analysis"

    run: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    """Its number in the run file."""
    name: Mapped[str]
    version: Mapped[str]
    utc: Mapped[str]
    validity: Mapped[str]
    reasons: Mapped[list[Any]]
    newest: Mapped[bool]
    """Whether no later one of that name was added."""


class Result(Base):
    """A number with everything that makes it one; SI."""

    __tablename__ = "result"

    run: Mapped[str] = mapped_column(primary_key=True)
    analysis: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    symbol: Mapped[str]
    name: Mapped[str]
    value: Mapped[float | None]
    """None: not a number."""
    u: Mapped[float | None]
    dof: Mapped[float | None]
    coverage_factor: Mapped[float | None]
    unit: Mapped[str]
    definition: Mapped[dict[str, Any]]
    budget: Mapped[list[Any]]
    newest: Mapped[bool]
    started: Mapped[str]
    """Of the run, for searches."""

    __table_args__ = (
        ForeignKeyConstraint(["run", "analysis"], ["analysis.run", "analysis.number"], ondelete="CASCADE"),
        Index("ix_result_symbol_value", "symbol", "value"),
        Index("ix_result_symbol_started", "symbol", "started"),
    )
