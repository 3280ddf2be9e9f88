"""Opening run files that exist: to read, so that nothing on the disk changes, or to add to a finished one."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from labrig.errors import RecordingError
from labrig.recording.schema import APPLICATION_ID, TROUBLE, VERSION

READ_SECONDS: Final = 1.0
"""How long to wait for another program that holds the file: an addition takes less, and a run goes on for longer."""


def open_to_read(path: Path) -> sqlite3.Connection:
    """A connection that changes neither the file nor its write-ahead log; raises `RecordingError`.

    An interrupted file is read together with its ``-wal``; SQLite may put its index of that log (``-shm``, no data)
    beside it.
    """
    path = _existing(path)
    try:
        return _checked(path, "mode=ro", READ_SECONDS)
    except sqlite3.OperationalError as error:
        # A file in write-ahead mode whose log was not copied along: nothing to replay, so it is read as it stands.
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_CANTOPEN and not wal_of(path).exists():
            return _or_explained(path, "mode=ro&immutable=1", READ_SECONDS)
        raise explained(path, error) from error
    except TROUBLE as error:
        raise explained(path, error) from error


def open_to_add(path: Path, wait: float) -> sqlite3.Connection:
    """A connection that writes to a file that exists, every commit on the disk when it returns.

    It waits so many seconds for another program that holds the file.
    """
    connection = _or_explained(_existing(path), "mode=rw", wait)
    connection.execute("PRAGMA synchronous = EXTRA")
    return connection


def wal_of(path: Path) -> Path:
    """The write-ahead log beside a run file that is being written or was interrupted."""
    return path.with_name(path.name + "-wal")


def explained(path: Path, error: Exception) -> RecordingError:
    """What an error of SQLite means for a run file, in words."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return RecordingError(f"{path}: the file is in use: a run is being recorded into it; wait until it has ended")
    if code == sqlite3.SQLITE_CANTOPEN:
        return RecordingError(
            f"{path}: the recording was interrupted, and its {wal_of(path).name} can only be read in a folder in which "
            "you may write; copy both files to one"
        )
    if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_READONLY_ROLLBACK:
        return RecordingError(
            f"{path}: results were being added to the file when the program or the power went; recover the file, and "
            "that addition is taken back whole"
        )
    if code == sqlite3.SQLITE_READONLY:
        return RecordingError(f"{path}: the file cannot be written ({error}); nothing was changed")
    if code in {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL}:
        return RecordingError(
            f"{path}: the disk is full or does not work ({error}); nothing is lost that was in the file: make room, or "
            "copy it and its -wal to another disk"
        )
    return RecordingError(f"{path}: the file is damaged or no run file ({error}); labrig changed nothing in it")


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise RecordingError(f"{path}: there is no such run file")
    return path.absolute()


def _or_explained(path: Path, how: str, wait: float) -> sqlite3.Connection:
    try:
        return _checked(path, how, wait)
    except TROUBLE as error:
        raise explained(path, error) from error


def _checked(path: Path, how: str, timeout: float) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.as_uri()}?{how}", uri=True, isolation_level=None, timeout=timeout)
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        _refuse_others(path, tables, application, version)
    except BaseException:
        connection.close()
        raise
    return connection


def _refuse_others(path: Path, tables: int, application: int, version: int) -> None:
    if not tables:
        raise RecordingError(
            f"{path}: this is no run file yet: it is empty, because its recording ended before it began; it can be "
            "deleted"
        )
    if application != APPLICATION_ID:
        raise RecordingError(f"{path}: this is no run file of labrig (application id {application:#x})")
    if version != VERSION:
        raise RecordingError(
            f"{path}: a run file of version {version}; this labrig reads version {VERSION}, so use a later one"
        )
