"""The socket of a simulated serial device: pulled out, it comes back under its old name or under another."""

from __future__ import annotations

import tempfile
from pathlib import Path

from labrig_instruments.simulated.ports import Kind, Port, SocketPort, plug


class Plug:
    """Names stay when the system's own do not: a pseudo-terminal is reached by a link in a folder of its own."""

    def __init__(self, kind: Kind | None) -> None:
        self._port = plug(kind)
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._number = 0
        self.url = self._port.url
        """Where the device answers now."""
        if not isinstance(self._port, SocketPort):
            self._folder = tempfile.TemporaryDirectory(prefix="labrig-sim-")
            self._link()

    @property
    def port(self) -> Port:
        return self._port

    @property
    def anywhere(self) -> str:
        """A pattern that holds for every name it may have; empty for a socket, which has none."""
        return "" if self._folder is None else str(Path(self._folder.name) / "ttySIM*")

    def pull(self) -> None:
        """The name goes; whoever closes the port lets its clients notice."""
        if self._folder is not None:
            Path(self.url).unlink(missing_ok=True)

    def insert(self, *, elsewhere: bool) -> Port:
        """A new port, under the old name or under another."""
        if self._folder is None:
            old = int(self.url.rpartition(":")[2])
            self._port = SocketPort(0 if elsewhere else old)
            self.url = self._port.url
        else:
            self._port, self._number = plug("pty"), self._number + int(elsewhere)
            self._link()
        return self._port

    def close(self) -> None:
        if self._folder is not None:
            self._folder.cleanup()

    def _link(self) -> None:
        assert self._folder is not None
        link = Path(self._folder.name) / f"ttySIM{self._number}"
        link.symlink_to(self._port.url)
        self.url = str(link)
