"""The check of a whole run file: every row, every count, SQLite's own structure, and the hash of the end record."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from labrig.recording import codec
from labrig.recording.records import Verification
from labrig.recording.schema import HASHED, TROUBLE, Ledger, expected
from labrig.recording.table import checked_rows, end_row, ignored


def verify(connection: sqlite3.Connection) -> Verification:
    """Read and check everything that an open run file holds."""
    damaged: list[str] = []
    row = end_row(connection, ignored)
    promised = codec.end_from_json(row[5]).rows if row else {}
    ledger = ledger_of(connection, damaged, promised)
    rows = dict(ledger.rows)
    for table in ("end", "analysis"):
        rows[table] = sum(1 for _ in checked_rows(connection, table, damaged.append))
    damaged += _structure(connection)
    return Verification(row is not None, rows, tuple(damaged), bool(row[6] == ledger.sha256()) if row else None)


def ledger_of(connection: sqlite3.Connection, damaged: list[str], promised: Mapping[str, int]) -> Ledger:
    """Counts and hashes of all good rows under the end record's hash; the others are added to ``damaged``."""
    ledger = Ledger()
    widths: dict[int, int] = {}
    columns = 0
    for table in HASHED:
        least = max(promised.get(table, 0), columns if table == "samples" else 0)
        for row in checked_rows(connection, table, damaged.append, least):
            ledger.add(table, row[:-1])
            if table == "source":
                widths[row[0]] = len(codec.loads(row[2]))
            elif table == "block":
                columns = max(columns, row[8] + widths.get(row[1], 1) - 1)
    return ledger


def _structure(connection: sqlite3.Connection) -> list[str]:
    """What SQLite finds wrong with its pages, and whether the tables are those of the format."""
    try:
        found = [str(text) for (text,) in connection.execute("PRAGMA integrity_check(20)")]
        statements = {str(text) for (text,) in connection.execute("SELECT sql FROM sqlite_schema WHERE sql NOT NULL")}
    except TROUBLE as error:
        return [f"structure: {error}"]
    if statements - expected() or expected() - statements:
        found.append("the tables are not those of a run file")
    return [f"structure: {text}" for text in found if text != "ok"]
