"""Connections to the catalogue's SQLite file: short, checked, and one writer at a time.

Readers open the file read-only. A writer first takes the lock file, so that no two connections ever write or checkpoint
at once (SQLite before 3.51.3 can lose a write-ahead log to that), and so that the ledger has one writer too.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, NullPool, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from labrig.catalogue.tables import HEAD
from labrig.errors import CatalogueError
from labrig.oslock import lock
from labrig.recording.codec import dumps, loads
from labrig.recording.disk import refuse_network

FILE: Final = "catalogue.db"
LOCK: Final = "catalogue.lock"
WAIT: Final = 30.0
"""Seconds to wait for another writer: a rebuild of some thousand runs takes less."""
_LOOK: Final = 0.01
_TROUBLE: Final = (DBAPIError, UnicodeDecodeError)


class Database:
    """The file in a data folder; holds nothing open between uses."""

    def __init__(self, data: Path, name: str = FILE) -> None:
        self.data, self.path = data, data / name
        self._reading = _engine(f"{self.path.absolute().as_uri()}?mode=ro", "BEGIN")
        self._writing = _engine(f"{self.path.absolute().as_uri()}?mode=rwc", "BEGIN IMMEDIATE")

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """One consistent view; raises `CatalogueError`."""
        with self._explained(), Session(self._reading) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction of whoever holds `locked`: committed at the end of the block, undone by an error."""
        with self._explained(), Session(self._writing, autoflush=False) as session, session.begin():
            yield session

    @contextmanager
    def locked(self, wait: float = WAIT) -> Iterator[None]:
        """Be the only writer; raises `CatalogueError` where another one does not end in time."""
        try:
            self.data.mkdir(parents=True, exist_ok=True)
            file = os.open(self.data / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise CatalogueError(f"{self.data} cannot be written ({error.strerror}); choose another folder") from error
        try:
            _wait_for(file, wait, self.path)
            yield
        finally:
            os.close(file)

    def revision(self) -> str:
        """The migration that the file is at; empty where there is no catalogue yet. Raises `CatalogueError`."""
        if not self.path.exists() or self.path.stat().st_size == 0:
            return ""
        with self._explained(), self._reading.connect() as connection:
            if not _has(connection, "alembic_version"):
                return ""
            return str(connection.scalar(text("SELECT version_num FROM alembic_version")) or "")

    def migrate(self) -> None:
        """Bring the tables to `HEAD`, in one transaction; whoever holds `locked` calls it."""
        from alembic import command
        from alembic.config import Config

        refuse_network(self.path)
        config = Config()
        config.set_main_option("script_location", "labrig.catalogue:migrations")
        config.set_main_option("path_separator", "os")
        with self._explained():
            with self._writing.connect() as connection:
                connection.exec_driver_sql("COMMIT")  # WAL cannot be set within a transaction
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            with self._writing.begin() as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")

    def checkpoint(self) -> None:
        """Move everything from the log into the file, so that it is whole by itself."""
        with self._explained(), self._writing.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def fault(self) -> str:
        """What SQLite's own check says against the file; empty where it is sound."""
        try:
            with self.reading() as session:
                found = session.scalars(text("PRAGMA integrity_check(5)")).all()
                dangling = session.execute(text("PRAGMA foreign_key_check")).all()
        except CatalogueError as error:
            return str(error)
        return "; ".join([word for word in found if word != "ok"] + [f"{row[0]} refers to nothing" for row in dangling])

    def remove(self) -> None:
        """Take the file away, with its log; whoever holds `locked` calls it."""
        for suffix in ("-wal", "-shm", ""):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except _TROUBLE as error:
            raise _in_words(self.path, error) from error


def newer(revision: str) -> bool:
    """Whether a catalogue was made by a later labrig."""
    return revision > HEAD


def _engine(address: str, begin: str) -> Engine:
    engine = create_engine(
        f"sqlite+pysqlite:///{address}&uri=true", poolclass=NullPool, json_serializer=dumps, json_deserializer=loads
    )

    def connected(connection: Any, _: object) -> None:  # noqa: ANN401 - sqlite3's, behind SQLAlchemy's
        connection.isolation_level = None  # transactions begin where labrig says, not where sqlite3 thinks
        connection.execute("PRAGMA busy_timeout = 10000")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")

    def began(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", began)
    return engine


def _wait_for(file: int, wait: float, path: Path) -> None:
    never = threading.Event()
    for _ in range(max(1, round(wait / _LOOK))):
        with suppress(OSError):
            lock(file)
            return
        never.wait(_LOOK)
    raise CatalogueError(
        f"{path}: another program has been writing to the catalogue for {wait:.0f} s; nothing was changed. Try again "
        "when it has ended"
    )


def _has(connection: Connection, table: str) -> bool:
    found = connection.scalar(text("SELECT count(*) FROM sqlite_schema WHERE name = :name"), {"name": table})
    return bool(found)


def _in_words(path: Path, error: Exception) -> CatalogueError:
    """What an error of the database means for the catalogue."""
    original = getattr(error, "orig", None) or error
    name = str(getattr(original, "sqlite_errorname", ""))
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        return CatalogueError(
            f"{path}: the disk is full or does not work ({original}); the catalogue is as it was before. Make room and "
            "try again"
        )
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) or isinstance(original, UnicodeDecodeError):
        return CatalogueError(
            f"{path}: the catalogue's file is damaged ({original}). Runs and entries are not touched by that: "
            "labrig catalogue rebuild makes it anew from them"
        )
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return CatalogueError(f"{path}: the catalogue cannot be opened or written here ({original})")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return CatalogueError(f"{path}: another program holds the catalogue; nothing was changed. Try again")
    return CatalogueError(f"{path}: {original}; the catalogue is as it was before")
