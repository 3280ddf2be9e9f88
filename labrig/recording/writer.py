"""The one connection that writes a run file: rows in, commits out. Knows nothing of threads and queues."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from labrig.errors import RecordingError
from labrig.model import Block, Event, Outcome, RunHeader
from labrig.recording import codec, rows, schema
from labrig.recording.about import about, channel_cells
from labrig.recording.opening import wal_of
from labrig.recording.records import End, Totals
from labrig.recording.schema import Cell
from labrig.recording.table import one_row

CHECKPOINT_PAGES: Final = 2048
"""8 MB of write-ahead log before its pages move into the main file; a recorder's reserve must have room for that."""


@dataclass(frozen=True, slots=True)
class ClockPair:
    """The run's monotonic clock beside UTC, as the recorder reads both at one moment."""

    time: int
    utc: str


@dataclass(slots=True)
class _State:
    """All that a rolled back transaction must take back."""

    ledger: schema.Ledger = field(default_factory=schema.Ledger)
    sources: dict[tuple[str, tuple[str, ...]], int] = field(default_factory=dict)
    channels: dict[str, int] = field(default_factory=dict)
    totals: dict[str, Totals] = field(default_factory=dict)

    def copy(self) -> _State:
        return _State(self.ledger.copy(), dict(self.sources), dict(self.channels), dict(self.totals))


class DiskFull(RecordingError):
    """There is no more room; the transaction was taken back whole, and may be tried again once there is."""


class RunWriter:
    """A new run file. Each `write` is one transaction; all methods raise `RecordingError`, and never retry."""

    def __init__(self, path: Path, header: RunHeader) -> None:
        """Create the file, never over another, and commit its header; file and folder are on the disk then."""
        self.path = path.absolute()
        self._state = _State()
        _create(self.path)
        try:
            self._connection = self._begin(header)
        except (sqlite3.Error, OSError, TypeError, ValueError) as error:
            self.path.unlink(missing_ok=True)
            raise RecordingError(
                f"{self.path}: the run file cannot be written ({error}); nothing was started"
            ) from error

    def write(self, items: Sequence[Block | Event | ClockPair]) -> None:
        """Write and commit; when it returns, the items are on the disk, and when it raises, none of them counts."""
        before = self._state.copy()
        try:
            self._connection.execute("BEGIN")
            for block in rows.merged(item for item in items if isinstance(item, Block) and len(item)):
                self._block(block)
            for item in items:
                if isinstance(item, ClockPair):
                    self._insert("clock", (self._next("clock"), item.time, item.utc))
                elif not isinstance(item, Block):
                    self._insert("event", (self._next("event"), item.time, item.kind, codec.to_json(item)))
            self._connection.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            self._state = before
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            full = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
            raise (DiskFull if full else RecordingError)(f"{self.path}: {error}") from error

    def end(self, outcome: Outcome, reason: str, *, pair: ClockPair, dropped: dict[str, int]) -> None:
        """Write the end record, then make the one file whole: no ``-wal`` beside it any more."""
        ledger = self._state.ledger
        try:
            self._connection.execute("BEGIN")
            copy_header(self._connection, ledger)
            totals, sources = self._state.totals, tuple(self._state.sources)
            end = End(outcome, reason, pair.time, pair.utc, totals, sources, ledger.rows, dropped)
            insert_end(self._connection, 1, end, ledger)
            self._connection.execute("COMMIT")
            finish(self._connection)
        except (sqlite3.Error, OSError) as error:
            raise RecordingError(
                f"{self.path}: the end of the run could not be written ({error}); the samples up to then are in the "
                "file, which counts as interrupted: recover it when the disk is well again"
            ) from error
        finally:
            self._connection.close()
        sync_folder(self.path)

    def abandon(self) -> None:
        """Let go of the file as it is; it counts as interrupted."""
        with suppress(sqlite3.Error):
            self._connection.close()

    def discard(self) -> None:
        """Delete the file, in which there is nothing but a header."""
        self.abandon()
        for path in (self.path, wal_of(self.path)):
            path.unlink(missing_ok=True)

    def _begin(self, header: RunHeader) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{self.path.as_uri()}?mode=rw", uri=True, isolation_level=None, check_same_thread=False
        )
        self._connection = connection
        try:
            connection.execute("PRAGMA synchronous = FULL")
            # One transaction: a file that says it is a run file has its tables and its header.
            connection.executescript(f"BEGIN;{schema.MARKS}{schema.TABLES}")
            for number, (key, value) in enumerate(about(header).items(), 1):
                self._insert("about", (number, key, value))
            self._insert("header", (1, codec.to_json(header)))
            for number, channel in enumerate(header.channels, 1):
                self._insert("channel", channel_cells(number, channel))
                self._state.channels[channel.name] = number
            self._insert("clock", (1, header.started_ns, header.started_utc))
            connection.execute("COMMIT")
            # From here on no second connection can get in, so the one writer is the only one that checkpoints
            # (two at once can corrupt a file before SQLite 3.51.3); there is no -shm file either.
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
            connection.execute("PRAGMA cache_size = -16000")
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("COMMIT")
            sync_folder(self.path)
        except BaseException:
            connection.close()
            raise
        return connection

    def _block(self, block: Block) -> None:
        number, first = self._next("block"), self._next("samples")
        self._insert("block", rows.block_cells(number, self._source(block), first, block))
        for position, name in enumerate(block.channels):
            low, high, raw, quality = rows.pack_column(block.values[:, position], block.quality[:, position])
            channel = self._state.channels[name]
            self._insert("samples", (first + position, number, channel, low, high, raw, quality))
        totals = self._state.totals
        totals[block.source] = totals.get(block.source, Totals()).plus(block.first, len(block))

    def _source(self, block: Block) -> int:
        key = (block.source, block.channels)
        if key not in self._state.sources:
            for name in block.channels:
                if name not in self._state.channels:
                    self._state.channels[name] = self._next("channel")
                    unknown = (self._state.channels[name], name, *[None] * 10)
                    self._insert("channel", unknown)
            number = self._next("source")
            channels = codec.dumps([self._state.channels[name] for name in block.channels])
            self._insert("source", (number, block.source, channels))
            self._state.sources[key] = number
        return self._state.sources[key]

    def _next(self, table: str) -> int:
        return self._state.ledger.rows[table] + 1

    def _insert(self, table: str, cells: tuple[Cell, ...]) -> None:
        row = schema.storable(cells)
        self._connection.execute(schema.insert(table), (*row, self._state.ledger.add(table, row)))


