"""From what people entered and what run headers say to the rows of lots, sheets, coupons and operators.

A row is a function of the entries and the runs and of nothing else, so that the order in which they arrived leaves no
trace. What a person entered holds over what a header says; of several headers the earliest run's counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from labrig.catalogue.tables import Coupon, Entered, Lot, Operator, Run, Sheet
from labrig.model import DIMENSIONS, Condition, Direction, Edge, Geometry, Shape
from labrig.units import parse

CHUNK: Final = 500
Facts = Mapping[str, Any]
Subjects = Mapping[str, Iterable[str]]
"""By kind."""


@dataclass(frozen=True, slots=True)
class _Known:
    """All that is known of one coupon."""

    entered: Facts
    entered_utc: str
    runs: Sequence[Run]
    """In order of time."""

    @property
    def facts(self) -> dict[str, Any]:
        return {**(self.runs[0].coupon_facts if self.runs else {}), **self.entered}


def settle(session: Session, subjects: Subjects) -> None:
    """Bring the rows of these subjects up to date; nothing is written where nothing changes."""
    for name in sorted(set(subjects.get("operator", ()))):
        _settle_operator(session, name)
    lots, sheets = set(subjects.get("lot", ())), {_pair(subject) for subject in subjects.get("sheet", ())}
    coupons = set(subjects.get("coupon", ())) | set(_heirs(session, lots))
    for chunk in chunks(sorted(coupons)):
        left_lots, left_sheets = _settle_coupons(session, chunk)
        lots |= left_lots
        sheets |= left_sheets
    for lot, sheet in sorted(sheets):
        _settle_sheet(session, lot, sheet)
    for lot in sorted(lots | {lot for lot, _ in sheets}):
        _settle_lot(session, lot)


def facts_of(session: Session, kind: str, subject: str) -> dict[str, Any] | None:
    """What is known of a subject, in the form of an entry; None where it is not in the catalogue."""
    entered = session.get(Entered, (kind, subject))
    if kind == "coupon":
        (known,) = _known(session, [subject]).values()
        return {**known.facts, "condition": _condition(known)[0].value} if known.entered_utc or known.runs else None
    if entered is None:
        there = {"lot": (Lot, subject), "sheet": (Sheet, _pair(subject)), "operator": (Operator, subject)}
        if kind not in there or session.get(*there[kind]) is None:
            return None
    return dict(entered.facts) if entered else {}


def chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]


def _settle_coupons(session: Session, ids: Sequence[str]) -> tuple[set[str], set[tuple[str, str]]]:
    """Returns the lots and sheets that these coupons have now, or had before."""
    present = {row.id: row for row in session.scalars(select(Coupon).where(Coupon.id.in_(ids)))}
    places = {(row.lot, row.sheet) for row in present.values()}
    known = _known(session, ids)
    families = _families(session, {str(one.facts.get("lot", "")) for one in known.values()})
    wanted = {id_: _coupon(id_, one, families) for id_, one in known.items() if one.entered_utc or one.runs}
    new = [row for id_, row in wanted.items() if id_ not in present]
    if new:
        session.execute(insert(Coupon), new)
    for id_, row in present.items():
        if id_ not in wanted:
            session.delete(row)
        elif changed := {key: value for key, value in wanted[id_].items() if getattr(row, key) != value}:
            session.execute(update(Coupon).where(Coupon.id == id_).values(changed))
    session.flush()
    places |= {(row["lot"], row["sheet"]) for row in wanted.values()}
    return {lot for lot, _ in places if lot}, {(lot, sheet) for lot, sheet in places if lot and sheet}


def _coupon(id_: str, known: _Known, families: Mapping[str, str]) -> dict[str, Any]:
    facts = known.facts
    lot = facts.get("lot") or None
    condition, by = _condition(known)
    return {
        "id": id_,
        "lot": lot,
        "sheet": (facts.get("sheet") or None) if lot else None,
        "family": facts.get("family") or families.get(lot or "", ""),
        "barcode": facts.get("barcode", ""),
        "condition": condition.value,
        "condition_by": by,
        "geometry": asdict(geometry_of(facts)),
        "note": facts.get("note", ""),
        "touched": max([known.entered_utc, *(run.started for run in known.runs)]),
    }


def _condition(known: _Known) -> tuple[Condition, str]:
    """The gravest that the runs since a person's word left, and by what."""
    condition, by = Condition(known.entered.get("condition", Condition.FRESH)), known.entered.get("condition_by", "")
    since = known.entered.get("condition_since", "")
    for run in known.runs:
        if run.started > since and Condition(run.leaves).gravity > condition.gravity:
            condition, by = Condition(run.leaves), run.id
    return condition, by


