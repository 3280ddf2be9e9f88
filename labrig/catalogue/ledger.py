"""What people entered, for good: one JSON line an entry, only ever added to.

The catalogue is made from run files and from this. Each line holds the SHA-256 of the line before, so that a line that
was changed, taken away or put in later shows. A line counts once it is on the disk with its newline.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from labrig.catalogue.entries import entry_of
from labrig.errors import CatalogueError

FILE: Final = "entries.jsonl"


class ChangeLine(BaseModel):
    """One subject of an entry."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    subject: str
    before: dict[str, Any] | None
    """What the fields in ``after`` were; None where the subject was not there."""
    after: dict[str, Any]


class EntryLine(BaseModel):
    """One line."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    labrig: Literal[1] = 1
    """Version of this format."""
    entry: int
    """Counts from 1."""
    utc: str
    by: str
    reason: str
    changes: tuple[ChangeLine, ...]
    previous: str
    """SHA-256 of the line before; empty in the first."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the ledger: behind its n-th line."""

    entry: int = 0
    offset: int = 0
    sha256: str = ""
    """Of that line."""


class Ledger:
    """The file of a data folder. Whoever adds to it holds the catalogue's lock."""

    def __init__(self, data: Path) -> None:
        self.path = data / FILE

    @property
    def size(self) -> int:
        """Bytes; 0 where nothing was entered yet."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    def after(self, mark: Mark) -> Iterator[tuple[EntryLine, Mark]]:
        """The lines behind a mark, each with its own; what is left of an unfinished line is no line.

        Raises `CatalogueError` for a line that does not follow from the one before, or that cannot be read.
        """
        if mark.offset > self.size:
            raise self._broken(mark.entry, "is gone, though the catalogue has it")
        if not self.size:
            return
        with self.path.open("rb") as file:
            file.seek(mark.offset)
            for raw in file:
                if not raw.endswith(b"\n"):
                    return
                line = self._read(raw, mark)
                mark = Mark(line.entry, mark.offset + len(raw), hashlib.sha256(raw).hexdigest())
                yield line, mark

    def append(self, line: EntryLine, mark: Mark) -> Mark:
        """Write a line behind a mark and bring it to the disk; raises `CatalogueError`, and then it is not there."""
        raw = line.model_dump_json().encode() + b"\n"
        try:
            with self.path.open("ab", buffering=0) as file:
                file.truncate(mark.offset)  # of a line that was cut off, and so never counted
                try:
                    _write(file, raw)
                    os.fsync(file.fileno())
                except OSError:
                    file.truncate(mark.offset)
                    raise
        except OSError as error:
            raise CatalogueError(
                f"{self.path}: {error.strerror}; nothing was entered. Make room and try again"
            ) from error
        return Mark(line.entry, mark.offset + len(raw), hashlib.sha256(raw).hexdigest())

    def _read(self, raw: bytes, mark: Mark) -> EntryLine:
        try:
            line = EntryLine.model_validate_json(raw)
            for change in line.changes:
                entry_of(change.kind, change.subject, change.after)
        except ValidationError as error:
            raise self._broken(mark.entry + 1, f"cannot be read: {error.errors(include_url=False)[0]['msg']}") from None
        except ValueError as error:
            raise self._broken(mark.entry + 1, f"cannot be read: {error}") from None
        if (line.entry, line.previous) != (mark.entry + 1, mark.sha256):
            raise self._broken(mark.entry + 1, "does not follow from the line before: one was changed or taken away")
        return line

    def _broken(self, number: int, words: str) -> CatalogueError:
        return CatalogueError(
            f"{self.path}: line {number} {words}. labrig changed nothing; put back the file as it was (a backup), "
            "then: labrig catalogue rebuild"
        )


def _write(file: FileIO, raw: bytes) -> None:
    left = memoryview(raw)
    while left:
        left = left[file.write(left) :]
