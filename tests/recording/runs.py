"""A run to record: header, blocks and events whose every value is known from its index."""

from __future__ import annotations

import numpy as np

from labrig import units
from labrig.model import (
    Answered,
    Asked,
    Block,
    Calibration,
    Channel,
    ClockPaired,
    Commanded,
    Coupon,
    Event,
    Faulted,
    Marked,
    Mounting,
    Noted,
    Outcome,
    Quality,
    ReflexMet,
    RunFinished,
    RunHeader,
    RunStarted,
    Span,
    StateChanged,
    StepEntered,
    StepLeft,
    good,
)

MS = 1_000_000
CHANNELS = (
    Channel("feed", units.unit("psi"), "V", 0.0, 689_475.0, Calibration((100.0, 68_947.0)), label="Feed pressure"),
    Channel("back", units.unit("kPa"), "A", 0.0, 1e6, Calibration((-250_000.0, 62.5e6, 3.0)), loop=True),
    Channel("mass", units.unit("g"), "g", 0.0, 2.2, Calibration((0.0, 1e-3)), resolution=1e-5, address="ttyS0"),
)


def header(channels: tuple[Channel, ...] = CHANNELS, *, started_ns: int = 0, run_id: str = "r1") -> RunHeader:
    return RunHeader(
        run_id=run_id,
        started_utc="2026-03-01T08:30:00.250000+00:00",
        started_ns=started_ns,
        protocol="water-permeability",
        parameters={"pressures": ["10 psi", "20 psi"], "repeats": 2, "tare": True, "note": None},
        method="water 3",
        coupon=Coupon("C-17", lot="L-4", note="edge \u2265 2 mm, \u00fcber"),
        mounting=Mounting("cell-47", 0.047, 0.0001),
        operator="op",
        rig="bench",
        rig_file='[rig]\nname = "bench"\n',
        channels=channels,
        roles={"feed_pressure": "feed"},
        simulated=True,
        versions={"labrig": "0.1.0"},
        setup={"head": 0.12, "fluid": "water"},
    )


def block(first: int, n: int, *, start: int = 0, step: int = MS) -> Block:
    """Samples ``first`` to ``first + n`` of the source ``daq``: values say which sample and channel they are."""
    index = first + np.arange(n)
    return Block("daq", ("feed", "back"), first, start + index * step, known(index), good(n, 2))


def known(index: np.ndarray) -> np.ndarray:
    return np.column_stack((index * 0.5 + 0.25, -index / 3.0))


def weighing(first: int, time: int, value: float, quality: Quality = Quality.GOOD) -> Block:
    """One reading of the balance."""
    return Block("balance", ("mass",), first, np.array([time]), np.array([[value]]), np.array([[quality]], np.uint8))


EVENTS: tuple[Event, ...] = (
    RunStarted(0, "r1"),
    ClockPaired(1, "2026-03-01T08:30:00+00:00"),
    StepEntered(5 * MS, "10 psi"),
    Commanded(6 * MS, "feed_valve", "open"),
    Commanded(7 * MS, "regulator", "set", 68_947.57),
    Noted(8 * MS, 'says "NaN"\n=1+1', "op"),
    Faulted(9 * MS, "balance", "no answer", "DEV-01"),
    Marked(40 * MS, Span("plateau", 20 * MS, 39 * MS, {"target": 68_947.57, "word": "NaN", "lost": float("nan")})),
    Marked(41 * MS, Span("plateau", 10 * MS, 19 * MS)),
    Marked(41 * MS, Span("ramp", 0, 10 * MS)),
    StateChanged(42 * MS, "running", "holding", "feed low"),
    Asked(43 * MS, "q1", "Weigh the beaker", ("OK", "Skip")),
    Answered(44 * MS, "q1", "OK", "op"),
    ReflexMet(45 * MS, "break", 44 * MS),
    StepLeft(50 * MS, "10 psi"),
    RunFinished(60 * MS, Outcome.COMPLETED, "done"),
)


def items() -> list[Block | Event]:
    """Small blocks of two sources with a gap and bad samples, and an event of each kind."""
    blocks: list[Block | Event] = [block(first, 10) for first in (0, 10, 20, 50, 60)]
    flags = np.zeros((5, 2), np.uint8)
    flags[1, 0], flags[2:4, 1] = Quality.MISSING, Quality.OPEN_LOOP | Quality.BELOW
    values = known(np.arange(70, 75))
    values[1, 0] = np.nan
    irregular = 70 * MS + np.array([0, 1, 5, 6, 9], np.int64) * 500_001
    bad = Block("daq", ("feed", "back"), 70, irregular, values, flags)
    balance: list[Block | Event] = [
        weighing(number, (number * 20 + 3) * MS, 12.3456789 + number) for number in range(3)
    ]
    return [*EVENTS[:6], *blocks[:3], balance[0], *EVENTS[6:8], *blocks[3:], bad, *balance[1:], *EVENTS[8:]]
