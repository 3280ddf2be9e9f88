"""A running analog acquisition: samples that a clock takes, a buffer that can run over, and reads that wait for them.

The buffer is arithmetic on sample indices: the plant can say what a converter saw at any moment of its last two
minutes, so a sample is made when it is read. Only what waits unread for long is made and stored before that.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import numpy as np

from labrig.clock import SECOND, monotonic
from labrig.model import Floats
from labrig_instruments.simulated.live import LivePlant
from labrig_instruments.simulated.ni.channels import Channel
from labrig_instruments.simulated.ni.errors import ClientGone, Code, DriverError

STORED_AFTER: Final = 20.0
"""Seconds that samples may wait unread before they are stored."""
LOST_AFTER: Final = 110.0
"""Seconds after which samples that were not stored, as when the machine slept, are lost; the plant forgets at 120."""
LONGEST_WAIT: Final = 60.0
"""Seconds between two looks at an acquisition that lasts for ever."""


class Caller:
    """Whoever waits for an answer."""

    def __init__(self, peer: str = "") -> None:
        self.peer = peer
        self.gone = False
        self._waits: threading.Condition | None = None

    @contextmanager
    def waiting_on(self, turn: threading.Condition) -> Iterator[None]:
        self._waits = turn
        try:
            yield
        finally:
            self._waits = None

    def wait(self, seconds: float) -> None:
        """Let that time pass, for ever where it is infinite; `ClientGone` where the caller leaves meanwhile."""
        turn = threading.Condition()
        deadline = monotonic() + round(min(seconds, 1e6) * SECOND)
        with turn, self.waiting_on(turn):
            while (left := deadline - monotonic()) > 0:
                if self.gone:
                    raise ClientGone
                turn.wait(left / SECOND)

    def hang_up(self) -> None:
        """Ends the waiting."""
        self.gone = True
        turn = self._waits
        if turn is not None:
            with turn:
                turn.notify_all()

    def leave(self) -> None:
        """As `hang_up`, for a thread that must not wait: where the turn is taken, the waiting ends when it next looks.

        gRPC calls it at the end of every call, on the one thread that serves all of them.
        """
        self.gone = True
        turn = self._waits
        if turn is not None and turn.acquire(blocking=False):
            try:
                turn.notify_all()
            finally:
                turn.release()


@dataclass(frozen=True, slots=True)
class Samples:
    """What a read returned."""

    values: Floats
    """Shape (c, n)."""
    timed_out: bool = False


class AnalogStream:
    """Samples of a task from its start to its stop."""

    def __init__(
        self, plant: LivePlant, channels: Sequence[Channel], *, rate: float, capacity: int, finite: int | None
    ) -> None:
        self._plant, self.rate, self.finite = plant, rate, finite
        self._terminals = [channel.terminals[0] for channel in channels]
        self._reach = np.array([[channel.reach] for channel in channels])
        self._capacity = capacity
        self._turn = threading.Condition()
        self._one_reader = threading.Lock()
        self._read = 0
        self._stored = np.empty((len(channels), 0))
        self._draining = False
        self._stopped_at: int | None = None
        self._overwritten = False
        self._aborted = False
        self._start = plant.now()

    @property
    def position(self) -> int:
        """Samples read of each channel."""
        return self._read

    def acquired(self) -> int:
        """Samples taken of each channel so far; the last one is complete."""
        if self._stopped_at is not None:
            return self._stopped_at
        taken = int((self._plant.now() - self._start) * self.rate)
        return taken if self.finite is None else min(taken, self.finite)

    def available(self) -> int:
        """Samples of each channel that wait to be read; -200279 when the buffer has run over."""
        with self._turn:
            return self._checked() - self._read

    def done(self) -> bool:
        """-200279 when the buffer has run over."""
        with self._turn:
            return self._checked() == self.finite or self._aborted

    def end(self) -> None:
        """No more samples; whoever waits for some is told so."""
        with self._turn:
            self._stopped_at = self.acquired()
            self._aborted = True
            self._turn.notify_all()

    def overrun(self) -> None:
        """The buffer has run over now, however large it is."""
        with self._turn:
            self._overwrite(self.acquired())
            self._turn.notify_all()

    def keep_up(self) -> None:
        """Store what waits unread before the plant forgets it; to be called every few seconds."""
        with self._turn:
            taken = self.acquired()
            if not self._aborted and STORED_AFTER < self._age(taken) <= LOST_AFTER:
                first = self._read + self._stored.shape[1]
                fresh = self._converted(first, taken - first)
                self._stored = np.concatenate([self._stored, fresh], axis=1)

    def take(self, wanted: int, timeout: float, caller: Caller) -> Samples:
        """The next ``wanted`` samples of each channel, or all that remain of a finite acquisition.

        Waits for them; after ``timeout`` seconds (for ever if negative) returns what there is. Reads that come at the
        same time take turns.
        """
        with self._one_reader, self._turn:
            if self._checked() == self.finite == self._read and wanted > 0:
                raise DriverError(Code.SAMPLES_WILL_NEVER_BE_AVAILABLE, read=0)
            goal = wanted if self.finite is None else min(wanted, self.finite - self._read)
            self._draining = True  # whoever waits for more than the buffer holds takes it out as it comes
            try:
                timed_out = not self._wait_for(self._read + goal, timeout, caller)
                count = min(goal, self._checked() - self._read)
            finally:
                self._draining = False
            first, self._read = self._read, self._read + count
            return Samples(self._made(first, count), timed_out)

    def wait_for(self, total: int, timeout: float, caller: Caller) -> bool:
        """Whether ``total`` samples were taken of each channel within the time."""
        with self._turn:
            return self._wait_for(total, timeout, caller)

    def _wait_for(self, total: int, timeout: float, caller: Caller) -> bool:
        deadline = math.inf if timeout < 0 else self._plant.now() + timeout
        due = self._start + total / self.rate
        with caller.waiting_on(self._turn):
            while self._checked() < total:
                if caller.gone:
                    raise ClientGone
                if self._aborted:
                    raise DriverError(Code.RUNTIME_ABORTING_ROUTING, read=0)
                now = self._plant.now()
                if now >= deadline:
                    return False
                self._turn.wait(min(LONGEST_WAIT, max(0.0, min(due, deadline) - now)))
        return True

    def _checked(self) -> int:
        """Samples taken; -200279 for ever once more have come than the buffer holds."""
        taken = self.acquired()
        run_over = self.finite is None and not self._draining and taken - self._read > self._capacity
        if run_over or self._age(taken) > LOST_AFTER:
            self._overwrite(taken)
        if self._overwritten:
            raise DriverError(Code.SAMPLES_NO_LONGER_AVAILABLE, read=0)
        return taken

    def _overwrite(self, taken: int) -> None:
        self._stopped_at, self._overwritten = taken, True
        self._stored = self._stored[:, :0]

    def _age(self, taken: int) -> float:
        """Seconds since the oldest sample was taken that neither was read nor is stored; 0 where there is none."""
        first = self._read + self._stored.shape[1]
        return self._plant.now() - self._start - first / self.rate if first < taken else 0.0

    def _made(self, first: int, count: int) -> Floats:
        stored, self._stored = self._stored[:, :count], self._stored[:, count:]
        rest = count - stored.shape[1]
        if not rest:
            return stored
        return np.concatenate([stored, self._converted(first + stored.shape[1], rest)], axis=1)

    def _converted(self, first: int, count: int) -> Floats:
        raw = self._plant.acquire(self._terminals, first, count, self.rate, self._start)
        return np.clip(raw, -self._reach, self._reach, out=raw)
