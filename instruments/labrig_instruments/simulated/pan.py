"""Zero and tare of a simulated balance: what it shows of what lies on its pan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from labrig.plant import Weighing

PATIENCE: Final = 10.0
"""Seconds that a tare or a zero waits for a steady weight."""
LOOK: Final = 0.05
"""Seconds between two looks whether it has settled."""


class Pan:
    """A balance's pan, with one tare or zero at most that waits for a steady weight."""

    def __init__(self, weigh: Callable[[], Weighing]) -> None:
        self._weigh = weigh
        self._zero = self._tare = 0.0
        self._wanted = ""
        self._until = self._look_at = 0.0

    def weigh(self) -> Weighing:
        return self._weigh()

    def net(self, weighing: Weighing) -> float:
        """Grams, less zero and tare."""
        return weighing.grams - self._zero - self._tare

    def want(self, verb: str, now: float) -> None:
        """Tare or zero as soon as the weight is steady; given up after `PATIENCE`."""
        self._wanted, self._until, self._look_at = verb, now + PATIENCE, now

    def busy(self, now: float) -> bool:
        """Whether it still waits; carries out what it can."""
        if self._wanted and now >= self._look_at:
            weighing = self._weigh()
            if weighing.load == "in range" and weighing.settled:
                self._act(weighing)
            elif weighing.load != "in range" or now >= self._until:
                self._wanted = ""
            self._look_at = now + LOOK
        return bool(self._wanted)

    def due(self) -> float | None:
        return self._look_at if self._wanted else None

    def _act(self, weighing: Weighing) -> None:
        if self._wanted == "tare":
            self._tare = weighing.grams - self._zero
        else:
            self._zero, self._tare = weighing.grams, 0.0
        self._wanted = ""
