"""The line to one rig's server: attaches, follows what the server tells, and attaches again when it was gone.

The thread lives here; whoever listens is told in the GUI thread.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from labrig.client import Client
from labrig.clock import spawn
from labrig.endpoint import Endpoint, ServerGone, read_endpoint
from labrig.errors import LabrigError
from labrig.model import Digest, Event
from labrig.wire.documents import (
    Checks,
    Control,
    Description,
    Ordered,
    RunPaper,
    Started,
    Status,
    Stopped,
)
from labrig_ui.background import Background

RETRY: Final = 1.0
"""s between two looks at the endpoint file."""
FROZEN: Final = 10.0
"""s: a screen that has not moved for so long attends nothing, and the server is told so."""
log = logging.getLogger(__name__)


class Server(Protocol):
    """What the desktop asks of a server: `labrig.client.Client` has it."""

    def close(self) -> None: ...
    def describe(self) -> Description: ...
    def preflight(self, order: Ordered) -> Checks: ...
    def start(self, order: Ordered) -> Started: ...
    def control(self, wish: Control) -> Status: ...
    def stop(self, reason: str, by: str = "") -> Stopped: ...
    def runs(self, most: int = 50) -> tuple[RunPaper, ...]: ...
    def run(self, run: str) -> RunPaper: ...
    def past(self, channel: str, start: int, end: int) -> Digest: ...
    def watch(self, *, attending: bool = False, name: str = "") -> Watching: ...


class Watching(Protocol):
    """An open watch: iterated in one thread, cancelled from any."""

    def __iter__(self) -> Iterator[Digest | Event | Status]: ...
    def cancel(self) -> None: ...


class Listener(Protocol):
    """Who is told, in the GUI thread."""

    def attached(self, server: Server, description: Description) -> None: ...
    def told(self, item: Digest | Event | Status) -> None: ...
    def lost(self, why: str) -> None:
        """The server is gone, or has not been found yet; told once for each reason."""


class Link:
    """Follows one rig until it is closed."""

    def __init__(
        self,
        data: Path,
        rig: str,
        background: Background,
        listener: Listener,
        connect: Callable[[Endpoint], Server] = Client,
    ) -> None:
        self._data, self._rig, self._background, self._listener = data, rig, background, listener
        self._connect = connect
        self._over = threading.Event()
        self._attached = False
        self._lock = threading.Lock()
        self._watching: Watching | None = None
        self._thread = spawn(f"desktop link {rig}", self._run)

    def close(self) -> None:
        """Let go of the server; it goes on. An attended run that nobody else attends is stopped by the server."""
        self._over.set()
        with self._lock:
            if self._watching is not None:
                self._watching.cancel()
        self._thread.join(2 * RETRY)

    def _run(self) -> None:
        said = ""
        while not self._over.is_set():
            if self._background.frozen_for() < FROZEN:
                self._attached = False
                why = self._follow()
                if why != said or self._attached:
                    self._tell(partial(self._listener.lost, why))
                said = why
            self._over.wait(RETRY)

    def _follow(self) -> str:
        """Attach and listen until the server is gone or this link closed; says why it ended."""
        try:
            server = self._connect(read_endpoint(self._data, self._rig))
            try:
                self._listen(server)
            finally:
                with self._lock:
                    self._watching = None
                server.close()
        except LabrigError as error:
            return str(error)
        except Exception as error:
            log.exception("the line to %s failed", self._rig)
            return f"an error that labrig did not expect: {error!r}"
        return "the rig server has ended"

    def _listen(self, server: Server) -> None:
        description = server.describe()
        watching = server.watch(attending=True, name="desktop")
        with self._lock:
            self._watching = watching
        if self._over.is_set():
            watching.cancel()
        for item in watching:
            if not self._attached:
                self._attached = True
                self._tell(partial(self._listener.attached, server, description))
            self._tell(partial(self._listener.told, item))
            if (frozen := self._background.frozen_for()) > FROZEN:
                watching.cancel()
                raise ServerGone(f"this window had not moved for {frozen:.0f} s and was taken for gone; attaching anew")

    def _tell(self, task: Callable[[], None]) -> None:
        if not self._over.is_set():
            self._background.post(lambda: None if self._over.is_set() else task())
