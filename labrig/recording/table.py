"""Rows out of a run file, each checked against its CRC; what cannot be trusted is named instead."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from labrig.recording import codec
from labrig.recording.records import End
from labrig.recording.schema import TROUBLE, crc, select

Row = tuple[Any, ...]
"""A row's columns, ``crc`` last. Any: SQLite's columns have no types; a CRC that fits says they are as written."""
Note = Callable[[str], None]
"""Takes the name of a damaged row, such as ``samples 17: damaged``."""

_OTHER_TROUBLE: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_INTERRUPT}

_GIVEN_UP: Final = 20_000
"""Successive ids that are not found behind a damaged page; such a page leads to fewer in files of the usual kind."""


def checked_rows(connection: sqlite3.Connection, table: str, note: Note, promised: int = 0) -> Iterator[Row]:
    """The rows of a table in order of id whose CRC fits; ``note`` gets the damaged ones and the missing ones.

    Ids count from 1 without a hole, up to ``promised`` where the end record says how many there are.
    """
    following = 1
    for row in _readable(connection, table, note, promised):
        if not fits(row):
            note(f"{table} {row[0]}: damaged")
            following = max(following, row[0] + 1) if row[0] == following else following
            continue
        if row[0] > following:
            note(_missing(table, following, row[0] - 1))
        following = row[0] + 1
        yield row
    if following <= promised:
        note(_missing(table, following, promised))


def one_row(connection: sqlite3.Connection, table: str, number: int) -> Row | None:
    """The row of that id where it is there and its CRC fits."""
    row = _looked_up(connection, f"{select(table)} WHERE id = ?", (number,))
    return row if row is not None and row[0] == number and fits(row) else None


def sources(
    connection: sqlite3.Connection, found: Iterable[Row], known: tuple[str, ...]
) -> dict[int, tuple[str, tuple[str, ...]]]:
    """Name and channels by id, of these rows of ``source``.

    ``known`` are the names of the header's channels, which are the first in their table, in this order: a damaged row
    there costs no name.
    """
    names = {row[0]: row[1] for row in checked_rows(connection, "channel", ignored)} | dict(enumerate(known, 1))
    return {
        number: (name, tuple(names.get(one, f"channel {one}") for one in codec.loads(channels)))
        for number, name, channels, _ in found
    }


def ignored(_: str) -> None:
    """A note that nobody reads, because another pass over the file takes it too."""


def fits(row: Row) -> bool:
    """Whether a row's CRC is that of its other columns."""
    value: object = row[-1]
    return isinstance(value, int) and value == crc(row[:-1])


def end_row(connection: sqlite3.Connection, note: Note) -> Row | None:
    """The row of the end record; a recovery adds a second one where the first was damaged."""
    found = list(checked_rows(connection, "end", note))
    return found[-1] if found else None


def end_record(connection: sqlite3.Connection, note: Note) -> End | None:
    """How the run ended; None where the recording was cut off and not yet recovered."""
    row = end_row(connection, note)
    return codec.end_from_json(row[5]) if row else None


def _readable(connection: sqlite3.Connection, table: str, note: Note, promised: int) -> Iterator[Row]:
    """All rows; where SQLite itself stumbles over a damaged page, those behind it are looked up one by one."""
    last = 0
    try:
        for row in connection.execute(f"{select(table)} ORDER BY id"):
            last = row[0]
            yield row
        return
    except TROUBLE as error:
        _only_damage(error)
        note(f"{table} after {last}: {error}")
    number, missed = last + 1, 0
    while missed < _GIVEN_UP and not 0 < promised < number:
        found = _looked_up(connection, f"{select(table)} WHERE id = ?", (number,))
        missed = 0 if found else missed + 1
        number += 1
        if found:
            yield found


def _missing(table: str, start: int, end: int) -> str:
    return f"{table} {start}: missing" if start == end else f"{table} {start} to {end}: missing"


def _looked_up(connection: sqlite3.Connection, statement: str, arguments: tuple[int, ...]) -> Row | None:
    try:
        row: Row | None = connection.execute(statement, arguments).fetchone()
    except TROUBLE as error:
        _only_damage(error)
        return None
    return row


def _only_damage(error: Exception) -> None:
    """Raise again what says nothing of the file: a lock, a closed connection, a shortage of memory."""
    misuse = isinstance(error, sqlite3.ProgrammingError | sqlite3.InterfaceError)
    if misuse or getattr(error, "sqlite_errorcode", 0) & 0xFF in _OTHER_TROUBLE:
        raise error
