"""Where a run is, judged by the events that the rig's states are made of."""

from __future__ import annotations

from labrig.clock import SECOND
from labrig.model import StateChanged, StepEntered
from labrig.server.whereabouts import Whereabouts


def at(seconds: float) -> int:
    return round(seconds * SECOND)


def told(*events: StateChanged | StepEntered) -> Whereabouts:
    where = Whereabouts()
    for event in events:
        assert where.take(event)
    return where


def test_the_time_of_every_hold_of_a_step_is_summed() -> None:
    where = told(
        StepEntered(at(10), "10 psi"),
        StateChanged(at(12), "running", "hold"),
        StateChanged(at(15), "hold", "running"),
        StateChanged(at(20), "running", "hold"),
        StateChanged(at(30), "hold", "running"),
    )

    assert (where.step, where.entered, where.held) == ("10 psi", at(10), at(13))


def test_a_new_step_begins_without_the_holds_of_the_one_before() -> None:
    where = told(
        StepEntered(at(10), "10 psi"),
        StateChanged(at(12), "running", "hold"),
        StateChanged(at(15), "hold", "running"),
        StepEntered(at(16), "20 psi"),
    )

    assert (where.entered, where.held) == (at(16), 0)


def test_a_step_that_is_entered_in_a_hold_counts_what_of_it_is_left() -> None:
    where = told(
        StateChanged(at(12), "running", "hold"),
        StepEntered(at(14), "20 psi"),
        StateChanged(at(15), "hold", "running"),
    )

    assert where.held == at(1)


def test_what_is_no_step_and_no_hold_tells_nothing() -> None:
    assert not Whereabouts().take(StateChanged(at(1), "running", "stopping"))
