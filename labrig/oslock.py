"""An operating system's lock on a file, which a dead process cannot keep."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

_BYTE: Final = 1
_BEYOND: Final = 1 << 20
"""Where the locked byte lies: on Windows it could not be read by who wants to know the holder."""


def locked(path: Path) -> int:
    """A file, opened and locked until it is closed; raises OSError where another process holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        lock(file)
    except OSError:
        os.close(file)
        raise
    return file


def lock(file: int) -> None:
    """Lock an open file; raises OSError where somebody else holds it."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(file, _BEYOND, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, _BYTE)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
