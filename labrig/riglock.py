"""One server on a rig: an operating system's lock on a file, which a dead process cannot keep."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from labrig.endpoint import ServerGone, endpoint_path, read_endpoint
from labrig.errors import LabrigError

BYTE: Final = 1


class RigTaken(LabrigError):
    """Another server has the rig."""


class RigLock:
    """``with RigLock(data, rig):`` raises `RigTaken` where another process holds it."""

    def __init__(self, data: Path, rig: str) -> None:
        self._data, self._rig = data, rig
        self._path = endpoint_path(data, rig).with_suffix(".lock")
        self._file = -1

    def __enter__(self) -> RigLock:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(self._file)
        except OSError:
            os.close(self._file)
            raise RigTaken(f"{self._rig} is already served{self._by()}; use that server, or end it first") from None
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    def _by(self) -> str:
        try:
            return f" by process {read_endpoint(self._data, self._rig).pid}"
        except ServerGone:
            return ""


def _lock(file: int) -> None:
    """Raises OSError where another process holds it; the system lets go when the process ends."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file, msvcrt.LK_NBLCK, BYTE)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
