"""A channel, a block, an output: the least that a test of the core needs."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from labrig.model import Block, Calibration, Channel, Flags
from labrig.units import UNITS, psi

PRESSURE = Channel(
    name="p",
    unit=UNITS["psi"],
    raw_unit="V",
    low=0.0,
    high=100 * psi,
    calibration=Calibration((0.0, 10 * psi)),
)


def block(
    values: Sequence[float], *, start: int = 0, step: int = 1_000_000, first: int = 0, quality: Flags | None = None
) -> Block:
    """One channel of volts, a sample each ``step`` nanoseconds."""
    raw = np.asarray(values, float)[:, None]
    times = start + step * np.arange(len(raw), dtype=np.int64)
    flags = np.zeros(raw.shape, np.uint8) if quality is None else quality[:, None]
    return Block("daq", ("p",), first, times, raw, flags)


class ManualClock:
    """A real clock's face on a time that the test sets; nothing waits."""

    virtual = False

    def __init__(self) -> None:
        self.time = 0

    def now(self) -> int:
        return self.time

    def utc(self) -> datetime:
        return datetime(2000, 1, 1, tzinfo=UTC)

    def wait(self, seconds: float, ended: threading.Event) -> bool:
        self.time += round(seconds * 1e9)
        return ended.is_set()
