"""How a run ends: once, for one reason, and everything that waits ends with it."""

from __future__ import annotations

import threading

from labrig.errors import Aborted, RunEnded, Tripped
from labrig.model import Outcome


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
