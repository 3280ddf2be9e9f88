"""Samples get indices that never restart, and times on the monotonic clock that stay near the truth."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig.clock import SECOND
from labrig_instruments.sample_clock import SampleClock

MS = SECOND // 1000


def test_the_first_sample_lies_between_the_moments_around_the_start() -> None:
    clock = SampleClock()
    clock.began(1000.0, 10 * SECOND, 10 * SECOND + 4 * MS)

    stamp = clock.stamp(20, 10 * SECOND + 40 * MS)

    assert stamp.first == 0
    assert stamp.lost == 0
    assert stamp.times[0] == 10 * SECOND + 2 * MS
    assert np.diff(stamp.times).tolist() == [MS] * 19


def test_what_has_arrived_was_taken_before() -> None:
    """The start command answered late: twenty samples are there 20 ms after it was given, so the first is early."""
    clock = SampleClock()
    clock.began(1000.0, 0, 100 * MS)

    assert clock.stamp(20, 20 * MS).times[0] == MS // 2


def test_an_axis_that_is_ahead_of_what_arrives_moves_back_step_by_step() -> None:
    """The first block came late and left the start in doubt by 30 ms; the others come as soon as they are taken."""
    clock = SampleClock()
    clock.began(1000.0, 0, 60 * MS)
    assert clock.stamp(20, 200 * MS).times[0] == 30 * MS

    stamps = [clock.stamp(20, (40 + 20 * block) * MS) for block in range(80)]

    times = np.concatenate([stamp.times for stamp in stamps])
    assert np.diff(times).min() == MS // 2
    assert times[-1] == (40 + 20 * 79) * MS


def test_indices_run_on_and_times_follow_the_index() -> None:
    clock = SampleClock()
    clock.began(3.0, 0, 0)

    stamps = [clock.stamp(n, 2 * SECOND) for n in (1, 2, 3)]

    assert [stamp.first for stamp in stamps] == [0, 1, 3]
    assert np.concatenate([stamp.times for stamp in stamps]).tolist() == [round(k / 3 * SECOND) for k in range(6)]


def test_a_restart_skips_the_samples_that_are_missing() -> None:
    """1000 samples to 1 s, a stop, a start at 3.5 s: 2500 are missing, and the times say so."""
    clock = SampleClock()
    clock.began(1000.0, 0, 0)
    clock.stamp(1000, SECOND)
    clock.began(1000.0, 3500 * MS, 3500 * MS)

    stamp = clock.stamp(20, 3520 * MS)

    assert (stamp.first, stamp.lost) == (3500, 2500)
    assert stamp.times[0] == 3500 * MS


@pytest.mark.parametrize("ppm", [-50, 0, 50])
def test_over_a_day_of_work_a_clock_that_is_off_stays_within_five_milliseconds(ppm: float) -> None:
    """Two samples a second in blocks of one, each arriving 1 ms late, some a good deal later. Eight hours."""
    clock, rate, late = SampleClock(), 2.0, random.Random(1)
    true_rate = rate * (1 + ppm * 1e-6)
    clock.began(rate, 0, 0)
    errors, times = [], []

    for index in range(8 * 3600 * 2):
        truth = round(index / true_rate * SECOND)
        delay = MS + round(late.expovariate(1 / (2 * MS)))
        stamp = clock.stamp(1, truth + delay)
        times.append(int(stamp.times[0]))
        errors.append(times[-1] - truth)

    assert max(map(abs, errors)) < 5 * MS
    assert np.diff(times).min() > 0


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 20 * SECOND), st.booleans()), max_size=40))
def test_whatever_happens_indices_and_times_only_grow(story: list[tuple[int, int, bool]]) -> None:
    """Blocks of any size, pauses of any length, restarts at any moment."""
    clock, now, last_index, last_time = SampleClock(), 0, -1, -1
    clock.began(100.0, now, now)
    for count, pause, restart in story:
        now += pause
        if restart:
            clock.began(100.0, now, now + MS)
            now += MS
        now += count * SECOND // 100
        stamp = clock.stamp(count, now)
        assert stamp.first > last_index
        if count:
            assert stamp.times[0] > last_time
            assert (np.diff(stamp.times) > 0).all()
            last_index, last_time = stamp.first + count - 1, int(stamp.times[-1])
