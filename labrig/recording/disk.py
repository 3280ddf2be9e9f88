"""What a recorder must know of the disk: that it is a local one, and that there is room for an orderly end."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path, PurePath
from typing import Final

from labrig.errors import RecordingError

NETWORK: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ncpfs", "ceph", "glusterfs", "lustre", "9p", "davfs"}
    | {"fuse.sshfs", "fuse.rclone", "fuse.davfs2", "fuse.glusterfs", "fuse.ceph"}
)
"""File systems whose locks and fsync another machine answers for."""


def refuse_network(path: Path) -> None:
    """Raise `RecordingError` where a file would stand on a network drive."""
    kind = _drive_kind(path) if sys.platform == "win32" else file_system(path.resolve(), _mounts())
    if kind in NETWORK:
        raise RecordingError(
            f"{path}: runs are recorded on a local disk only, and this is a network drive ({kind}); nothing was "
            "started. Record to a local folder, and copy the closed file"
        )


def file_system(path: PurePath, mounts: str) -> str:
    """The type of the file system that a path stands on, by the text of ``/proc/self/mountinfo``; empty if unknown."""
    deepest, kind = -1, ""
    for line in mounts.splitlines():
        place, _, source = line.partition(" - ")
        fields = place.split()
        if len(fields) < 5 or not source:
            continue
        # Blanks and backslashes in a mount point are written in octal.
        point = PurePath(fields[4].encode().decode("unicode_escape").encode("latin-1").decode(errors="replace"))
        if path.is_relative_to(point) and len(point.parts) >= deepest:
            deepest, kind = len(point.parts), source.split()[0]
    return kind


class Reserve:
    """Space set aside beside a run file, so that a full disk still takes the orderly end of the run."""

    def __init__(self, run_file: Path, size: int) -> None:
        """Allocate it; raises `RecordingError` where the disk has no such room, and leaves nothing behind."""
        self.path = reserve_of(run_file)
        self._held = size > 0
        if not self._held:
            return
        try:
            with self.path.open("xb") as file:
                if sys.platform == "linux":
                    os.posix_fallocate(file.fileno(), 0, size)
                else:
                    file.truncate(size)
        except OSError as error:
            self.path.unlink(missing_ok=True)
            raise RecordingError(
                f"{run_file}: the disk has no room for {size / 2**20:.0f} MB ({error.strerror}); nothing was started. "
                "Make room, or choose another disk"
            ) from error

    def release(self) -> bool:
        """Give the space back; False where that was done before, or there never was any."""
        held, self._held = self._held, False
        if held:
            with suppress(OSError):
                self.path.unlink(missing_ok=True)
        return held


def reserve_of(run_file: Path) -> Path:
    """Where a run file's reserve stands while it is being recorded."""
    return run_file.with_name(run_file.name + "-reserve")


def _mounts() -> str:
    try:
        return Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _drive_kind(path: Path) -> str:
    """``cifs`` for a network share or a letter that stands for one, on Windows."""
    drive = path.absolute().drive
    if drive.startswith("\\\\"):
        return "cifs"
    if sys.platform == "win32":
        import ctypes

        remote = 4
        return "cifs" if ctypes.windll.kernel32.GetDriveTypeW(f"{drive}\\") == remote else ""
    return ""
