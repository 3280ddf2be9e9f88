"""What a balance and pressure transducers say of the next minutes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig.clock import SECOND
from labrig.history import Trace
from labrig.model import Block, Calibration, Channel, Floats, Quality
from labrig.outlook import Collected, trapped, will_empty, will_fill
from labrig.units import minute, psi, unit

GRAM = 1e-3
MASS = Channel("mass", unit("g"), "g", 0.0, 6.2, Calibration((0.0, GRAM)))
FLOWS = st.lists(st.floats(0.0, 8.0), min_size=1, max_size=30)
"""g/s, a second each."""


def traced(seconds: Floats, values: Floats) -> Trace:
    n = len(seconds)
    times = np.rint(seconds * SECOND).astype(np.int64)
    return Trace(times, np.ones(n, np.int64), values, values, values, np.zeros(n, np.uint8))


def weighed(grams: Floats, first: int = 0) -> Block:
    """A block of a balance that is asked ten times a second."""
    times = (first + np.arange(len(grams), dtype=np.int64)) * (SECOND // 10)
    missing = np.where(np.isfinite(grams), Quality.GOOD, Quality.MISSING).astype(np.uint8)
    return Block("balance", ("mass",), first, times, grams.reshape(-1, 1), missing.reshape(-1, 1))


@given(FLOWS)
def test_what_has_flowed_onto_a_balance_is_counted(flows: list[float]) -> None:
    grams = 50.0 + np.concatenate(([0.0], np.cumsum(np.repeat(flows, 10) / 10)))
    collected = Collected("mass", {"mass": MASS})
    for start in range(0, len(grams), 7):
        collected(weighed(grams[start : start + 7], start))

    assert collected.mass == pytest.approx(sum(flows) * GRAM, abs=1e-9)


@given(FLOWS, st.floats(10.0, 3000.0))
def test_a_beaker_that_is_poured_away_in_between_takes_nothing_from_the_count(flows: list[float], more: float) -> None:
    grams = more + 50.0 + np.cumsum(np.repeat(flows, 10) / 10)
    collected = Collected("mass", {"mass": MASS})
    collected(weighed(grams))
    collected(weighed(grams - grams[-1], len(grams)))

    assert collected.mass == pytest.approx(2 * (grams[-1] - grams[0]) * GRAM, abs=1e-9)


def test_what_flowed_while_the_balance_was_silent_is_counted_when_it_speaks_again() -> None:
    grams = np.concatenate((np.full(5, 50.0), np.full(100, np.nan), np.full(5, 70.0)))
    collected = Collected("mass", {"mass": MASS})
    collected(weighed(grams))

    assert collected.mass == pytest.approx(20 * GRAM)


def test_a_feed_that_was_filled_is_counted_anew() -> None:
    collected = Collected("mass", {"mass": MASS})
    collected(weighed(np.linspace(0.0, 10.0, 100)))
    collected.begin_anew()

    assert collected.mass == 0.0


def test_a_flow_that_began_seconds_ago_is_forecast_by_what_it_is_now() -> None:
    """2 g/s for five seconds after a quiet half minute: 50 g more take 25 s, not minutes."""
    seconds = np.arange(0.0, 35.0, 0.1)
    coming = will_fill(traced(seconds, GRAM * (10 + 2 * np.clip(seconds - 30, 0, None))), 70 * GRAM)

    assert coming is not None
    assert coming.seconds == pytest.approx(25, rel=0.05)
    assert not coming.stops


def test_what_lies_far_ahead_or_does_not_flow_is_no_forecast() -> None:
    seconds = np.arange(0.0, 30.0, 0.1)
    still, slow = traced(seconds, np.full(300, 0.01)), traced(seconds, 1e-6 * seconds)

    assert will_fill(still, 1.0) is None
    assert will_fill(slow, 1.0) is None
    assert will_empty(slow, 10 * minute * 1e-6) is not None


def test_a_pressure_that_stays_is_trapped_and_one_that_falls_or_is_low_is_not() -> None:
    seconds = np.arange(0.0, 5.0, 0.02)

    assert "stands at 40.0 psi and does not fall" in trapped("Vessel pressure", traced(seconds, np.full(250, 40 * psi)))
    assert not trapped("p", traced(seconds, 40 * psi * np.exp(-seconds / 20)))
    assert not trapped("p", traced(seconds, np.full(250, 0.5 * psi)))
    assert not trapped("p", traced(seconds[:50], np.full(50, 40 * psi)))