def geometry_of(facts: Facts) -> Geometry:
    """From facts in the form of an entry, whose lengths are texts with units."""
    shape, direction = facts.get("shape"), facts.get("direction")
    return Geometry(
        Shape(shape) if shape else None,
        Direction(direction) if direction else None,
        facts.get("position", ""),
        Edge(facts.get("edge", Edge.OPEN)),
        **{name: tuple(parse(text, "length") for text in facts.get(name, ())) for name in DIMENSIONS},
    )


def _known(session: Session, ids: Sequence[str]) -> dict[str, _Known]:
    entered = {
        row.subject: row
        for row in session.scalars(select(Entered).where(Entered.kind == "coupon", Entered.subject.in_(ids)))
    }
    runs: defaultdict[str, list[Run]] = defaultdict(list)
    for run in session.scalars(select(Run).where(Run.coupon.in_(ids)).order_by(Run.started, Run.id)):
        runs[run.coupon].append(run)
    return {
        id_: _Known(entered[id_].facts if id_ in entered else {}, entered[id_].utc if id_ in entered else "", runs[id_])
        for id_ in ids
    }


def _families(session: Session, lots: Iterable[str]) -> dict[str, str]:
    found = session.scalars(select(Entered).where(Entered.kind == "lot", Entered.subject.in_(sorted(lots))))
    return {lot.subject: str(lot.facts.get("family", "")) for lot in found}


def _heirs(session: Session, lots: Iterable[str]) -> Iterable[str]:
    """Coupons that may have their family from these lots."""
    return session.scalars(select(Coupon.id).where(Coupon.lot.in_(sorted(lots)))).all()


def _settle_lot(session: Session, name: str) -> None:
    entered = session.get(Entered, ("lot", name))
    mentioned = select(Coupon.id).where(Coupon.lot == name).union_all(select(Sheet.name).where(Sheet.lot == name))
    if entered is None and session.execute(mentioned.limit(1)).first() is None:
        session.execute(delete(Lot).where(Lot.name == name))
        return
    facts = entered.facts if entered else {}
    texts = {key: str(facts.get(key) or "") for key in ("family", "supplier", "received", "note")}
    session.merge(Lot(name=name, **texts))
    session.flush()


def _settle_sheet(session: Session, lot: str, name: str) -> None:
    entered = session.get(Entered, ("sheet", f"{lot}/{name}"))
    mentioned = select(Coupon.id).where(Coupon.lot == lot, Coupon.sheet == name).limit(1)
    if entered is None and session.execute(mentioned).first() is None:
        session.execute(delete(Sheet).where(Sheet.lot == lot, Sheet.name == name))
        return
    session.merge(Sheet(lot=lot, name=name, note=str(entered.facts.get("note", "")) if entered else ""))
    session.flush()


def _settle_operator(session: Session, name: str) -> None:
    entered = session.get(Entered, ("operator", name))
    if entered is None and session.execute(select(Run.id).where(Run.operator == name).limit(1)).first() is None:
        session.execute(delete(Operator).where(Operator.name == name))
        return
    facts = entered.facts if entered else {}
    session.merge(Operator(name=name, full_name=str(facts.get("full_name", "")), note=str(facts.get("note", ""))))
    session.flush()


def _pair(subject: str) -> tuple[str, str]:
    lot, _, sheet = subject.partition("/")
    return lot, sheet
