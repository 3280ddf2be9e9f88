"""What goes wrong on a guard channel in mid-run trips the rig: the plant is safe, and stays so until the cause is gone.

A guard channel is one that an interlock names: feed pressure and vessel pressure.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from labrig.client import Client, Refused
from labrig.clock import SECOND
from labrig.model import Outcome, calibrated
from labrig.units import psi
from labrig.wire.documents import Control, RunPaper
from tests.server import scenarios
from tests.server.benches import STALE_AFTER
from tests.server.crowd import Crowd
from tests.server.harness import Rigged, state, status_when, wait_until

pytestmark = pytest.mark.slow
BOUND = 0.2
"""Seconds from the cause to the last safe output: two samples, a block of 20 ms, and the valves' commands."""


@dataclass(frozen=True)
class Cause:
    """One thing that goes wrong."""

    fault: dict[str, object]
    words: tuple[str, ...]
    """What the run's reason says of it."""
    within: float = BOUND


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
    up.start(up.ready(client), up.order(after="0.1 s"))
    assert up.pressurised
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
        client.start(up.order(after="0.1 s"))
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
@pytest.mark.fault("PRO-04")
def test_over_pressure_trips_the_rig_and_a_vent_that_does_not_open_is_told(up: Rigged, client: Client) -> None:
    """The regulator runs away and the vent is stuck: the pressure stays, and so does the cause of the trip."""
    up.start(client, up.order(after="0.1 s"))
    up.control.set_fault("stuck valve", valve="vent", position="closed")
    with Crowd() as crowd:
        up.control.set_fault("over-pressure", pressure="95 psi")
        wait_until(lambda: up.safe, "the outputs are safe")
    paper = scenarios.ended(up, client, Outcome.TRIPPED)
    seconds = up.seconds_until_safe(first_above(up, paper))
    trapped = up.control.truth().values

    assert seconds < crowd.allows(BOUND)
    assert "_pressure" in paper.reason
    assert "is above its limit" in paper.reason
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
