"""Searches that stay fast over a million coupons: each is driven by one index, newest first, and ends at its limit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, Select, column, func, literal_column, select, table
from sqlalchemy.orm import Session

from labrig.catalogue.tables import WORDS, Analysis, Coupon, Mounting, Result, Run
from labrig.errors import CatalogueError
from labrig.model import Condition, Outcome, Validity

if TYPE_CHECKING:
    Statement = Select[*tuple[Any, ...]]
NARROW: Final = 2000
"""Results: below this many it pays to sort those within a range, beyond to go through all from the newest on."""
_WORDS: Final = table(WORDS, column("rowid"), column(WORDS))


@dataclass(frozen=True, slots=True)
class Filter:
    """What is looked for; everything given must hold. A day means that day from midnight to midnight, local time."""

    text: str = ""
    """Beginnings of words of the id, barcode, lot, sheet, family or note of a coupon: ``C-17``, ``psu 04``."""
    coupon: str = ""
    lot: str = ""
    sheet: str = ""
    family: str = ""
    condition: Condition | None = None
    operator: str = ""
    method: str = ""
    outcome: Outcome | None = None
    since: date | datetime | None = None
    """Runs that began then or later."""
    until: date | datetime | None = None
    """Runs that began then or before."""
    simulated: bool | None = None
    symbol: str = ""
    """Of a result, such as ``p25``; only its newest version is looked at."""
    low: float | None = None
    """SI."""
    high: float | None = None
    validity: Validity | None = None

    def __post_init__(self) -> None:
        if not self.symbol and not (self.low is None and self.high is None):
            raise CatalogueError("a range of results needs the symbol of the result, such as p25")

    @property
    def narrows(self) -> bool:
        """Whether anything is given at all."""
        return self != EVERYTHING

    @property
    def of_results(self) -> bool:
        """Whether results matter."""
        return bool(self.symbol) or self.validity is not None

    @property
    def of_runs(self) -> bool:
        """Whether runs or results matter."""
        given = (self.operator, self.method, self.outcome, self.since, self.until)
        return self.of_results or any(given) or self.simulated is not None


EVERYTHING: Final = Filter()


def find_coupons(session: Session, wanted: Filter, limit: int) -> list[Coupon]:
    """The newest first: by their newest run or entry, or by their newest run that is looked for."""
    if not wanted.text and not wanted.of_runs:
        newest = select(Coupon).where(*_coupon_conditions(wanted)).order_by(Coupon.touched.desc(), Coupon.number.desc())
        return list(session.scalars(newest.limit(limit)))
    exact = _exact(session, wanted) if wanted.text else []
    if wanted.of_runs:
        ids = _distinct(session, _with_coupons(session, wanted, select(Run.coupon)), limit)
        found = _in_order(session, ids)
    else:
        worded = select(Coupon).where(*_coupon_conditions(wanted), *_word_conditions(wanted))
        found = list(session.scalars(worded.order_by(_WORDS.c.rowid.desc()).limit(limit)))
    first = [row for row in exact if not wanted.of_runs or row in found]
    return (first + [row for row in found if row not in first])[:limit]


def find_runs(session: Session, wanted: Filter, limit: int) -> list[tuple[Run, Mounting, str | None]]:
    """Runs with their mountings and their coupons' lots, the newest first."""
    statement = select(Run, Mounting, Coupon.lot).join(Mounting, Mounting.run == Run.id)
    found: dict[str, tuple[Run, Mounting, str | None]] = {}
    with session.execute(_with_coupons(session, wanted, statement)) as rows:  # several results may be of one run
        for run, mounting, lot in rows:
            found[run.id] = (run, mounting, lot)
            if len(found) == limit:
                break
    return list(found.values())


def find_results(
    session: Session, wanted: Filter, limit: int, *, every_version: bool
) -> list[tuple[Result, Analysis, Run, Coupon, str]]:
    """Results with what they belong to and the orientation, those of the newest runs first."""
    statement = select(Result, Analysis, Run, Coupon, Mounting.orientation).where(*_run_conditions(wanted))
    statement = statement.join(Analysis, (Analysis.run == Result.run) & (Analysis.number == Result.analysis))
    statement = statement.join(Run, Run.id == Result.run).join(Mounting, Mounting.run == Run.id)
    statement = statement.join(Coupon, Coupon.id == Run.coupon)
    statement = statement.where(*_coupon_conditions(wanted), *_word_conditions(wanted))
    statement = statement.where(*_result_conditions(session, wanted, every_version=every_version))
    order = (Result.started.desc(), Result.run, Result.analysis, Result.place)
    return list(session.execute(statement.order_by(*order).limit(limit)))


