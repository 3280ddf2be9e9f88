"""Disks of a proof's own: images on loop devices. Needs root and Linux; an image is gone when its block ends."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

MEGABYTE: Final = 2**20
_CLONE: Final = 0x40049409
"""FICLONE of linux/fs.h: the file becomes a clone of another one, as that is at this moment."""


@contextmanager
def file_system(image: Path, kind: str, megabytes: int, *options: str, direct: bool = False) -> Iterator[Path]:
    """A new file system of that kind in a new image; yields where it is mounted. ``direct``: see `mounted`."""
    with image.open("xb") as file:
        file.truncate(megabytes * MEGABYTE)
    try:
        _done(f"mkfs.{kind}", "-q", *options, str(image))
        with mounted(image, direct=direct) as folder:
            yield folder
    finally:
        image.unlink()


@contextmanager
def mounted(image: Path, *, direct: bool = False) -> Iterator[Path]:
    """An image's file system, its journal replayed; ``direct``: what it writes goes past this machine's page cache."""
    device = _done("losetup", "--find", "--show", f"--direct-io={'on' if direct else 'off'}", str(image))
    folder = image.with_name(f"{image.name}-mounted")
    folder.mkdir(exist_ok=True)
    try:
        if direct and _done("losetup", "--noheadings", "--output", "DIO", device) != "1":
            raise OSError(f"{image}: its file system takes no direct writes")
        _done("mount", device, str(folder))
        try:
            yield folder
        finally:
            _done("umount", str(folder))
    finally:
        _done("losetup", "--detach", device)
        folder.rmdir()


def clone(image: Path, to: Path) -> None:
    """A clone of an image that shares its blocks, as it is between two writes (XFS holds them up meanwhile)."""
    source, target = os.open(image, os.O_RDONLY), os.open(to, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        fcntl.ioctl(target, _CLONE, source)
    finally:
        os.close(source)
        os.close(target)


@contextmanager
def frozen(folder: Path) -> Iterator[None]:
    """A file system that takes no write, and lets whoever writes wait."""
    _done("fsfreeze", "--freeze", str(folder))
    try:
        yield
    finally:
        _done("fsfreeze", "--unfreeze", str(folder))


def _done(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout.strip()
