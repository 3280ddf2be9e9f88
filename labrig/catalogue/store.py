"""Writing the catalogue: entries go to the ledger first, runs come from their files, and both can be done again."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any, Final

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from labrig.catalogue.database import FILE, Database, newer
from labrig.catalogue.entries import AttachmentEntry, CouponEntry, Entry
from labrig.catalogue.ledger import ChangeLine, EntryLine, Ledger, Mark
from labrig.catalogue.run_facts import finished, read_run, revision_of, store_run, stored_revisions
from labrig.catalogue.settling import chunks, facts_of, settle
from labrig.catalogue.tables import HEAD, About, Attachment, Change, Coupon, Entered, Run
from labrig.errors import CatalogueError, RecordingError

RUNS: Final = "runs"
MANY: Final = 50


class How(Enum):
    """What is expected of the subjects of an entry."""

    ADD = "add"
    """None of them is there yet."""
    EDIT = "edit"
    """All of them are."""
    EITHER = "either"


@dataclass(frozen=True, slots=True)
class Filed:
    """What became of run files."""

    changed: tuple[str, ...]
    """Names of those whose rows are other ones now."""
    failed: Mapping[str, str]
    """Why the others could not be read, by name."""


class Store:
    """The catalogue of a data folder, to write to; every method raises `CatalogueError`."""

    def __init__(self, data: Path, name: str = FILE) -> None:
        self.data, self.runs = data, data / RUNS
        self.database, self.ledger = Database(data, name), Ledger(data)

    def ready(self) -> None:
        """Make or migrate the tables where need be, and catch up with the ledger."""
        revision = self._checked_revision()
        if revision == HEAD and self._followed() == self.ledger.size:
            return
        if revision:
            with self.writing():
                return
        self.sync()

    def enter(self, entries: Sequence[Entry], *, by: str, reason: str = "", how: How = How.EITHER) -> int:
        """Write down what somebody entered, all of it or nothing; returns the number of the entry.

        An entry that changes nothing is not written, and its number is 0.
        """
        kept = False
        try:
            with self.writing() as session:
                changes = tuple(filter(None, (_change(session, entry, how) for entry in _unique(entries))))
                if not changes:
                    return 0
                mark = _mark(session)
                now = datetime.now(UTC).isoformat(timespec="microseconds")
                line = EntryLine(
                    entry=mark.entry + 1, utc=now, by=by, reason=reason, changes=changes, previous=mark.sha256
                )
                _apply(session, line)
                _check_coupons(session, [change.subject for change in changes if change.kind == CouponEntry.kind])
                _tell_planner(session, len(changes))
                _set_mark(session, self.ledger.append(line, mark))
                session.flush()
                kept = True
        except CatalogueError as error:
            if not kept:
                raise
            raise CatalogueError(f"what was entered is kept in {self.ledger.path}, but: {error}") from error
        return line.entry

    def file_run(self, path: Path) -> bool:
        """Put a closed run file into the catalogue; False where it is there as it stands.

        Raises `RecordingError` for a file that cannot be read.
        """
        rows = read_run(path)
        with self.writing() as session:
            return self._stored(session, rows.run["id"], path) and store_run(session, rows)

    def sync(self) -> Filed:
        """Bring in every closed run file that is not in the catalogue as it stands, and the whole ledger."""
        with self.writing() as session:
            return self._synced(session)

    def fill(self) -> Filed:
        """As `sync`, for whoever holds the lock already."""
        self.database.migrate()
        with self.database.writing() as session:
            self._follow(session)
            return self._synced(session)

    def _synced(self, session: Session) -> Filed:
        changed: list[str] = []
        failed: dict[str, str] = {}
        known = stored_revisions(session)
        for path in sorted(self.runs.glob("*.labrig")):
            try:
                if not finished(path) or known.get(path.name) == revision_of(path):
                    continue
                rows = read_run(path)
            except RecordingError as error:
                failed[path.name] = str(error)
                continue
            if self._stored(session, rows.run["id"], path) and store_run(session, rows):
                changed.append(path.name)
        _tell_planner(session, len(changed))
        return Filed(tuple(changed), failed)

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction of the only writer, on tables that are there, with the ledger followed."""
        with self.database.locked():
            revision = self._checked_revision()
            if revision != HEAD:
                self.database.migrate()
            with self.database.writing() as session:
                self._follow(session)
                yield session

    def _checked_revision(self) -> str:
        revision = self.database.revision()
        if newer(revision):
            raise CatalogueError(
                f"{self.database.path}: this catalogue was made by a later labrig (its tables are at {revision}, this "
                f"one knows {HEAD}); nothing was changed. Use the later labrig, or point --data elsewhere"
            )
        return revision

    def _followed(self) -> int:
        with self.database.reading() as session:
            return _mark(session).offset

    def _follow(self, session: Session) -> None:
        mark = _mark(session)
        if mark.offset == self.ledger.size:
            return
        for line, behind in self.ledger.after(mark):
            _apply(session, line)
            _set_mark(session, behind)
            session.flush()

    def _stored(self, session: Session, run: str, path: Path) -> bool:
        """Whether this file is the one to take a run from; of two copies in the folder the first by name is."""
        present = session.get(Run, run)
        if present is None or present.file >= path.name:
            return True
        return not (self.runs / present.file).exists()


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk; Windows does that by itself."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _tell_planner(session: Session, changed: int) -> None:
    """Let SQLite count anew what its plans rest on, where much has changed; a sample of each index is enough."""
    if changed >= MANY:
        session.execute(text("PRAGMA analysis_limit = 1000"))
        session.execute(text("ANALYZE"))


