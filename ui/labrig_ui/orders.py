"""What a person may ask of the rig server; each call leaves the GUI thread, and its answer comes back there."""

from __future__ import annotations

import getpass
import logging
from collections.abc import Callable
from typing import Literal, TypeVar

from PySide6.QtCore import QObject, Signal

from labrig.endpoint import ServerGone
from labrig.errors import LabrigError
from labrig.wire.documents import Checks, Control, Ordered, RunPaper, Started, Status, Stopped
from labrig_ui.background import Background
from labrig_ui.desk import Desk
from labrig_ui.link import Server, asked
from labrig_ui.words import readable

T = TypeVar("T")
log = logging.getLogger(__name__)
Verb = Literal["hold", "resume", "reset", "note", "answer", "refilled", "shutdown"]
Done = Callable[[T], None]
Failed = Callable[[LabrigError], None]


class Orders(QObject):
    """The verbs. Failures that nobody else shows come out of `failed`."""

    failed = Signal(str)
    stopping = Signal()
    """A Stop has left."""
    stopped = Signal(object)
    """`Stopped`: the outputs have been commanded safe."""

    def __init__(self, desk: Desk, background: Background) -> None:
        super().__init__()
        self._desk, self._background = desk, background
        self.by = _user()
        """Who operates; stands in the record beside each order."""

    def stop(self, reason: str) -> None:
        """Make the rig safe now. Allowed in every state, through a door and a lane of its own."""
        self.stopping.emit()
        self._background.run("stop", lambda: self._stop(reason), self._was_stopped, self._stop_failed)

    def hold(self) -> None:
        self._control("hold", "held at the desktop")

    def resume(self) -> None:
        self._control("resume")

    def reset(self) -> None:
        self._control("reset")

    def note(self, text: str) -> None:
        self._control("note", text)

    def answer(self, question: str, answer: str) -> None:
        self._control("answer", answer, question)

    def refilled(self) -> None:
        """The feed vessel is full again: the forecast of its end counts anew."""
        self._control("refilled")

    def shutdown(self) -> None:
        """End the rig server, which leaves the rig safe."""
        self._control("shutdown", "shut down at the desktop")

    def preflight(self, order: Ordered, done: Done[Checks], failed: Failed) -> None:
        self._call("checks", lambda server: server.preflight(order), done, failed)

    def rehearse(self, order: Ordered, done: Done[Checks], failed: Failed) -> None:
        """As `preflight`, in a lane of its own: a check that a person asks for does not wait for it."""
        self._call("rehearsal", lambda server: server.preflight(order), done, failed)

    def start(self, order: Ordered, done: Done[Started], failed: Failed) -> None:
        self._call("checks", lambda server: server.start(order), done, failed)

    def runs(self, done: Done[tuple[RunPaper, ...]], failed: Failed) -> None:
        """The newest runs first."""
        self._call("runs", lambda server: server.runs(most=500), done, failed)

    def run(self, run: str, done: Done[RunPaper], failed: Failed) -> None:
        """One run, with its result if there is one."""
        self._call("runs", lambda server: server.run(run), done, failed)

    def _stop(self, reason: str) -> Stopped:
        """By the line that is there, else by a new one: the server may be back before this desk has seen it."""
        attached = self._desk.server
        if attached is not None:
            try:
                return asked(attached, lambda server: server.stop(reason, self.by))
            except ServerGone:
                log.warning("the Stop was not answered by the line that was attached; trying anew")
        server = self._desk.new_line()
        try:
            return server.stop(reason, self.by)
        finally:
            server.close()

    def _control(self, verb: Verb, text: str = "", question: str = "") -> None:
        wish = Control(verb=verb, text=text, question=question, by=self.by)
        self._call("control", lambda server: server.control(wish), self._controlled, self._say)

    def _controlled(self, status: Status) -> None:
        self._desk.take_status(status)

    def _was_stopped(self, stopped: Stopped) -> None:
        self.stopped.emit(stopped)

    def _stop_failed(self, error: LabrigError) -> None:
        self.failed.emit(f"The Stop was not answered: {error}. Use the stop that is wired to the rig.")

    def _say(self, error: LabrigError) -> None:
        self.failed.emit(readable(str(error), self._desk.names()))

    def _call(self, lane: str, work: Callable[[Server], T], done: Done[T], failed: Failed) -> None:
        server = self._desk.server
        if server is None:
            failed(ServerGone("no rig server answers, so nothing was done"))
            return
        self._background.run(lane, lambda: asked(server, work), done, failed)


def _user() -> str:
    """The user of this computer, or "unknown" where the system does not say."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"
