"""The catalogue for scripts, screens and the command line: questions in, frozen rows out."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter
from sqlalchemy import func, select

from labrig.catalogue.records import (
    AttachmentRow,
    ChangeRow,
    CouponRow,
    LotRow,
    Replicates,
    ResultRow,
    RunRow,
)
from labrig.catalogue.search import EVERYTHING, Filter, find_coupons, find_results, find_runs
from labrig.catalogue.store import Store
from labrig.catalogue.tables import Analysis, Attachment, Change, Coupon, Lot, Mounting, Result, Run, Sheet
from labrig.errors import CatalogueError
from labrig.model import BudgetLine, Condition, Geometry, Orientation, Outcome, Validity

LIMIT: Final = 100
FOLDER: Final = "attachments"
_geometry: Final = TypeAdapter(Geometry)


class Catalogue:
    """The catalogue of a data folder, made by `open_catalogue`. Holds nothing open; use it from any thread.

    Every method raises `CatalogueError` where the database cannot be read.
    """

    def __init__(self, store: Store) -> None:
        self.store = store

    @property
    def path(self) -> Path:
        return self.store.database.path

    def coupons(self, wanted: Filter = EVERYTHING, *, limit: int = LIMIT) -> tuple[CouponRow, ...]:
        """Coupons, the newest first; one whose id or barcode is the text itself stands before all others."""
        with self.store.database.reading() as session:
            return tuple(_coupon(row) for row in find_coupons(session, wanted, limit))

    def coupon(self, id_: str) -> CouponRow | None:
        """By id, else by barcode."""
        with self.store.database.reading() as session:
            for of in (Coupon.id == id_, Coupon.barcode == id_):
                row = session.scalar(select(Coupon).where(of).limit(1)) if id_ else None
                if row is not None:
                    return _coupon(row)
        return None

    def lots(self) -> tuple[LotRow, ...]:
        """Every lot, by name."""
        coupons = select(func.count()).where(Coupon.lot == Lot.name).correlate(Lot).scalar_subquery()
        sheets = select(func.count()).where(Sheet.lot == Lot.name).correlate(Lot).scalar_subquery()
        with self.store.database.reading() as session:
            return tuple(
                LotRow(lot.name, lot.family, lot.supplier, lot.received, lot.note, of_sheets, of_coupons)
                for lot, of_sheets, of_coupons in session.execute(select(Lot, sheets, coupons).order_by(Lot.name))
            )

    def runs(self, wanted: Filter = EVERYTHING, *, limit: int = LIMIT) -> tuple[RunRow, ...]:
        """Runs, the newest first."""
        with self.store.database.reading() as session:
            return tuple(_run(*row) for row in find_runs(session, wanted, limit))

    def run(self, id_: str) -> RunRow:
        """By id or the beginning of one; raises `CatalogueError` where that is no run's or several runs'."""
        if not re.fullmatch(r"[\w-]+", id_):
            raise CatalogueError(f"{id_!r} is no beginning of a run's id")
        with self.store.database.reading() as session:
            statement = select(Run, Mounting, Coupon.lot).join(Mounting, Mounting.run == Run.id)
            statement = statement.join(Coupon, Coupon.id == Run.coupon)
            found = session.execute(statement.where(Run.id >= id_, Run.id < id_ + "\uffff").limit(2)).all()
            if len(found) != 1 and id_ not in {row[0].id for row in found}:
                many = "several runs begin" if found else "no run of the catalogue begins"
                raise CatalogueError(f"{many} with {id_!r}; labrig runs list shows them")
            return _run(*found[0])

    def results(
        self, wanted: Filter = EVERYTHING, *, limit: int = LIMIT, every_version: bool = False
    ) -> tuple[ResultRow, ...]:
        """Results, those of the newest runs first; of each analysis the newest version, or every one."""
        with self.store.database.reading() as session:
            found = find_results(session, wanted, limit, every_version=every_version)
            return tuple(_result(*row) for row in found)

    def changes(self, kind: str = "", subject: str = "", *, limit: int = LIMIT) -> tuple[ChangeRow, ...]:
        """What people entered, the newest first."""
        statement = select(Change).order_by(Change.entry.desc(), Change.place).limit(limit)
        if kind:
            statement = statement.where(Change.kind == kind)
        if subject:
            statement = statement.where(Change.subject == subject)
        with self.store.database.reading() as session:
            return tuple(
                ChangeRow(row.entry, row.utc, row.by, row.reason, row.kind, row.subject, row.before, row.after)
                for row in session.scalars(statement)
            )

    def attachments(self, kind: str, subject: str) -> tuple[AttachmentRow, ...]:
        """Files beside a lot, a coupon or a run."""
        statement = select(Attachment).where(Attachment.kind == kind, Attachment.subject == subject)
        with self.store.database.reading() as session:
            return tuple(attachment_row(row) for row in session.scalars(statement.order_by(Attachment.name)))

    def names(self, of: str) -> tuple[str, ...]:
        """Every different ``family``, ``operator``, ``method``, ``rig`` or ``symbol``, for a choice."""
        columns = {
            "family": Coupon.family, "operator": Run.operator, "method": Run.method, "symbol": Result.symbol,
            "rig": Run.rig,
        }  # fmt: skip
        if of not in columns:
            raise CatalogueError(f"there are names of {', '.join(columns)}, not of {of!r}")
        with self.store.database.reading() as session:
            return tuple(session.scalars(select(columns[of]).where(columns[of] != "").distinct().order_by(columns[of])))


def open_catalogue(data: Path) -> Catalogue:
    """The catalogue of a data folder; made, migrated and brought up to date with what was entered where need be.

    Raises `CatalogueError`, also for a catalogue that a later labrig made.
    """
    store = Store(data)
    store.ready()
    return Catalogue(store)


def replicates(rows: Sequence[ResultRow]) -> tuple[Replicates, ...]:
    """Mean and spread of each symbol, over the results that are valid."""
    found: dict[tuple[str, str], list[ResultRow]] = {}
    for row in rows:
        if row.validity is Validity.VALID and math.isfinite(row.value):
            found.setdefault((row.symbol, row.unit), []).append(row)
    return tuple(
        Replicates(
            symbol,
            unit,
            len({row.coupon for row in same}),
            len(same),
            statistics.fmean(row.value for row in same),
            statistics.stdev(row.value for row in same) if len(same) > 1 else math.nan,
        )
        for (symbol, unit), same in found.items()
    )


def attachment_row(row: Attachment) -> AttachmentRow:
    path = f"{FOLDER}/{stored_name(row.sha256, row.name)}"
    return AttachmentRow(row.kind, row.subject, row.name, row.sha256, row.size, row.note, row.utc, row.by, path)


def stored_name(sha256: str, name: str) -> str:
    """What an attachment is called in its folder: by content, and with nothing that a file system objects to."""
    return f"{sha256[:16]}-{re.sub(r'[^A-Za-z0-9.-]+', '-', name)[-80:]}"


def _coupon(row: Coupon) -> CouponRow:
    return CouponRow(
        row.id,
        row.lot or "",
        row.sheet or "",
        row.family,
        row.barcode,
        Condition(row.condition),
        row.condition_by,
        _geometry.validate_python(row.geometry),
        row.note,
        row.touched,
    )


def _run(run: Run, mounting: Mounting, lot: str | None) -> RunRow:
    return RunRow(
        id=run.id,
        coupon=run.coupon,
        lot=lot or "",
        method=run.method,
        method_version=run.method_version,
        protocol=run.protocol,
        operator=run.operator,
        rig=run.rig,
        simulated=run.simulated,
        started=run.started,
        ended=run.ended,
        outcome=Outcome(run.outcome),
        reason=run.reason,
        leaves=Condition(run.leaves),
        cell=mounting.cell,
        orientation=Orientation(mounting.orientation),
        edge=mounting.edge,
        exposed_diameter=mounting.exposed_diameter,
        exposed_diameter_u=mounting.exposed_diameter_u,
        parameters=run.parameters,
        labrig=run.labrig,
        file=run.file,
    )


def _result(result: Result, analysis: Analysis, run: Run, coupon: Coupon, orientation: str) -> ResultRow:
    return ResultRow(
        run=run.id,
        coupon=coupon.id,
        lot=coupon.lot or "",
        sheet=coupon.sheet or "",
        family=coupon.family,
        method=run.method,
        method_version=run.method_version,
        operator=run.operator,
        started=run.started,
        outcome=Outcome(run.outcome),
        simulated=run.simulated,
        orientation=Orientation(orientation),
        analysis=analysis.name,
        version=analysis.version,
        number=analysis.number,
        newest=analysis.newest,
        validity=Validity(analysis.validity),
        reasons=tuple(analysis.reasons),
        symbol=result.symbol,
        name=result.name,
        value=_number(result.value),
        u=_number(result.u),
        dof=_number(result.dof),
        coverage_factor=_number(result.coverage_factor),
        unit=result.unit,
        definition=result.definition,
        budget=tuple(BudgetLine(**line) for line in result.budget),
    )


def _number(value: float | None) -> float:
    return math.nan if value is None else value
