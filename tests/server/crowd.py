"""How crowded this machine is while a test measures a time on it."""

from __future__ import annotations

import threading
from typing import Final

from labrig.clock import SECOND, Lateness, monotonic, spawn

NAP: Final = 0.005
HOPS: Final = 4
"""Processes and threads, one after the other, from a cause to the plant's outputs; each may be woken late."""


class Crowd:
    """While it lasts: how late this machine wakes those who sleep, which is the least that any bound must allow."""

    def __init__(self) -> None:
        self._over, self._lateness = threading.Event(), Lateness()

    def __enter__(self) -> Crowd:
        self._job = spawn("crowd", self._look)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._job.join()

    def allows(self, bound: float) -> float:
        """The bound for a chain of `HOPS`."""
        return bound + HOPS * self._lateness.worst

    def _look(self) -> None:
        while not self._over.is_set():
            asleep = monotonic()
            self._over.wait(NAP)
            self._lateness.add((monotonic() - asleep) / SECOND - NAP)
