"""Giving an interrupted run file its end, so that it is one whole file again."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

from labrig.model import Outcome
from labrig.recording.disk import reserve_of
from labrig.recording.opening import READ_SECONDS, explained, open_to_add
from labrig.recording.records import End, Recovery, Totals
from labrig.recording.schema import TROUBLE
from labrig.recording.table import checked_rows, end_record, ignored, sources
from labrig.recording.verify import ledger_of
from labrig.recording.writer import copy_header, finish, insert_end, sync_folder


def recover(path: Path, *, now: datetime | None = None) -> Recovery:
    """Make an interrupted file whole: replay its log into it, check every row, and end it as *interrupted*.

    Rows are only added, never changed or deleted: damaged ones stay, are named in the end record, and are left out by
    readers. That is why no copy is made first. A file that has its end is left as it is, but for a log beside it that
    a kill during the closing left. Raises `RecordingError` for a file that is in use, or too damaged for SQLite.
    """
    connection = open_to_add(path, READ_SECONDS)
    try:
        return _recovered(connection, path, now or datetime.now(UTC))
    except TROUBLE as error:
        raise explained(path, error) from error
    finally:
        connection.close()


def _recovered(connection: sqlite3.Connection, path: Path, now: datetime) -> Recovery:
    in_wal_mode = connection.execute("PRAGMA journal_mode").fetchone() != ("delete",)
    known = end_record(connection, ignored)
    if known is not None and not in_wal_mode:
        return Recovery(False, known)
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("BEGIN IMMEDIATE")
    known = end_record(connection, ignored)
    end = known or _add_end(connection, now)
    connection.execute("COMMIT")
    finish(connection)
    reserve_of(path).unlink(missing_ok=True)
    sync_folder(path.absolute())
    return Recovery(known is None, end)


def _add_end(connection: sqlite3.Connection, now: datetime) -> End:
    damaged: list[str] = []
    ledger = ledger_of(connection, damaged, {})
    copy_header(connection, ledger)
    totals: dict[str, Totals] = {}
    known = sources(connection, checked_rows(connection, "source", ignored), ())
    last = 0
    for row in checked_rows(connection, "block", ignored):
        name = known[row[1]][0] if row[1] in known else "unknown"
        totals[name] = totals.get(name, Totals()).plus(row[2], row[3])
        last = max(last, row[5])
    for row in checked_rows(connection, "event", ignored):
        last = max(last, row[1])
    end = End(
        outcome=Outcome.INTERRUPTED,
        reason=f"the recording was cut off; recovered on {now.isoformat(timespec='seconds')}",
        time=last,
        utc=_utc(connection, last),
        totals=totals,
        sources=tuple(known.get(number, ("unknown", ())) for number in range(1, max(known, default=0) + 1)),
        rows=ledger.rows,
        damaged=tuple(damaged),
    )
    (number,) = connection.execute("SELECT ifnull(max(id), 0) + 1 FROM end").fetchone()
    insert_end(connection, number, end, ledger)
    return end


def _utc(connection: sqlite3.Connection, time: int) -> str:
    """UTC at a time of the run's clock, by the last pair before it; empty where no pair can be read."""
    result = ""
    for _, paired, utc, _ in checked_rows(connection, "clock", ignored):
        if paired <= time or not result:
            result = (datetime.fromisoformat(utc) + timedelta(microseconds=(time - paired) // 1000)).isoformat()
    return result
