"""A run whose protocol leaves in a way of its own: the rig is safe, and the record does not call it completed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from labrig.bench import Bench
from labrig.clock import VirtualClock
from labrig.config import find_rig, load_rig
from labrig.header import MethodFacts, Order
from labrig.methods import load_method
from labrig.model import Analysis, Commanded, Coupon, Outcome, RunData, RunFinished
from labrig.operators import Prepared
from labrig.plant import Plant, load_membrane
from labrig.recording import MemoryRun, RunFile
from labrig.rig import Rig
from labrig.states import RigState
from labrig.station import Session, Station, started
from labrig.twin import Twin
from labrig.units import psi

COUPON = Coupon("T-1")


@dataclass(frozen=True, slots=True)
class Leaving:
    """Puts the cell under pressure, then leaves by whatever it was given."""

    title: ClassVar[str] = "Leaving"
    needs: ClassVar[tuple[str, ...]] = ("feed",)
    skipped: ClassVar[tuple[str, ...]] = ()
    leave: Callable[[], object]

    def run(self, rig: Rig) -> None:
        rig.open("feed")
        rig.set("pressure", 10 * psi)
        rig.wait(2.0)
        self.leave()

    def analyse(self, run: RunData) -> Analysis:
        raise NotImplementedError


def interrupt() -> None:
    raise KeyboardInterrupt


@pytest.fixture
def station() -> Iterator[Station]:
    config, clock = load_rig(find_rig("bench-25")), VirtualClock()
    assert config.file.simulation is not None
    plant = Plant(config.file.simulation, load_membrane("example-v"), seed=1)
    with started(Station(config, Twin(config, plant, clock), clock)) as station:
        yield station


def begun(station: Station) -> tuple[MemoryRun, Session]:
    order = Order(MethodFacts("leaving", "1", "leaving", "Leaving", {}, (), ("feed",)), COUPON, "test")
    memory = MemoryRun(station.prepare(order))
    return memory, station.begin(order, memory.header, memory, Prepared("test"))


def left_safe_and_free(station: Station, memory: MemoryRun) -> bool:
    """Every output was made safe after its last command, the end stands last, and the rig waits for the next run."""
    last = {event.output: event.command for event in memory.events if isinstance(event, Commanded)}
    return (
        set(last.values()) == {"made safe"}
        and isinstance(memory.events[-1], RunFinished)
        and station.guardian.state is RigState.SAFE
    )


def test_a_protocol_that_calls_sys_exit_has_failed_and_leaves_the_rig_safe(station: Station) -> None:
    memory, session = begun(station)

    outcome = station.run(session, Leaving(sys.exit))

    assert outcome is Outcome.FAILED
    assert "SystemExit" in session.tenure.ending.reason
    assert left_safe_and_free(station, memory)


def test_ctrl_c_in_a_script_aborts_the_run_and_then_ends_the_script(station: Station) -> None:
    memory, session = begun(station)

    with pytest.raises(KeyboardInterrupt):
        station.run(session, Leaving(interrupt))

    assert session.tenure.ending.outcome is Outcome.ABORTED
    assert left_safe_and_free(station, memory)


def test_a_run_that_is_given_up_before_its_protocol_began_is_not_filed_as_completed(
    station: Station, tmp_path: Path
) -> None:
    def refuse(_: Session) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Bench(station, tmp_path).run(load_method("quick-permeability"), COUPON, begun=refuse)

    (path,) = tmp_path.glob("*.labrig")
    with RunFile(path) as run:
        assert run.outcome is Outcome.FAILED
        assert run.events[-1].kind == "run finished"
    assert station.guardian.state is RigState.SAFE
