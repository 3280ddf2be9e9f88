"""The check of a whole run file: every row, every count, SQLite's own structure, and the hash of the end record."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from labrig.recording import codec
from labrig.recording.records import Verification
from labrig.recording.schema import HASHED, Ledger
from labrig.recording.table import Row, checked_rows, end_row, highest


def verify(connection: sqlite3.Connection) -> Verification:
    """Read and check everything that an open run file holds."""
    damaged: list[str] = []
    ledger = ledger_of(connection, damaged)
    rows = dict(ledger.rows)
    for table in ("end", "analysis"):
        rows[table] = sum(1 for _ in checked_rows(connection, table, damaged.append))
    damaged += _structure(connection)
    row = end_row(connection)
    if row is None:
        return Verification(False, rows, tuple(damaged), None)
    promised = codec.end_from_json(row[5]).rows
    damaged += [f"{table}: {rows[table]} rows of {n}" for table, n in promised.items() if rows[table] != n]
    return Verification(True, rows, tuple(damaged), bool(row[6] == ledger.sha256()))


def ledger_of(connection: sqlite3.Connection, damaged: list[str]) -> Ledger:
    """Counts and hashes of all good rows under the end record's hash; the others are added to ``damaged``."""
    ledger = Ledger()
    widths: dict[int, int] = {}
    promised = 0
    for table in HASHED:
        for row in _without_holes(connection, table, damaged):
            ledger.add(table, row[:-1])
            if table == "source":
                widths[row[0]] = len(codec.loads(row[2]))
            elif table == "block":
                promised = max(promised, row[8] + widths.get(row[1], 1) - 1)
    if promised > highest(connection, "samples"):
        damaged.append(f"samples after {highest(connection, 'samples')} are missing, up to {promised}")
    return ledger


def _without_holes(connection: sqlite3.Connection, table: str, damaged: list[str]) -> Iterator[Row]:
    """The good rows of a table; ids count from 1 without a hole, so that a row that vanished shows."""
    known = len(damaged)
    following = 1
    for row in checked_rows(connection, table, damaged.append):
        named = len(damaged) - known
        if row[0] > following + named:
            damaged.append(f"{table} {following} to {row[0] - 1}: rows are missing")
        following, known = row[0] + 1, len(damaged)
        yield row


def _structure(connection: sqlite3.Connection) -> list[str]:
    try:
        found = [str(text) for (text,) in connection.execute("PRAGMA integrity_check(20)")]
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        return [f"structure: {error}"]
    return [] if found == ["ok"] else [f"structure: {text}" for text in found]
