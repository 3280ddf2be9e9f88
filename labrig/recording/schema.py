"""The tables of a run file, and the bytes that their checksums cover; docs/run-file.md explains both to people."""

from __future__ import annotations

import hashlib
import math
import sqlite3
import struct
import zlib
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hashlib import _Hash

APPLICATION_ID: Final = 0x4C414252
"""``LABR``: what marks an SQLite file as a run file."""
VERSION: Final = 1
"""``user_version`` of the files that this code writes; it reads these and no later ones."""

MARKS: Final = f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION};"

TROUBLE: Final = (sqlite3.Error, UnicodeDecodeError)
"""What reading may raise: the module cannot decode its own message where that cites damaged text."""

Cell = int | float | str | bytes | memoryview | None
"""What a column holds."""

TABLES: Final = """
CREATE TABLE about (id INTEGER PRIMARY KEY, key TEXT NOT NULL, value TEXT NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE header (id INTEGER PRIMARY KEY, json TEXT NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE channel (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, label TEXT, unit TEXT, unit_factor REAL, unit_offset REAL,
    raw_unit TEXT, coefficients TEXT, low REAL, high REAL, resolution REAL, address TEXT, crc INTEGER NOT NULL);
CREATE TABLE source (id INTEGER PRIMARY KEY, name TEXT NOT NULL, channels TEXT NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE block (
    id INTEGER PRIMARY KEY, source INTEGER NOT NULL, first INTEGER NOT NULL, n INTEGER NOT NULL,
    start_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL, step_ns INTEGER NOT NULL, times BLOB NOT NULL,
    samples INTEGER NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE samples (
    id INTEGER PRIMARY KEY, block INTEGER NOT NULL, channel INTEGER NOT NULL, low REAL, high REAL,
    raw BLOB NOT NULL, quality BLOB NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE event (
    id INTEGER PRIMARY KEY, time_ns INTEGER NOT NULL, kind TEXT NOT NULL, json TEXT NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE clock (id INTEGER PRIMARY KEY, time_ns INTEGER NOT NULL, utc TEXT NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE end (
    id INTEGER PRIMARY KEY, outcome TEXT NOT NULL, reason TEXT NOT NULL, time_ns INTEGER NOT NULL, utc TEXT NOT NULL,
    json TEXT NOT NULL, sha256 TEXT NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE analysis (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, version TEXT NOT NULL, utc TEXT NOT NULL,
    json TEXT NOT NULL, crc INTEGER NOT NULL);
CREATE VIEW overview AS
    SELECT source.name AS source, channel.name AS channel, channel.raw_unit AS raw_unit, block.first AS first,
        block.n AS n, (block.start_ns - (SELECT time_ns FROM clock WHERE id = 1)) / 1e9 AS start_s,
        (block.end_ns - (SELECT time_ns FROM clock WHERE id = 1)) / 1e9 AS end_s,
        samples.low AS raw_low, samples.high AS raw_high
    FROM samples JOIN block ON block.id = samples.block JOIN source ON source.id = block.source
        JOIN channel ON channel.id = samples.channel;
"""

HASHED: Final = ("about", "header", "channel", "source", "block", "samples", "event", "clock")
"""The tables under the end record's SHA-256, in its order."""

COLUMNS: Final = {
    "about": ("id", "key", "value"),
    "header": ("id", "json"),
    "channel": (
        *("id", "name", "label", "unit", "unit_factor", "unit_offset", "raw_unit", "coefficients"),
        *("low", "high", "resolution", "address"),
    ),
    "source": ("id", "name", "channels"),
    "block": ("id", "source", "first", "n", "start_ns", "end_ns", "step_ns", "times", "samples"),
    "samples": ("id", "block", "channel", "low", "high", "raw", "quality"),
    "event": ("id", "time_ns", "kind", "json"),
    "clock": ("id", "time_ns", "utc"),
    "end": ("id", "outcome", "reason", "time_ns", "utc", "json", "sha256"),
    "analysis": ("id", "name", "version", "utc", "json"),
}
"""The columns of each table, in the order in which its checksum covers them; ``crc`` follows as the last."""


def insert(table: str) -> str:
    """The statement that inserts a row of a table, ``crc`` last."""
    columns = (*COLUMNS[table], "crc")
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


def select(table: str) -> str:
    """The beginning of a statement that reads a table's rows, ``crc`` last."""
    return f"SELECT {', '.join((*COLUMNS[table], 'crc'))} FROM {table}"


def storable(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    r"""The cells with texts that UTF-8 can hold: half of a surrogate pair becomes ``\udXXX``, as JSON writes it too."""
    return tuple(cell.encode("utf-8", "backslashreplace").decode() if isinstance(cell, str) else cell for cell in cells)


def parts(cells: tuple[Cell, ...]) -> list[bytes | memoryview]:
    """The bytes of a row as its checksum covers them: no two different rows have the same ones.

    A tag, then: ``i`` and 8 bytes, little-endian, of an integer; ``f`` and 8 bytes of an IEEE double; ``t`` or ``b``,
    the length as 8 bytes, and the UTF-8 text or the bytes; ``n`` alone for NULL (SQLite keeps NaN as NULL). A negative
    zero counts as zero, because SQLite keeps it as one.
    """
    result: list[bytes | memoryview] = []
    for cell in cells:
        if cell is None or (isinstance(cell, float) and math.isnan(cell)):
            result.append(b"n")
        elif isinstance(cell, int):
            result.append(struct.pack("<cq", b"i", cell))
        elif isinstance(cell, float):
            result.append(struct.pack("<cd", b"f", cell + 0.0))
        else:
            tag, data = (b"t", cell.encode()) if isinstance(cell, str) else (b"b", cell)
            result += (struct.pack("<cq", tag, len(data)), data)
    return result


def crc(cells: tuple[Cell, ...]) -> int:
    """CRC-32 (as of zlib, gzip and PNG) over a row's bytes."""
    value = 0
    for part in parts(cells):
        value = zlib.crc32(part, value)
    return value


@cache
def expected() -> frozenset[str]:
    """The statements that a run file's tables are made with, as SQLite keeps them."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(TABLES)
        return frozenset(
            str(text) for (text,) in connection.execute("SELECT sql FROM sqlite_schema WHERE sql NOT NULL")
        )


@dataclass(slots=True)
class Ledger:
    """What a run file's end record says of its rows, kept up as they are written or read: counts and hashes."""

    rows: dict[str, int] = field(default_factory=lambda: dict.fromkeys(HASHED, 0))
    hashes: dict[str, _Hash] = field(default_factory=lambda: {table: hashlib.sha256() for table in HASHED})

    def add(self, table: str, cells: tuple[Cell, ...]) -> int:
        """Count and hash one row; returns its CRC-32."""
        value = 0
        total = self.hashes[table]
        for part in parts(cells):
            value = zlib.crc32(part, value)
            total.update(part)
        self.rows[table] += 1
        return value

    def sha256(self) -> str:
        """SHA-256 over the SHA-256 of each table's rows in order of id."""
        return hashlib.sha256(b"".join(self.hashes[table].digest() for table in HASHED)).hexdigest()

    def copy(self) -> Ledger:
        return Ledger(dict(self.rows), {table: total.copy() for table, total in self.hashes.items()})
