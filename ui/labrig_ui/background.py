"""The one crossing between threads: slow work leaves the GUI thread here, and its answers come back here.

Widgets never see a thread. Work of one lane is done in order, lanes do not wait for each other: a pre-flight check
that takes a minute delays neither a Stop nor a note.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from typing import Final, TypeVar

from PySide6.QtCore import QObject, Qt, Signal

from labrig.clock import SECOND, Job, monotonic, spawn
from labrig.errors import LabrigError

T = TypeVar("T")
Task = Callable[[], None]
_PATIENCE: Final = 0.5
"""s: how long `close` waits for each lane. A call that hangs in the network ends with the process."""
log = logging.getLogger(__name__)


class Background(QObject):
    """Lanes of work and the way back. Made, used and closed in the GUI thread; `post` may be called from any."""

    _waiting = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._posted: list[Task] = []
        self._posted_at = 0
        self._lanes: dict[str, tuple[queue.SimpleQueue[Task | None], Job]] = {}
        self._closed = False
        self._waiting.connect(self._drain, Qt.ConnectionType.QueuedConnection)

    def run(
        self, lane: str, work: Callable[[], T], done: Callable[[T], None], failed: Callable[[LabrigError], None]
    ) -> None:
        """Do ``work`` in a thread, then ``done`` or ``failed`` (for labrig's own errors) in the GUI thread."""
        if not self._closed:
            self._lane(lane).put(lambda: self._work(work, done, failed))

    def post(self, task: Task) -> None:
        """Do a task in the GUI thread, after those that were posted before it. From any thread."""
        with self._lock:
            self._posted.append(task)
            first = len(self._posted) == 1
            if first:
                self._posted_at = monotonic()
        if first and not self._closed:
            self._waiting.emit()

    def frozen_for(self) -> float:
        """Seconds that posted tasks have been waiting for the GUI thread. From any thread."""
        with self._lock:
            return (monotonic() - self._posted_at) / SECOND if self._posted else 0.0

    def close(self) -> None:
        """End the lanes; answers that have not come by then never do."""
        self._closed = True
        for tasks, _ in self._lanes.values():
            tasks.put(None)
        for _, thread in self._lanes.values():
            thread.join(_PATIENCE)
        self._lanes.clear()
        with self._lock:
            self._posted.clear()

    def _lane(self, name: str) -> queue.SimpleQueue[Task | None]:
        if name not in self._lanes:
            tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
            self._lanes[name] = tasks, spawn(f"desktop {name}", lambda: _serve(tasks))
        return self._lanes[name][0]

    def _work(self, work: Callable[[], T], done: Callable[[T], None], failed: Callable[[LabrigError], None]) -> None:
        try:
            result = work()
        except LabrigError as error:
            self.post(lambda error=error: failed(error))  # type: ignore[misc]  # mypy takes the default for no argument
        except Exception as error:
            log.exception("work in the background failed")
            self.post(lambda error=error: failed(_unexpected(error)))  # type: ignore[misc]  # as above
        else:
            self.post(lambda: done(result))

    def _drain(self) -> None:
        with self._lock:
            tasks, self._posted = self._posted, []
        for task in tasks:
            if not self._closed:
                task()


def _serve(tasks: queue.SimpleQueue[Task | None]) -> None:
    while (task := tasks.get()) is not None:
        task()


def _unexpected(error: Exception) -> LabrigError:
    return LabrigError(f"an error that labrig did not expect: {error!r}. The log has the details.")