def copy_header(connection: sqlite3.Connection, ledger: schema.Ledger) -> None:
    """Write the header a second time, far from the first: without one the samples have no meaning."""
    row = one_row(connection, "header", 1)
    if row is not None and ledger.rows["header"] == 1:
        cells = (2, row[1])
        connection.execute(schema.insert("header"), (*cells, ledger.add("header", cells)))


def insert_end(connection: sqlite3.Connection, number: int, end: End, ledger: schema.Ledger) -> None:
    """Add an end record."""
    known = (number, end.outcome.value, end.reason, end.time, end.utc, codec.to_json(end), ledger.sha256())
    cells = schema.storable(known)
    connection.execute(schema.insert("end"), (*cells, schema.crc(cells)))


def finish(connection: sqlite3.Connection) -> None:
    """Move everything from the write-ahead log into the file, and leave the file alone in its folder."""
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (mode,) = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
    if mode != "delete":
        raise sqlite3.OperationalError("the write-ahead log could not be closed")


def sync_folder(path: Path) -> None:
    """Make a file's name durable; on Windows the file system does that by itself."""
    if sys.platform == "win32":
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _create(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o644))
    except FileExistsError as error:
        raise RecordingError(f"{path}: there is a file of this name already; labrig never writes over a run") from error
    except OSError as error:
        raise RecordingError(
            f"{path}: the run file cannot be created ({error.strerror}); choose a folder on a local disk in which "
            "you may write"
        ) from error