def _with_coupons(session: Session, wanted: Filter, statement: Statement) -> Statement:
    """The statement over runs, with all conditions, newest first."""
    statement = statement.join(Coupon, Coupon.id == Run.coupon)
    started = Run.started
    if wanted.of_results:
        statement = statement.join(Result, Result.run == Run.id)
        statement = statement.where(*_result_conditions(session, wanted, every_version=False))
        started = Result.started
        if wanted.validity is not None:
            statement = statement.join(Analysis, (Analysis.run == Result.run) & (Analysis.number == Result.analysis))
    conditions = (*_run_conditions(wanted), *_coupon_conditions(wanted), *_word_conditions(wanted))
    return statement.where(*conditions).order_by(started.desc())


def _coupon_conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    equal = ((Coupon.id, wanted.coupon), (Coupon.lot, wanted.lot), (Coupon.sheet, wanted.sheet))
    conditions = [name == value for name, value in (*equal, (Coupon.family, wanted.family)) if value]
    if wanted.condition is not None:
        conditions.append(Coupon.condition == wanted.condition.value)
    return conditions


def _word_conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    """Full text drives the search: the + 0 keeps SQLite from looking up its rows one by one."""
    if not wanted.text:
        return []
    return [
        _WORDS.c[WORDS].op("MATCH")(match_expression(wanted)),
        _WORDS.c.rowid.op("+")(0) == Coupon.number,
    ]


def match_expression(wanted: Filter) -> str:
    """In FTS5's language: every word as a beginning, and lot, sheet and family as words of their columns."""
    words = [word for word in wanted.text.split() if re.search(r"\w", word)]
    terms = [f"{_quoted(word)}*" for word in words] or ['""']
    exact = (("lot", wanted.lot), ("sheet", wanted.sheet), ("family", wanted.family))
    return " AND ".join(terms + [f"{name} : {_quoted(value)}" for name, value in exact if value])


def _quoted(word: str) -> str:
    return '"' + word.replace('"', '""') + '"'


def _run_conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    equal = (
        (Run.operator, wanted.operator),
        (Run.method, wanted.method),
        (Run.outcome, wanted.outcome.value if wanted.outcome else ""),
    )
    conditions = [name == value for name, value in equal if value]
    started = Result.started if wanted.of_results else Run.started
    if wanted.since is not None:
        conditions.append(started >= _moment(wanted.since, end=False))
    if wanted.until is not None:
        conditions.append(started <= _moment(wanted.until, end=True))
    if wanted.simulated is not None:
        conditions.append(Run.simulated == wanted.simulated)
    return conditions


def _result_conditions(session: Session, wanted: Filter, *, every_version: bool) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [] if every_version else [Result.newest.is_(True)]
    if wanted.validity is not None:
        conditions.append(Analysis.validity == wanted.validity.value)
    if not wanted.symbol:
        return conditions
    conditions.append(Result.symbol == wanted.symbol)
    within = _range(wanted, Result.value)
    if not within:
        return conditions
    probe = select(Result.place).where(Result.symbol == wanted.symbol, *within).limit(NARROW + 1).subquery()
    few = (session.scalar(select(func.count()).select_from(probe)) or 0) <= NARROW
    return conditions + (within if few else _range(wanted, literal_column("+result.value")))


def _range(wanted: Filter, value: Any) -> list[ColumnElement[bool]]:  # noqa: ANN401 - a column, or the text of one
    within: list[ColumnElement[bool]] = []
    if wanted.low is not None:
        within.append(value >= wanted.low)
    if wanted.high is not None:
        within.append(value <= wanted.high)
    return within


def _exact(session: Session, wanted: Filter) -> list[Coupon]:
    """The coupon whose id or barcode is the text itself: what a scanner types."""
    text = wanted.text.strip()
    return [
        row
        for of in (Coupon.id == text, Coupon.barcode == text)
        for row in session.scalars(select(Coupon).where(of, *_coupon_conditions(wanted)).limit(1))
    ]


def _distinct(session: Session, statement: Statement, limit: int) -> list[str]:
    """The first different values; reads no more rows than it takes."""
    found: dict[str, None] = {}
    with session.execute(statement) as rows:
        for (value,) in rows:
            found[value] = None
            if len(found) == limit:
                break
    return list(found)


def _in_order(session: Session, ids: list[str]) -> list[Coupon]:
    rows = {row.id: row for row in session.scalars(select(Coupon).where(Coupon.id.in_(ids)))}
    return [rows[id_] for id_ in ids if id_ in rows]


def _moment(when: date | datetime, *, end: bool) -> str:
    """As the catalogue writes times."""
    if not isinstance(when, datetime):
        when = datetime.combine(when + timedelta(days=end), time()).astimezone() - timedelta(microseconds=end)
    return when.astimezone(UTC).isoformat(timespec="microseconds")
