"""Starting a rig server from the desktop: a process of its own, which the desktop may leave behind."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from labrig.endpoint import endpoint_path
from labrig.errors import ConfigError, LabrigError
from labrig.outside import read_toml

PATIENCE: Final = 90.0
"""s until a server that neither answers nor ends is called failed."""
_GRACE: Final = 5.0
_TAIL: Final = 4000
_FLAGS: Final = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0) | getattr(subprocess, "CREATE_NO_WINDOW", 0)
"""How Windows detaches (0 elsewhere): neither a Ctrl-C in the terminal of the desktop nor its end reach the server."""


class Starting:
    """One attempt; ask it now and then how far it is."""

    def __init__(self, command: Sequence[str], rig: str, server_log: Path) -> None:
        """Raises `LabrigError` where the process cannot be started."""
        self.rig, self._server_log = rig, server_log
        self._seen = _size(server_log)
        descriptor, name = tempfile.mkstemp(prefix="labrig-up-", suffix=".log")
        self._log = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as log:
                self._process = subprocess.Popen(
                    list(command),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    creationflags=_FLAGS,
                    start_new_session=sys.platform != "win32",
                )
        except OSError as error:
            self._log.unlink(missing_ok=True)
            raise LabrigError(f"the rig server could not be started: {error}") from error

    @property
    def words(self) -> str:
        """What the command and the server have written since, the end of it if it is long."""
        return "\n".join(said for said in (_read(self._server_log, self._seen), _read(self._log, 0)) if said)

    @property
    def up(self) -> bool:
        """Whether the command has ended well: ``labrig up`` does once the server answers."""
        return self._process.poll() == 0

    @property
    def failed(self) -> str:
        """Why it ended without a server; empty while it may still come."""
        code = self._process.poll()
        return "" if code in {None, 0} else _read(self._log, 0) or f"labrig up ended with exit code {code}"

    def forget(self) -> None:
        """The attempt is over; a server that came of it goes on."""
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait(_GRACE)
        self._log.unlink(missing_ok=True)


def log_of(rig: str, data: Path) -> Path:
    """Where a rig's server and its supervisor write."""
    return endpoint_path(data, rig).with_suffix(".log")


def up_command(rig: str, data: Path, membrane: str = "") -> tuple[str, ...]:
    """The command that starts a rig's supervisor and server."""
    extra = ("--membrane", membrane) if membrane else ()
    return (sys.executable, "-m", "labrig.cli", "up", rig, "--data", str(data), *extra)


def name_of(rig: str) -> str:
    """The name in a rig file, or of a shipped rig; raises `ConfigError`. What else is wrong, the server says."""
    from labrig.config import find_rig  # takes a fifth of the time in which the window opens

    path = find_rig(rig)
    name = read_toml(path)[0].get("name")
    if not isinstance(name, str) or not name:
        raise ConfigError(path, "name", "the name of the rig", name)
    return name


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _read(path: Path, start: int) -> str:
    """A text file from a byte on, its end if it is long; empty where it cannot be read."""
    try:
        return path.read_bytes()[start:][-_TAIL:].decode("utf-8", "replace").strip()
    except OSError:
        return ""
