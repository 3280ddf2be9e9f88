"""One process on a rig, by locks of the operating system on files, which a dead process cannot keep.

`RigLock` keeps a second server off a data folder's rig; `HardwareLock` keeps a second process off the devices, whatever
rig file and data folder it was started with.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar

import platformdirs

from labrig.endpoint import ServerGone, endpoint_path, read_endpoint
from labrig.errors import LabrigError
from labrig.oslock import locked


class RigTaken(LabrigError):
    """Another process has the rig."""


class RigLock:
    """``with RigLock(data, rig):`` raises `RigTaken` where another process holds it."""

    suffix: ClassVar = ".lock"

    def __init__(self, data: Path, rig: str) -> None:
        self._data, self._rig = data, rig
        self._path = endpoint_path(data, rig).with_suffix(self.suffix)
        self._file = -1

    def __enter__(self) -> RigLock:
        try:
            self._file = locked(self._path)
        except OSError:
            raise RigTaken(self._taken()) from None
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    def _taken(self) -> str:
        try:
            by = f" by process {read_endpoint(self._data, self._rig).pid}"
        except ServerGone:
            by = ""
        return f"{self._rig} is already served{by}; use that server, or end it first"


class UpLock(RigLock):
    """One start of a rig's server at a time: of two, one would take the other's server for its own."""

    suffix: ClassVar = ".up"

    def _taken(self) -> str:
        return f"{self._rig} is being started by another labrig up. Nothing was started; use that server when it is up"


class HardwareLock:
    """``with HardwareLock(addresses, rig, data):`` raises `RigTaken` where another process uses one of these devices.

    One file for each address below ``folder``, by default this user's folder for states.
    """

    def __init__(self, addresses: Sequence[str], rig: str, data: Path, folder: Path | None = None) -> None:
        self._addresses, self._rig, self._data = addresses, rig, data
        self._folder = folder or platformdirs.user_state_path("labrig", appauthor=False) / "devices"
        self._held = ExitStack()

    def __enter__(self) -> HardwareLock:
        with ExitStack() as stack:
            for address in self._addresses:
                stack.callback(os.close, self._taken(address))
            self._held = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def _taken(self, address: str) -> int:
        path = self._folder / f"{hashlib.sha256(f'{platform.node()} {address}'.encode()).hexdigest()[:24]}.lock"
        try:
            file = locked(path)
        except OSError:
            raise RigTaken(f"{address} is in use by {_holder(path)}. Nothing was opened. End that first.") from None
        os.lseek(file, 0, os.SEEK_SET)
        os.truncate(file, 0)
        os.write(file, json.dumps({"pid": os.getpid(), "rig": self._rig, "data": str(self._data)}).encode())
        return file


def _holder(path: Path) -> str:
    try:
        holder = json.loads(path.read_bytes())
        return f"process {holder['pid']} for the rig {holder['rig']!r} with its data in {holder['data']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process of labrig"
