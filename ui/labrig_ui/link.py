"""The line to one rig's server: attaches, follows what the server tells, and attaches again when it was gone.

The thread lives here; whoever listens is told in the GUI thread.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final, Protocol, TypeVar

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

T = TypeVar("T")
RETRY: Final = 1.0
"""s between two looks at the endpoint file."""
FROZEN: Final = 0.5
"""s: a screen that has not moved for so long attends nothing, and the server counts the time as if it had gone."""
LET_GO: Final = 10.0
"""s: for a screen that has not moved for so long nothing is kept any more; it attaches anew when it moves."""
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


def asked(server: Server, work: Callable[[Server], T]) -> T:
    """What a server answers; raises `ServerGone` also where this side has closed the line meanwhile."""
    try:
        return work(server)
    except ValueError as error:  # grpc's word for a channel that was closed a moment before
        raise ServerGone(f"the rig server went away, so nothing was done ({error})") from error


class Listener(Protocol):
    """Who is told, in the GUI thread."""

    def attached(self, server: Server, description: Description) -> None: ...
    def told(self, item: Digest | Event | Status) -> None: ...
    def lost(self, why: str) -> None:
        """The server is gone, or has not been found yet; told once for each reason."""

    def moved_again(self, seconds: float) -> None:
        """The screen stood still so long, and moves again."""


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
        self._stood = 0.0
        """s that the screen stands still, as far as seen."""
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
            frozen = self._background.frozen_for()
            if frozen > FROZEN:
                self._stood = max(self._stood, frozen)
            else:
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
        """Watch, attending while the screen moves; the watch changes hands within one attachment."""
        description = server.describe()
        attending = True
        while not self._over.is_set():
            watching = server.watch(attending=attending, name="desktop")
            with self._lock:
                self._watching = watching
            if self._over.is_set():
                watching.cancel()
            if not self._hear(server, description, watching, attending=attending):
                return
            attending = not attending

    def _hear(self, server: Server, description: Description, watching: Watching, *, attending: bool) -> bool:
        """Pass on what is told; returns True when the screen has stopped or begun to move, False at the end."""
        for item in watching:
            if not self._attached:
                self._attached = True
                self._tell(partial(self._listener.attached, server, description))
            self._tell(partial(self._listener.told, item))
            moves = self._moves()
            if self._stood > LET_GO:
                watching.cancel()
                raise ServerGone(f"this window had not moved for {self._stood:.0f} s; attaching anew")
            if moves != attending:
                watching.cancel()
                return True
        return False

    def _moves(self) -> bool:
        """Whether the screen does what it is given; the first time after a stand-still it is told how long that was.

        What was posted waits for the event loop of the GUI thread, so that its age is that loop's heartbeat.
        """
        frozen = self._background.frozen_for()
        if frozen > FROZEN:
            self._stood = max(self._stood, frozen)
            return False
        if self._stood:
            log.info("the window had stood still for %.1f s", self._stood)
            self._tell(partial(self._listener.moved_again, self._stood))
            self._stood = 0.0
        return True

    def _tell(self, task: Callable[[], None]) -> None:
        if not self._over.is_set():
            self._background.post(lambda: None if self._over.is_set() else task())
