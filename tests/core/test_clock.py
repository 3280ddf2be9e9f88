"""The virtual clock: it jumps in strides, takes its followers along, and stops where the run ends."""

from __future__ import annotations

import threading

from labrig.clock import SECOND, RealClock, VirtualClock


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