def _unique(entries: Sequence[Entry]) -> Sequence[Entry]:
    seen: set[tuple[str, str]] = set()
    for entry in entries:
        key = (entry.kind, entry.subject)
        if key in seen:
            raise CatalogueError(f"the {entry.kind} {entry.subject} comes twice in one entry; nothing was changed")
        seen.add(key)
    return entries


def _change(session: Session, entry: Entry, how: How) -> ChangeLine | None:
    """None where nothing would be another."""
    before, after = facts_of(session, entry.kind, entry.subject), entry.facts
    if isinstance(entry, AttachmentEntry):
        return ChangeLine(kind=entry.kind, subject=entry.subject, before=None, after=after)
    if before is None and how is How.EDIT:
        raise CatalogueError(f"the catalogue has no {entry.kind} {entry.subject}; nothing was changed. Add it first")
    if before is not None and how is How.ADD:
        raise CatalogueError(
            f"the {entry.kind} {entry.subject} is in the catalogue already; nothing was changed. Edit it instead"
        )
    if before is None:
        return ChangeLine(kind=entry.kind, subject=entry.subject, before=None, after=after)
    changed = {key: value for key, value in after.items() if key not in before or before[key] != value}
    if not changed:
        return None
    shown = {key: before.get(key) for key in changed}
    return ChangeLine(kind=entry.kind, subject=entry.subject, before=shown, after=changed)


def _check_coupons(session: Session, ids: Sequence[str]) -> None:
    """Refuse a sheet without a lot, and a barcode that another coupon has."""
    for chunk in chunks(ids):
        for coupon in session.scalars(select(Coupon).where(Coupon.id.in_(chunk))):
            facts = facts_of(session, CouponEntry.kind, coupon.id) or {} if coupon.lot is None else {}
            if facts.get("sheet"):
                raise CatalogueError(f"coupon {coupon.id}: a sheet is one of a lot; nothing was changed. Name it")
            if not coupon.barcode:
                continue
            same = select(Coupon.id).where(Coupon.barcode == coupon.barcode, Coupon.id != coupon.id)
            if (other := session.scalar(same.limit(1))) is not None:
                raise CatalogueError(
                    f"coupon {coupon.id}: {other} has the barcode {coupon.barcode!r} already; nothing was changed"
                )


def _apply(session: Session, line: EntryLine) -> None:
    """Bring one line of the ledger into the tables."""
    subjects: defaultdict[str, list[str]] = defaultdict(list)
    for change in line.changes:
        subjects[change.kind].append(change.subject)
    merged = {
        (row.kind, row.subject): row
        for kind, names in subjects.items()
        for chunk in chunks(names)
        for row in session.scalars(select(Entered).where(Entered.kind == kind, Entered.subject.in_(chunk)))
    }
    for change in line.changes:
        if change.kind == AttachmentEntry.kind:
            session.merge(_attachment(line, change))
            continue
        facts = dict(change.after)
        if "condition" in facts:
            facts |= {"condition_since": line.utc, "condition_by": line.by}
        row = merged.get((change.kind, change.subject))
        if row is None:
            session.add(Entered(kind=change.kind, subject=change.subject, facts=facts, utc=line.utc))
        else:
            row.facts, row.utc = {**row.facts, **facts}, line.utc
    session.flush()
    session.execute(insert(Change), [_change_row(line, place, change) for place, change in enumerate(line.changes)])
    settle(session, subjects)


def _change_row(line: EntryLine, place: int, change: ChangeLine) -> dict[str, Any]:
    return {
        "entry": line.entry,
        "place": place,
        "utc": line.utc,
        "by": line.by,
        "reason": line.reason,
        "kind": change.kind,
        "subject": change.subject,
        "before": change.before,
        "after": change.after,
    }


def _attachment(line: EntryLine, change: ChangeLine) -> Attachment:
    kind, subject, name = change.subject.split("/", 2)
    facts = change.after
    return Attachment(
        kind=kind, subject=subject, name=name, sha256=facts["sha256"], size=facts["size"],
        note=facts.get("note", ""), utc=line.utc, by=line.by,
    )  # fmt: skip


def _mark(session: Session) -> Mark:
    known = {row.key: row.value for row in session.scalars(select(About))}
    return Mark(int(known.get("entry", 0)), int(known.get("offset", 0)), known.get("sha256", ""))


def _set_mark(session: Session, mark: Mark) -> None:
    for key, value in (("entry", str(mark.entry)), ("offset", str(mark.offset)), ("sha256", mark.sha256)):
        session.merge(About(key=key, value=value))
