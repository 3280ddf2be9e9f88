"""What goes wrong on a guard channel in mid-run trips the rig: the plant is safe, and stays so until the cause is gone.

A guard channel is one that an interlock names: feed pressure and vessel pressure.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest

from labrig.client import Client, Refused
from labrig.clock import SECOND
from labrig.model import Outcome, Quality, calibrated
from labrig.units import psi
from labrig.wire.documents import Control, RunPaper
from tests.server import scenarios
from tests.server.crowd import Crowd
from tests.server.harness import Rigged, state, status_when, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
BOUND = 0.2
"""Seconds from the cause to the last safe output: two samples, a block of 20 ms, and the valves' commands."""
STALE_AFTER = 1.0
"""Seconds of silence that trip a shipped rig."""
TIMES = 5
WATCHDOG = 0.6
"""Seconds: the hardware watchdog's half second and a tenth."""


@dataclass(frozen=True)
class Cause:
    """One thing that goes wrong."""

    fault: dict[str, object]
    words: tuple[str, ...]
    """What the run's reason says of it."""
    within: float = BOUND
    also: tuple[dict[str, object], ...] = field(default=())
    """What else is wrong, so that the cause stands when the rig is safe."""


CAUSES = {
    "open loop": Cause({"fault": "open loop", "address": "cDAQ1Mod5/ai0"}, ("vessel_pressure", "open loop")),
    "loop in failure": Cause(
        {"fault": "open loop", "address": "cDAQ1Mod5/ai0", "current": "22 mA"}, ("vessel_pressure", "open loop")
    ),
    "not a number": Cause({"fault": "nan", "address": "cDAQ1Mod1/ai0"}, ("feed_pressure", "no valid value")),
    "removed": Cause({"fault": "removed", "device": "cDAQ1Mod1"}, ("feed_pressure", "silent"), STALE_AFTER + BOUND),
}


def tripped(up: Rigged, client: Client, cause: Cause) -> RunPaper:
    """A run in which the cause comes up; the plant is safe in time, and the run says why."""
    up.start(up.ready(client), up.order())
    assert up.pressurised
    for fault in cause.also:
        up.control.set_fault(**fault)  # type: ignore[arg-type]
    with Crowd() as crowd:
        since = up.plant_time()
        up.control.set_fault(**cause.fault)  # type: ignore[arg-type]
        seconds = up.seconds_until_safe(since)
    paper = scenarios.ended(up, client, Outcome.TRIPPED)
    assert seconds < crowd.allows(cause.within)
    for words in cause.words:
        assert words in paper.reason
    up.stays_safe(0.0, since + round((seconds + 0.001) * SECOND))
    return paper


def reset_once_the_cause_is_gone(up: Rigged, client: Client, words: str) -> None:
    """Latched: neither a reset nor a start is taken while the cause stands, and each says so."""
    status = client.status()
    assert status.state == "tripped"
    assert words in status.reason
    with pytest.raises(Refused, match=rf"cannot reset: .*{words}.*stays tripped"):
        client.control(Control(verb="reset", by="tester"))
    with pytest.raises(Refused, match=r"tripped|cannot start"):
        client.start(up.order())
    assert up.safe
    up.control.clear_faults()
    wait_until(lambda: not_refused(client), "the reset is taken")
    assert state(client) == "safe"


def not_refused(client: Client) -> bool:
    try:
        client.control(Control(verb="reset", by="tester"))
    except Refused:
        return False
    return True


@pytest.mark.fault("DEV-01")
@pytest.mark.fault("SIG-02")
@pytest.mark.fault("SIG-04")
@pytest.mark.parametrize("name", CAUSES)
def test_a_guard_channel_that_cannot_be_believed_trips_the_rig(up: Rigged, client: Client, name: str) -> None:
    cause = CAUSES[name]
    tripped(up, client, cause)
    reset_once_the_cause_is_gone(up, client, cause.words[0])


@pytest.mark.fault("PRO-02")
def test_over_pressure_trips_the_rig(up: Rigged, client: Client) -> None:
    """The regulator runs away, again and again; the vent lets the pressure go, and a reset is taken."""
    for _ in range(TIMES):
        over_pressed(up, client)
        up.control.clear_faults()
        wait_until(lambda: not_refused(client), "the reset is taken")


