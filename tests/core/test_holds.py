"""A hold stops a protocol's time: waits end later by it, and a plateau begins anew after it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from labrig.analysis.steady import Near
from labrig.clock import SECOND, VirtualClock
from labrig.config import find_rig, load_rig
from labrig.header import MethodFacts, Order
from labrig.model import Coupon, Outcome, Span
from labrig.operators import Prepared
from labrig.plant import Plant, load_membrane
from labrig.recording import MemoryRun
from labrig.rig import Rig
from labrig.states import RigState
from labrig.station import Station, started
from labrig.twin import Twin
from labrig.units import psi
from labrig_protocols.water import feed_open
from tests.core.test_verbs import Script

HELD_FROM, HELD_UNTIL = 20, 50


def held_run(body: Callable[[Rig], None]) -> Outcome:
    """A run on the twin that somebody holds from 20 s to 50 s."""
    config, clock = load_rig(find_rig("bench-25")), VirtualClock()
    assert config.file.simulation is not None
    plant = Plant(config.file.simulation, load_membrane("example-v"), 1)
    station = Station(config, Twin(config, plant, clock), clock)
    clock.follow(lambda _: station.guardian.cycle())

    def hold(now: int) -> None:
        if station.guardian.state is RigState.RUNNING and HELD_FROM * SECOND <= now < HELD_UNTIL * SECOND:
            station.guardian.hold("a moment")
        if station.guardian.state is RigState.HOLD and now >= HELD_UNTIL * SECOND:
            station.guardian.resume("tester")

    clock.follow(hold)
    facts = MethodFacts("script", "1", "script", "Script", {}, skipped=(), needs=("pressure",))
    order = Order(facts, Coupon("C"), "test")
    with started(station):
        memory = MemoryRun(station.prepare(order))
        session = station.begin(order, memory.header, memory, Prepared("test"))
        return station.run(session, Script(body))


def test_a_wait_lasts_longer_by_the_hold_in_it() -> None:
    spans: list[Span] = []

    assert held_run(lambda rig: spans.append(rig.wait(60.0))) is Outcome.COMPLETED

    assert spans[0].end == pytest.approx((60 + HELD_UNTIL - HELD_FROM) * SECOND, abs=SECOND)


@pytest.mark.parametrize("window", [25.0, 60.0])
def test_no_plateau_contains_a_hold(window: float) -> None:
    """Neither one that the hold is as long as, nor one that is longer; else what was wrong would count as measured."""
    spans: list[Span] = []

    def body(rig: Rig) -> None:
        with feed_open(rig):
            rig.set("pressure", 20 * psi)
            rig.wait(5.0)
            spans.append(rig.wait_steady(Near("feed_pressure", 20 * psi, 0.1), window=window, patience=200.0))

    assert held_run(body) is Outcome.COMPLETED

    assert spans[0].attributes["steady"] == 1.0
    assert spans[0].start >= HELD_UNTIL * SECOND
    assert spans[0].end - spans[0].start == pytest.approx(window * SECOND, abs=SECOND)


def test_a_hold_takes_nothing_from_the_patience_of_a_wait() -> None:
    """Ten seconds of patience, of which four were left when the hold came."""
    spans: list[Span] = []

    def body(rig: Rig) -> None:
        rig.wait(14.0)
        spans.append(rig.until("feed_pressure", patience=10.0, above=1e5))

    assert held_run(body) is Outcome.COMPLETED

    assert spans[0].attributes["met"] == 0.0
    assert spans[0].end == pytest.approx((24 + HELD_UNTIL - HELD_FROM) * SECOND, abs=2 * SECOND)
