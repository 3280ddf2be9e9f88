"""The virtual clock: it jumps in strides, takes its followers along, and stops where the run ends."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig.clock import SECOND, RealClock, VirtualClock, WallClock


def test_a_follower_hears_each_stride_and_the_end_of_the_wait() -> None:
    clock, heard = VirtualClock(), list[int]()
    clock.follow(heard.append)

    clock.wait(2.5, threading.Event())

    assert heard == [SECOND, 2 * SECOND, 2 * SECOND + SECOND // 2]
    assert clock.now() == heard[-1]


def test_a_wait_ends_when_the_run_ends() -> None:
    clock, ended = VirtualClock(), threading.Event()
    clock.follow(lambda now: ended.set() if now >= 3 * SECOND else None)

    assert clock.wait(3600, ended)
    assert clock.now() == 3 * SECOND


def test_the_wall_clock_follows() -> None:
    clock = VirtualClock()
    before = clock.utc()

    clock.wait(90, threading.Event())

    assert (clock.utc() - before).total_seconds() == 90


def test_a_real_wait_returns_at_once_when_the_run_has_ended() -> None:
    clock, ended = RealClock(), threading.Event()
    ended.set()
    began = clock.now()

    assert clock.wait(60, ended)
    assert clock.now() - began < SECOND


class Set:
    """A clock whose hour of day a test sets."""

    virtual = False

    def __init__(self) -> None:
        self.seconds, self.ahead, self.held_up = 0.0, 0.0, 0.0

    def now(self) -> int:
        self.seconds += self.held_up
        return round(self.seconds * SECOND)

    def utc(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds + self.ahead)

    def wait(self, seconds: float, ended: threading.Event) -> bool:
        self.seconds += seconds
        return ended.is_set()


@pytest.mark.fault("SYS-08")
@given(st.floats(1.01, 1e8), st.sampled_from([-1, 1]))
def test_a_clock_that_is_set_shows_once_with_its_step(step: float, way: int) -> None:
    clock = Set()
    wall = WallClock(clock)
    clock.seconds, clock.ahead = 5.0, way * step

    assert wall.step() == pytest.approx(way * step, abs=1e-3)
    assert wall.step() == 0.0


def test_a_clock_that_is_slewed_or_a_thread_that_was_held_up_is_no_step() -> None:
    clock = Set()
    wall = WallClock(clock)
    for _ in range(1000):
        clock.seconds, clock.ahead = clock.seconds + 0.5, clock.ahead + 0.25e-3
        assert wall.step() == 0.0
    clock.held_up = 3.0
    assert wall.step() == 0.0
    clock.held_up = 0.0
    assert wall.step() == 0.0