def over_pressed(up: Rigged, client: Client) -> None:
    """The regulator runs away in a run; the outputs are safe in time, from the first sample above a limit."""
    up.start(up.ready(client), up.order())
    with Crowd() as crowd:
        up.control.set_fault("over-pressure", pressure="95 psi")
        wait_until(lambda: up.safe, "the outputs are safe")
    paper = scenarios.ended(up, client, Outcome.TRIPPED)
    assert up.seconds_until_safe(first_above(up, paper)) < crowd.allows(BOUND)
    assert "_pressure" in paper.reason
    assert "is above its limit" in paper.reason


@pytest.mark.fault("PRO-02")
@pytest.mark.fault("PRO-04")
def test_a_vent_that_does_not_open_after_over_pressure_is_told(up: Rigged, client: Client) -> None:
    """The pressure stays, and so does the cause of the trip."""
    up.control.set_fault("stuck valve", valve="vent", position="closed")
    over_pressed(up, client)
    trapped = up.control.truth().values

    assert trapped["feed_open"] == 0.0
    assert trapped["vessel_pressure"] > 80 * psi
    status = status_when(client, lambda status: "does not fall" in " ".join(status.warnings), "people are told", 15.0)
    assert not status.safe_to_open
    assert "Do not open the rig; shut the supply and vent by hand" in " ".join(status.warnings)
    reset_once_the_cause_is_gone(up, client, "_pressure")
    wait_until(lambda: up.control.truth().values["vessel_pressure"] < psi, "the pressure is gone")
    wait_until(lambda: "does not fall" not in " ".join(client.status().warnings), "nobody is told any more")
    assert up.control.truth().values["vent_open"] == 1.0


def first_above(up: Rigged, paper: RunPaper) -> int:
    """When the first guard channel first read above its limit, by the run's file."""
    with up.file(paper) as run:
        channels = {channel.name: channel for channel in run.header.channels}
        found: list[int] = []
        for block in run.blocks():
            for name, limit in LIMITS.items():
                if name in block.channels:
                    values = calibrated(block, channels)[:, block.channels.index(name)]
                    found += [int(time) for time in block.times[values > limit]]
    return min(found)


LIMITS = {"feed_pressure": 85 * psi, "vessel_pressure": 88 * psi}


@pytest.mark.fault("SIG-01")
def test_a_frozen_guard_channel_trips_when_outputs_move_and_it_does_not(up: Rigged, client: Client) -> None:
    """While nothing moves it cannot be told from a quiet one; the rig file says how long it may take (2 s)."""
    up.control.set_fault("stuck", address="cDAQ1Mod1/ai0")
    threading.Event().wait(3.0)
    assert state(client) == "safe"
    up.start(up.ready(client), up.order())
    wait_until(lambda: up.safe, "the outputs are safe")
    paper = scenarios.ended(up, client, Outcome.TRIPPED)

    assert "feed_pressure is frozen: not one digit of it moved in 2 s after" in paper.reason
    assert not client.status().safe_to_open
    reset_once_the_cause_is_gone(up, client, "feed_pressure is frozen")


@pytest.mark.fault("DEV-16")
def test_a_daq_that_answers_nothing_is_made_safe_by_its_own_watchdog(up: Rigged, client: Client) -> None:
    """No command gets through; the trip says so, and a reset is taken when it answers again."""
    cause = Cause({"fault": "server silence", "lasts": "5 s"}, (), WATCHDOG)
    tripped(up, client, cause)
    assert "not made safe" in client.status().reason
    wait_until(lambda: not_refused(client), "the reset is taken")

    assert state(client) == "safe"
    assert up.safe


@pytest.mark.fault("DEV-11")
def test_an_overrun_of_a_guard_channel_is_told_and_the_run_goes_on(up: Rigged, client: Client) -> None:
    """Sampling goes on within a moment: no trip, the lost samples are counted, the first one after them is flagged."""
    paper = up.start(client, up.order())
    up.control.set_fault("overrun", device="cDAQ1Mod1")
    threading.Event().wait(1.5)
    assert state(client) == "running"
    client.stop("", "tester")
    scenarios.ended(up, client, Outcome.ABORTED)

    with up.file(paper) as run:
        (told,) = [event.text for event in run.events if event.kind == "faulted" and event.fault == "DEV-11"]  # type: ignore[union-attr]
        blocks = [block for block in run.blocks() if block.source == "pressures"]
        lost = run.totals["pressures"].lost
    flagged = [block.quality[0, 0] for block in blocks if block.quality[0, 0] & Quality.AFTER_GAP]
    assert len(flagged) == (lost > 0)
    assert f"{lost} samples" in told or f"{lost} sample" in told
