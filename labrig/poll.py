"""A source's ``read`` becomes blocks on the bus, in a thread of its own.

A failed read is an event and a quality flag, never a number. A lost line ends the source, or it is opened again every
second until the same device answers; its last value is never repeated meanwhile.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Final

import numpy as np

from labrig.clock import SECOND, Clock, Job, spawn
from labrig.errors import InstrumentError, LinkLost, SamplesLost, WrongInstrument
from labrig.model import Block, Event, Faulted, Noted, Quality
from labrig.roles import Actuator, Source

log = logging.getLogger(__name__)
PATIENCE: Final = 3
"""Consecutive failed reads after which a source counts as lost."""
RETRY: Final = 1.0
"""Seconds between two attempts to find a lost device."""
Tell = Callable[[str, str], None]
"""Takes an instrument's name and what is wrong with it; empty words when it is mended."""


class Poller:
    """Reads one source until it is told to end.

    A source of which ``identity`` is given is looked for when it is lost, and taken back when it says the same of
    itself. Without, losing it is final. ``lost`` is told of a final loss, and of every loss of a source with outputs:
    nobody knows what those do, and taken back they are safe. One that is ``locked`` could not be opened yet, because a
    watchdog keeps its device: it is opened when it lets itself be.
    """

    def __init__(
        self,
        source: Source,
        *,
        publish: Callable[[Block | Event], None],
        clock: Clock,
        lost: Callable[[str], None],
        identity: str = "",
        locked: bool = False,
        tell: Tell = lambda _, __: None,
    ) -> None:
        self._source, self._publish, self._clock, self._lost = source, publish, clock, lost
        self._identity, self._locked, self._tell = identity, locked, tell
        self._ended = threading.Event()
        self._numbering = Numbering(source, clock)
        self._failures = 0
        self._drives = isinstance(source, Actuator) and bool(source.outputs)
        self._thread: Job | None = None

    def start(self) -> None:
        if not self._locked:
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
        try:
            self._poll()
        except Exception as error:  # whatever a driver or a sink did, nobody may believe that this source still reads
            log.exception("the poller of %s failed", self._source.name)
            self._fault(f"{type(error).__name__}: {error}", "SYS-14")
            self._lost(f"{self._source.name}: its reading failed unexpectedly ({type(error).__name__}: {error})")

    def _poll(self) -> None:
        if self._locked and not self._found_again():
            return
        due = self._clock.now()
        while not self._ended.is_set():
            if not self._read() and not self._found_again():
                return
            if self._source.period:
                due = max(due + round(self._source.period * SECOND), self._clock.now())
                self._clock.wait((due - self._clock.now()) / SECOND, self._ended)

    def _read(self) -> bool:
        """One read; False when the source is lost."""
        try:
            block = self._source.read()
        except SamplesLost as loss:
            self._fault(str(loss), "DEV-11")
            return True
        except WrongInstrument as error:
            return self._give_up(str(error), "DEV-04")
        except LinkLost as error:
            return self._give_up(str(error), "DEV-02")
        except InstrumentError as error:
            self._failures += 1
            self._nothing_read()
            self._fault(str(error), "DEV-08")
            if self._failures < PATIENCE:
                return True
            return self._give_up(f"{PATIENCE} reads in a row failed: {error}", "DEV-08")
        self._failures = 0
        if len(block):
            self._publish(self._numbering.of(block))
        return True

    def _give_up(self, why: str, fault: str) -> bool:
        if not self._failures:
            self._nothing_read()
        self._fault(why, fault)
        if not self._identity or self._drives:
            self._lost(f"{self._source.name}: {why}")
        return False

    def _nothing_read(self) -> None:
        """A source that is asked did not answer: a row without values. A stream has no row to leave empty."""
        if self._source.period and self._source.channels:
            self._publish(self._numbering.missing())

    def _found_again(self) -> bool:
        """Wait for the lost device; False when nobody is to wait, or when told to end."""
        if not self._identity and not self._locked:
            return False
        name, refused = self._source.name, ""
        lost = f"{name} is lost. Its other readings go on; labrig looks for it every {RETRY:g} s."
        self._tell(name, f"{name} cannot be read before the watchdog is reset" if self._locked else lost)
        self._let_go()
        while not self._clock.wait(RETRY, self._ended):
            try:
                self._take_back()
            except WrongInstrument as error:
                self._let_go()
                if str(error) != refused:
                    refused = str(error)
                    self._fault(refused, "DEV-04")
                    self._tell(name, refused)
            except InstrumentError:
                self._let_go()
            else:
                self._failures, self._locked = 0, False
                self._numbering.interrupted()
                self._publish(Noted(self._clock.now(), f"{name} found again: {self._identity}; identity verified"))
                self._tell(name, "")
                return True
        return False

    def _take_back(self) -> None:
        """Open and start; raises `WrongInstrument` where something else answers than before."""
        found = self._source.open()
        if self._identity and found != self._identity:
            raise WrongInstrument(f"{self._source.name}: expected {self._identity}, found {found}. Not connected.")
        self._identity = found
        self._source.start()

    def _let_go(self) -> None:
        with suppress(InstrumentError):
            self._source.close()

    def _fault(self, text: str, fault: str) -> None:
        self._publish(Faulted(self._clock.now(), self._source.name, text, fault))


class Numbering:
    """Indices of a source's samples: they go up by one a sample, and by what is missing where it was silent.

    A stream counts for itself, lost samples included. A source that is asked is counted here, rows without values and
    the questions that could not be asked included.
    """

    def __init__(self, source: Source, clock: Clock) -> None:
        self._source, self._clock = source, clock
        self._next = 0
        self._last = 0
        """Time of the last sample."""
        self._gap = False

    def of(self, block: Block) -> Block:
        """The block with the index that its samples have here, flagged where some are missing before it."""
        if self._gap:
            self._skip(int(block.times[0]))
            quality = block.quality.copy()
            quality[0] |= np.uint8(Quality.AFTER_GAP)
            block, self._gap = replace(block, quality=quality), False
        if self._source.period:
            block = replace(block, first=self._next)
        self._next, self._last = block.first + len(block), int(block.times[-1])
        return block

    def missing(self) -> Block:
        """A row without values, now."""
        names = tuple(channel.name for channel in self._source.channels)
        now = max(self._clock.now(), self._last + 1)
        if self._gap:
            self._skip(now)
        nothing = np.full((1, len(names)), np.nan)
        quality = np.full((1, len(names)), int(Quality.MISSING), np.uint8)
        block = Block(self._source.name, names, self._next, np.array([now], np.int64), nothing, quality)
        self._next, self._last = self._next + 1, now
        return block

    def interrupted(self) -> None:
        """Samples are missing before the next one."""
        self._gap = True

    def _skip(self, time: int) -> None:
        """Count the questions that could not be asked since the last sample."""
        if self._source.period:
            self._next += max(1, round((time - self._last) / SECOND / self._source.period) - 1)
