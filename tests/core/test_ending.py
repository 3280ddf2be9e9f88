"""A run's hold on the rig: who ends it, and how fast it may command."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from labrig.clock import SECOND, RealClock, monotonic
from labrig.ending import SPACING, Tenure
from labrig.model import Outcome


def tenure() -> Tenure:
    return Tenure(10.0, (), RealClock())


def test_of_many_at_once_one_sees_the_run_to_its_end() -> None:
    one = tenure()

    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda _: one.conclude(), range(64)))

    assert claims.count(True) == 1


def test_commands_without_end_leave_others_their_turn() -> None:
    one, began = tenure(), monotonic()

    for _ in range(21):
        one.space()

    assert (monotonic() - began) / SECOND >= 20 * SPACING


def test_a_run_that_has_ended_waits_for_nothing() -> None:
    one = tenure()
    one.ending.end(Outcome.ABORTED, "stopped")
    began = monotonic()

    for _ in range(1000):
        one.space()

    assert (monotonic() - began) / SECOND < 1000 * SPACING / 2
