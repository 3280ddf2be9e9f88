"""A run's hold on the rig, and how it ends: once, for one reason, and everything that waits ends with it."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from labrig.clock import SECOND, Clock
from labrig.errors import Aborted, RunEnded, Tripped
from labrig.model import Block, Outcome, Quality


class Ending:
    """The end of one run. The first call of `end` decides; later ones change nothing."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self._lock = threading.Lock()
        self._outcome = Outcome.COMPLETED
        self._reason = ""

    @property
    def outcome(self) -> Outcome:
        return self._outcome

    @property
    def reason(self) -> str:
        return self._reason

    def end(self, outcome: Outcome, reason: str) -> bool:
        """End the run; True for the call that decided."""
        with self._lock:
            if self.event.is_set():
                return False
            self._outcome, self._reason = outcome, reason
            self.event.set()
            return True

    def check(self) -> None:
        """Raise the error that stands for the end, if the run has ended."""
        if self.event.is_set():
            kinds: dict[Outcome, type[RunEnded]] = {Outcome.ABORTED: Aborted, Outcome.TRIPPED: Tripped}
            raise kinds.get(self._outcome, RunEnded)(self._reason)


_UNUSABLE: Final = np.uint8(Quality.MISSING | Quality.OPEN_LOOP)
SPACING: Final = 0.002
"""Seconds between two commands of a protocol in a process of its own."""
JOINING: Final = 120.0
"""Seconds until a protocol's first sign of life: its process has to start. Until then nothing is commanded."""


class Tenure:
    """One run's hold on the rig. It ends once; the protocol's verbs renew it."""

    def __init__(self, silence: float, needed: Sequence[str], clock: Clock) -> None:
        self.ending = Ending()
        self._needed = dict.fromkeys(needed, clock.now())
        """Channels that the protocol needs, with the time of the last usable sample."""
        self._concluded, self._commanded = threading.Lock(), 0
        self.held = threading.Event()
        self.settled = threading.Event()
        """Set when the run has ended, every output has been made safe and the rig's state says so."""
        self._silence, self._clock = round(silence * SECOND), clock
        self._renewed, self._allowed = clock.now(), max(round(JOINING * SECOND), self._silence)

    def renew(self) -> None:
        """The protocol is alive."""
        self._renewed, self._allowed = self._clock.now(), self._silence

    def silent_for(self) -> float:
        """Seconds by which the protocol has been silent for longer than it may; not positive while all is well."""
        return (self._clock.now() - self._renewed - self._allowed) / SECOND

    def permit(self) -> None:
        """What a command asks for under the output's lock: raises once the run has ended."""
        self.ending.check()
        self.renew()

    def conclude(self) -> bool:
        """Claim to see the run to its end; True for one caller only."""
        return self._concluded.acquire(blocking=False)

    def space(self) -> None:
        """Wait until a command may follow the last one: one that commands without end leaves others their turn."""
        self.ending.event.wait(max(0.0, SPACING - (self._clock.now() - self._commanded) / SECOND))
        self._commanded = self._clock.now()

    def notice(self, block: Block) -> None:
        """Remember when each needed channel last had a value."""
        for column, name in enumerate(block.channels):
            if name in self._needed:
                usable = np.flatnonzero((block.quality[:, column] & _UNUSABLE) == 0)
                if len(usable):
                    self._needed[name] = int(block.times[usable[-1]])

    def unfit(self, seconds: float, frozen: Mapping[str, str]) -> str:
        """Which needed channels have had no value for so long, or are ``frozen`` (why, by channel); empty if none."""
        now = self._clock.now()
        silent = [name for name, seen in self._needed.items() if (now - seen) / SECOND > seconds]
        words = [f"{', '.join(silent)}: no valid value for {seconds:g} s"] if silent else []
        return "; ".join(words + [why for name, why in frozen.items() if name in self._needed])

    def go_on(self) -> None:
        """Held no longer: protocol and needed channels have their whole time again."""
        self.renew()
        self._needed.update(dict.fromkeys(self._needed, self._clock.now()))
        self.held.clear()
