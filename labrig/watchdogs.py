"""A rig's hardware watchdogs together: found, petted, armed again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Final

from labrig.clock import SECOND, Job, spawn
from labrig.errors import InstrumentError, RigError
from labrig.roles import Now, Watchdog

log = logging.getLogger(__name__)
TOO_OLD: Final = 0.1
"""Seconds after which a wish to pet has lost its force: whoever wished it may hang by now."""
PATIENCE: Final = 2.0
"""Seconds to wait for one that hangs in a pet."""


class Watchdogs:
    """None, one or several; the guardian alone has them petted.

    Each is petted by a thread of its own once `start` was called: a device that is slow to answer does not keep the
    guardian from looking. Before that, and in virtual time, `pet` pets at once.
    """

    def __init__(self, watchdogs: Sequence[Watchdog], now: Now, failed: Callable[[str, str], None]) -> None:
        """``failed`` is told the name of one that could not be petted, and why."""
        self._petters = tuple(_Petter(watchdog, now, failed) for watchdog in watchdogs)

    def start(self) -> None:
        for petter in self._petters:
            petter.start()

    def close(self) -> None:
        for petter in self._petters:
            petter.close()

    def found_expired(self) -> str:
        """Which of them ran out before labrig began, in words; empty when none did."""
        return "; ".join(found for petter in self._petters if (found := _found(petter.watchdog)))

    def pet(self) -> None:
        for petter in self._petters:
            petter.ask()

    def trouble(self) -> str:
        """Pets each now; why one does not guard, in words, and empty when all do."""
        return "; ".join(f"{petter.watchdog.name}: {why}" for petter in self._petters if (why := petter.pet()))

    def rearm(self) -> bool:
        """Arm again those that ran out or whose device went away; whether there was one.

        Raises `RigError` where one does not guard afterwards.
        """
        renewed = [petter.rearm() for petter in self._petters]
        return any(renewed)


class _Petter:
    """One watchdog, touched by one thread at a time."""

    def __init__(self, watchdog: Watchdog, now: Now, failed: Callable[[str, str], None]) -> None:
        self.watchdog = watchdog
        self._now, self._failed = now, failed
        self._one_at_a_time, self._asked, self._over = threading.Lock(), threading.Event(), threading.Event()
        self._asked_at = 0
        self._job: Job | None = None

    def start(self) -> None:
        self._job = spawn(f"pet {self.watchdog.name}", self._run)

    def close(self) -> None:
        self._over.set()
        self._asked.set()
        if self._job is not None:
            self._job.join(PATIENCE)  # one that hangs in its device ends with it

    def ask(self) -> None:
        if self._job is None:
            self._pet_and_tell()
        else:
            self._asked_at = self._now()
            self._asked.set()

    def pet(self) -> str:
        """Pets now; why that failed, in words."""
        if not self._one_at_a_time.acquire(timeout=PATIENCE):
            return "it hangs in a pet"
        try:
            self.watchdog.pet()
        except InstrumentError as error:
            return str(error)
        except Exception as error:  # a driver's fault is a watchdog that does not guard
            log.exception("%s could not be petted", self.watchdog.name)
            return f"{type(error).__name__}: {error}"
        finally:
            self._one_at_a_time.release()
        return ""

    def rearm(self) -> bool:
        """Whether it had to be; raises `RigError` where it does not guard afterwards."""
        if not self._one_at_a_time.acquire(timeout=PATIENCE):
            raise RigError(f"cannot reset: {self.watchdog.name} hangs in a pet. The rig stays tripped.")
        try:
            if _guards(self.watchdog):
                return False
            self.watchdog.rearm()
        except InstrumentError as error:
            raise RigError(f"cannot reset: {error} The rig stays tripped.") from error
        finally:
            self._one_at_a_time.release()
        return True

    def _run(self) -> None:
        while True:
            self._asked.wait()
            self._asked.clear()
            if self._over.is_set():
                return
            if (self._now() - self._asked_at) / SECOND < TOO_OLD:
                self._pet_and_tell()

    def _pet_and_tell(self) -> None:
        why = self.pet()
        if why and not self._over.is_set():
            self._failed(self.watchdog.name, why)


def _found(watchdog: Watchdog) -> str:
    try:
        expired = watchdog.expired()
    except InstrumentError as error:
        return f"{watchdog.name}: {error}"
    return f"{watchdog.name}: the hardware watchdog had expired: labrig died or hung. Look why" if expired else ""


def _guards(watchdog: Watchdog) -> bool:
    try:
        if watchdog.expired():
            return False
        watchdog.pet()
    except InstrumentError as error:
        log.info("%s is armed anew: %s", watchdog.name, error)
        return False
    return True
