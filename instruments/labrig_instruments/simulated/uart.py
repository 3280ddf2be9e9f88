"""Bits on a serial wire: how long bytes take, and what is heard by a receiver that listens at another speed."""

from __future__ import annotations

from typing import Final

BITS: Final = 10
"""Per byte: a start bit, eight data bits, a stop bit."""
TOLERANCE: Final = 0.04
"""A receiver that re-synchronises on each start bit reads the tenth bit right up to about half a bit of drift."""
BURST: Final = 0.005
"""Seconds of bytes that are handed over together, as a serial adapter does."""


class Wire:
    """One direction of a line: what is put in comes out at the line's speed, each byte when its stop bit has passed."""

    def __init__(self, baud: int) -> None:
        self._byte = BITS / baud
        self._queue = bytearray()
        self._begun = 0.0

    def put(self, data: bytes, now: float) -> None:
        if not self._queue:
            self._begun = max(now, self._begun)
        self._queue += data

    def take(self, now: float) -> bytes:
        """The bytes that have passed by ``now``."""
        passed = max(0, min(len(self._queue), int((now - self._begun) / self._byte + 1e-6)))
        taken = bytes(self._queue[:passed])
        del self._queue[:passed]
        self._begun += passed * self._byte
        return taken

    def due(self) -> float | None:
        """When it is worth taking again; None while nothing is under way."""
        if not self._queue:
            return None
        return self._begun + min(len(self._queue), max(1, int(BURST / self._byte))) * self._byte

    def clear(self) -> None:
        self._queue.clear()


def heard(data: bytes, sent: int, received: int) -> bytes:
    """What a receiver at ``received`` baud makes of bytes that follow each other without a pause at ``sent`` baud.

    The receiver waits for a falling edge, then samples eight bits in their middles; a wrong stop bit is not refused,
    because the adapters of computers do not refuse it either.
    """
    if abs(sent - received) <= TOLERANCE * sent:
        return data
    levels = _levels(data)
    step = sent / received
    result = bytearray()
    position = 0.0
    while (start := _next_start(levels, position)) is not None:
        bits = [_level(levels, start + (k + 1.5) * step) for k in range(8)]
        result.append(sum(bit << k for k, bit in enumerate(bits)))
        position = start + (BITS - 0.5) * step
    return bytes(result)


def _levels(data: bytes) -> list[int]:
    levels = [1]
    for byte in data:
        levels += [0, *((byte >> k) & 1 for k in range(8)), 1]
    return levels


def _level(levels: list[int], position: float) -> int:
    return levels[int(position)] if position < len(levels) else 1


def _next_start(levels: list[int], position: float) -> float | None:
    """When the line is next low: at once if it has not risen since the last byte, else at its next fall."""
    if _level(levels, position) == 0:
        return position
    return next((float(index) for index in range(int(position), len(levels)) if levels[index] == 0), None)
