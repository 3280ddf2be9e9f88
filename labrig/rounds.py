"""A look a hundred times a second, sooner when woken; and how late each was, and how long it took."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from labrig.clock import SECOND, Clock, Job, Lateness, spawn

log = logging.getLogger(__name__)
CYCLE: Final = 0.01
"""Seconds between two looks."""


class Rounds:
    """The thread of the guardian. ``failed`` is told of an error in a look, which is then the last one."""

    def __init__(self, name: str, look: Callable[[], None], failed: Callable[[Exception], None], clock: Clock) -> None:
        self._name, self._look, self._failed, self._clock = name, look, failed, clock
        self.lateness, self.took = Lateness(), Lateness()
        """How late it woke up, which the computer decides; and how long its looks took, which their work decides."""
        self.looked = clock.now()
        """When it last looked; an old time means that it hangs."""
        self.over = threading.Event()
        self._wake = threading.Event()
        self._job: Job | None = None

    def start(self) -> None:
        self._job = spawn(self._name, self._run)

    def wake(self) -> None:
        """Look now."""
        self._wake.set()

    def close(self) -> None:
        self.over.set()
        self._wake.set()
        if self._job is not None:
            self._job.join()
            log.info("%s: %s; each took: %s", self._name, self.lateness, self.took)

    def _run(self) -> None:
        due = self._clock.now()
        while not self.over.is_set():
            woken = self._wake.wait(max(0.0, (due - self._clock.now()) / SECOND))
            self._wake.clear()
            began = self.looked = self._clock.now()
            if not woken:
                self.lateness.add((began - due) / SECOND)
            try:
                self._look()
            except Exception as error:
                log.exception("the %s failed", self._name)
                self._failed(error)
                return
            done = self._clock.now()
            self.took.add((done - began) / SECOND)
            due = max(began + round(CYCLE * SECOND), done)
