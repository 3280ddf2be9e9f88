"""A source's ``read`` becomes blocks on the bus, in a thread of its own.

A failed read is an event and a quality flag, never a number. A lost line ends the source; whoever watches decides what
becomes of the run.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

import numpy as np

from labrig.clock import SECOND, Clock, Job, spawn
from labrig.errors import InstrumentError, LinkLost, SamplesLost
from labrig.model import Block, Event, Faulted, Quality
from labrig.roles import Source

PATIENCE: Final = 3
"""Consecutive failed reads after which a source counts as lost."""


class Poller:
    """Reads one source until it is told to end."""

    def __init__(
        self,
        source: Source,
        *,
        publish: Callable[[Block | Event], None],
        clock: Clock,
        lost: Callable[[str], None],
    ) -> None:
        self._source, self._publish, self._clock, self._lost = source, publish, clock, lost
        self._ended = threading.Event()
        self._next_index = 0
        self._failures = 0
        self._thread: Job | None = None

    def start(self) -> None:
        self._source.start()
        self._thread = spawn(f"poll {self._source.name}", self._run)

    def stop(self, timeout: float = 5.0) -> None:
        """End the thread, then the source; raises `InstrumentError` where the thread does not end in time."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(timeout)
            if self._thread.is_alive():
                raise InstrumentError(f"{self._source.name} hangs in a read; labrig gave up on it after {timeout:g} s")
        self._source.stop()

    def _run(self) -> None:
        due = self._clock.now()
        while not self._ended.is_set():
            if not self._read():
                return
            if self._source.period:
                due = max(due + round(self._source.period * SECOND), self._clock.now())
                self._clock.wait((due - self._clock.now()) / SECOND, self._ended)

    def _read(self) -> bool:
        """One read; False when the source is lost."""
        try:
            block = self._source.read()
        except SamplesLost as loss:
            self._publish(Faulted(self._clock.now(), self._source.name, str(loss), "DEV-11"))
            return True
        except LinkLost as error:
            return self._give_up(str(error), "DEV-02")
        except InstrumentError as error:
            return self._failed(error)
        self._failures = 0
        if len(block):
            self._next_index = block.first + len(block)
            self._publish(block)
        return True

    def _failed(self, error: InstrumentError) -> bool:
        self._failures += 1
        now = self._clock.now()
        names = tuple(channel.name for channel in self._source.channels)
        nothing = np.full((1, len(names)), np.nan)
        quality = np.full((1, len(names)), int(Quality.MISSING), np.uint8)
        self._publish(Block(self._source.name, names, self._next_index, np.array([now]), nothing, quality))
        self._publish(Faulted(now, self._source.name, str(error), "DEV-08"))
        self._next_index += 1
        return self._failures < PATIENCE or self._give_up(f"{PATIENCE} reads in a row failed: {error}", "DEV-08")

    def _give_up(self, why: str, fault: str) -> bool:
        self._publish(Faulted(self._clock.now(), self._source.name, why, fault))
        self._lost(f"{self._source.name}: {why}")
        return False
