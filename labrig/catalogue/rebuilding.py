"""Making the catalogue anew from the run files and the ledger, and checking it against both."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from labrig.catalogue.database import FILE
from labrig.catalogue.ledger import Mark
from labrig.catalogue.reading import attachment_row
from labrig.catalogue.run_facts import finished, revision_of
from labrig.catalogue.store import Store, sync_folder
from labrig.catalogue.tables import Attachment, Base, Coupon, Run
from labrig.errors import CatalogueError, RecordingError
from labrig.recording.codec import dumps

PART: Final = f"{FILE}.part"
Dump = dict[str, list[str]]
"""Rows as texts, in order, by table."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild found."""

    runs: int
    entries: int
    failed: Mapping[str, str]
    """Run files that cannot be read, and why."""
    different: Mapping[str, int]
    """Rows that are new, gone or other ones than before, by table; empty where the catalogue was right."""


def rebuild(data: Path, *, drop_missing: bool = False) -> Rebuilt:
    """Put a new catalogue in the place of the present one; raises `CatalogueError`, and then nothing was changed.

    Runs that the present catalogue has, but whose files are gone, would be lost: they must be named as lost by
    ``drop_missing``.
    """
    present, fresh = Store(data), Store(data, PART)
    with present.database.locked():
        before = _readable(present)
        gone = sorted(set(before[1]) - {path.name for path in present.runs.glob("*.labrig")})
        if gone and not drop_missing:
            names = ", ".join(gone[:3]) + " …" * (len(gone) > 3)
            raise CatalogueError(
                f"{len(gone)} runs of the catalogue have no file any more ({names}); nothing was changed. Put them "
                f"back into {present.runs}, or rebuild without those runs: --drop-missing"
            )
        fresh.database.remove()
        try:
            filed = fresh.fill()
            with fresh.database.reading() as session:
                after = dump(session)
                runs = len(session.scalars(select(Run.id)).all())
            entries = len({row.split("\t", 1)[0] for row in after["change"]})
            fresh.database.checkpoint()
            _swap(fresh, present)
        finally:
            fresh.database.remove()
    return Rebuilt(runs, entries, filed.failed, _different(before[0], after))


def check(data: Path) -> tuple[str, ...]:
    """Every fault of a catalogue in words: of its file, its ledger, its runs and its attachments."""
    store = Store(data)
    found: list[str] = []
    end = 0
    try:
        for _, mark in store.ledger.after(Mark()):
            end = mark.offset
        if end < store.ledger.size:
            found.append(
                f"{store.ledger.path}: the last line was cut off; it never counted, and the next entry removes it"
            )
    except CatalogueError as error:
        found.append(str(error))
    if fault := store.database.fault():
        return (*found, fault)
    with store.database.reading() as session:
        found += _of_runs(store, session)
        found += [word for row in session.scalars(select(Attachment)) if (word := _of_attachment(data, row))]
    return tuple(found)


def dump(session: Session) -> Dump:
    """Every row of every table as text, but for what is SQLite's own: coupons' numbers, and the place in a file."""
    return {
        table.name: sorted(_row(values) for values in session.execute(select(*_columns(table))))
        for table in Base.metadata.sorted_tables
        if table.name != "about"
    }


def _columns(table: Table) -> list[Any]:
    return [column for column in table.columns if column is not Coupon.__table__.c.number]


def _row(values: Any) -> str:  # noqa: ANN401 - a row of any table
    return "\t".join(dumps(value) for value in values)


def _readable(store: Store) -> tuple[Dump, list[str]]:
    """Dump and run files of the present catalogue; nothing where it is none, or damaged."""
    try:
        if not store.database.revision():
            return {}, []
        with store.database.reading() as session:
            return dump(session), list(session.scalars(select(Run.file)))
    except CatalogueError:
        return {}, []


def _swap(fresh: Store, present: Store) -> None:
    """The log of the old file goes first: SQLite would play it into the new one."""
    for suffix in ("-wal", "-shm"):
        for store in (fresh, present):
            store.database.path.with_name(store.database.path.name + suffix).unlink(missing_ok=True)
    try:
        fresh.database.path.replace(present.database.path)
        sync_folder(present.data)
    except OSError as error:
        raise CatalogueError(
            f"{present.database.path}: another program has the catalogue open ({error.strerror}); close it first"
        ) from error


def _different(before: Dump, after: Dump) -> dict[str, int]:
    found = {table: len(set(before.get(table, ())) ^ set(rows)) for table, rows in after.items()}
    return {table: n for table, n in found.items() if n}


def _of_runs(store: Store, session: Session) -> list[str]:
    found: list[str] = []
    known = {run.file: run.revision for run in session.scalars(select(Run))}
    for name in sorted(known.keys() | {path.name for path in store.runs.glob("*.labrig")}):
        path = store.runs / name
        try:
            if not path.exists():
                found.append(f"{name}: the run's file is gone; its results stand in the catalogue alone")
            elif not finished(path):
                found.append(f"{name}: is being recorded, or was cut off; labrig recover closes it")
            elif name not in known:
                found.append(f"{name}: is not in the catalogue; labrig catalogue rebuild brings it in")
            elif known[name] != revision_of(path):
                found.append(f"{name}: has changed since it was filed; labrig catalogue rebuild brings it in")
        except RecordingError as error:
            found.append(str(error))
    return found


def _of_attachment(data: Path, row: Attachment) -> str:
    place = attachment_row(row).path
    try:
        with (data / place).open("rb") as file:
            same = hashlib.file_digest(file, "sha256").hexdigest() == row.sha256
    except OSError as error:
        return f"{place}: the attachment {row.name} of {row.kind} {row.subject} cannot be read ({error.strerror})"
    return "" if same else f"{place}: the attachment {row.name} of {row.kind} {row.subject} is not what was attached"
