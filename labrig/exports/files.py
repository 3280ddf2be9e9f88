"""Files that are written, brought to the disk, read back and compared."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from labrig.errors import RecordingError

_PIECE = 1 << 20
_LINES = 4096


class TextFile:
    """A UTF-8 file with a byte order mark (spreadsheets ask for it), which is compared with what was written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._hash = hashlib.sha256()
        self._file = path.open("xb")
        self._lines = ["\ufeff"]

    def write(self, text: str) -> None:
        """Append text; this is all that `csv.writer` asks of a file."""
        self._lines.append(text)
        if len(self._lines) >= _LINES:
            self._flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._flush()
                self._file.flush()
                os.fsync(self._file.fileno())
        finally:
            self._file.close()
        if kind is None and sha256(self.path) != self._hash.hexdigest():
            raise RecordingError(f"{self.path.name}: what was read back differs from what was written")

    def _flush(self) -> None:
        data = "".join(self._lines).encode("utf-8", "backslashreplace")
        self._lines.clear()
        self._hash.update(data)
        self._file.write(data)


def sync(path: Path) -> None:
    """Bring a closed file's bytes to the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    total = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            total.update(piece)
    return total.hexdigest()


def checksums(written: Sequence[Path], folder: Path, stem: str) -> Path:
    """A file of the others' SHA-256, in the form that ``sha256sum -c`` reads; returns its path."""
    path = folder / f"{stem}.sha256"
    path.write_text("".join(f"{sha256(one)}  {one.name}\n" for one in written), encoding="utf-8", newline="\n")
    sync(path)
    return path
