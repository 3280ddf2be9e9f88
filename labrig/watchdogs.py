"""A rig's hardware watchdogs together: found, petted, armed again."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from labrig.errors import InstrumentError, RigError
from labrig.roles import Watchdog

log = logging.getLogger(__name__)


class Watchdogs:
    """None, one or several; the guardian alone pets them."""

    def __init__(self, watchdogs: Sequence[Watchdog]) -> None:
        self._watchdogs = tuple(watchdogs)

    def found_expired(self) -> str:
        """Which of them ran out before labrig began, in words; empty when none did."""
        return "; ".join(found for each in self._watchdogs if (found := _found(each)))

    def pet(self) -> Iterator[tuple[str, str]]:
        """Pet each; yields the name of one that could not be petted, and why."""
        for each in self._watchdogs:
            try:
                each.pet()
            except InstrumentError as error:
                yield each.name, str(error)

    def rearm(self) -> bool:
        """Arm again those that ran out or whose device went away; whether there was one.

        Raises `RigError` where one does not guard afterwards.
        """
        asleep = [each for each in self._watchdogs if not _guards(each)]
        for each in asleep:
            try:
                each.rearm()
            except InstrumentError as error:
                raise RigError(f"cannot reset: {error} The rig stays tripped.") from error
        return bool(asleep)


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
