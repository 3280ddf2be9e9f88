"""Rows out of a run file, each checked against its CRC; what cannot be trusted is named instead."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any, Final

from labrig.recording import codec
from labrig.recording.records import End
from labrig.recording.schema import crc, select

Row = tuple[Any, ...]
"""A row's columns, ``crc`` last. Any: SQLite's columns have no types; a CRC that fits says they are as written."""
Note = Callable[[str], None]
"""Takes the name of a damaged row, such as ``samples 17``."""

_OTHER_TROUBLE: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_INTERRUPT}


def checked_rows(
    connection: sqlite3.Connection, table: str, note: Note, where: str = "", arguments: tuple[int, ...] = ()
) -> Iterator[Row]:
    """The rows of a table in order of id (of those that ``where`` selects) whose CRC fits; ``note`` gets the others.

    Where SQLite itself stumbles over a damaged page, the rows behind it are looked up one by one.
    """
    last = 0
    try:
        condition = f"WHERE {where} ORDER BY id" if where else "ORDER BY id"
        for row in connection.execute(f"{select(table)} {condition}", arguments):
            last = max(last, row[0]) if isinstance(row[0], int) else last
            if fits(row):
                yield row
            else:
                note(f"{table} {row[0]}")
        return
    except sqlite3.Error as error:
        _only_damage(error)
        note(f"{table} after {last} ({error})")
    lookup = f"{select(table)} WHERE id = ? {f'AND {where}' if where else ''}"
    for number in range(last + 1, highest(connection, table) + 1):
        found = _looked_up(connection, lookup, (number, *arguments))
        if found is not None and fits(found):
            yield found
        elif not where or found is not None:
            note(f"{table} {number}")


def one_row(connection: sqlite3.Connection, table: str, number: int) -> Row | None:
    """The row of that id where it is there and its CRC fits."""
    row = _looked_up(connection, f"{select(table)} WHERE id = ?", (number,))
    return row if row is not None and row[0] == number and fits(row) else None


def fits(row: Row) -> bool:
    """Whether a row's CRC is that of its other columns."""
    value: object = row[-1]
    return isinstance(value, int) and value == crc(row[:-1])


def highest(connection: sqlite3.Connection, table: str) -> int:
    """The highest id of a table; 0 where it is empty or that cannot be read."""
    row = _looked_up(connection, f"SELECT max(id) FROM {table}", ())
    return row[0] if row is not None and isinstance(row[0], int) else 0


def end_row(connection: sqlite3.Connection) -> Row | None:
    """The row of the end record; a recovery adds a second one where the first was damaged."""
    found = list(checked_rows(connection, "end", lambda _: None))
    return found[-1] if found else None


def end_record(connection: sqlite3.Connection) -> End | None:
    """How the run ended; None where the recording was cut off and not yet recovered."""
    row = end_row(connection)
    return codec.end_from_json(row[5]) if row else None


def _looked_up(connection: sqlite3.Connection, statement: str, arguments: tuple[int, ...]) -> Row | None:
    try:
        row: Row | None = connection.execute(statement, arguments).fetchone()
    except sqlite3.Error as error:
        _only_damage(error)
        return None
    return row


def _only_damage(error: sqlite3.Error) -> None:
    """Raise again what says nothing of the file: a lock, a closed connection, a shortage of memory."""
    misuse = isinstance(error, sqlite3.ProgrammingError | sqlite3.InterfaceError)
    if misuse or getattr(error, "sqlite_errorcode", 0) & 0xFF in _OTHER_TROUBLE:
        raise error
