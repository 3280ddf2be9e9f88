"""A bench tells a protocol that does not end from a record that takes its time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from labrig.bench import Bench
from labrig.clock import VirtualClock
from labrig.config import find_rig, load_rig
from labrig.errors import AnalysisError, RigError, RunEnded
from labrig.filing import FiledRun
from labrig.model import Analysis, Coupon, Outcome, RunData
from labrig.plant import Plant, load_membrane
from labrig.protocol import LabProtocol, Method
from labrig.rig import Rig
from labrig.station import Station, started
from labrig.twin import Twin


def observing(bench: Bench, seen: list[bool], afterwards: Callable[[], object] = lambda: None) -> LabProtocol:
    """A protocol that is stopped from outside, and asks its bench at each stage."""

    @dataclass(frozen=True)
    class Observing:
        title: ClassVar[str] = "Observing"
        needs: ClassVar[tuple[str, ...]] = ()

        @property
        def skipped(self) -> tuple[str, ...]:
            return ()

        def run(self, rig: Rig) -> None:
            seen.append(bench.overdue)
            bench.station.guardian.stop(Outcome.ABORTED, "stopped by the test")
            try:
                rig.wait(1)
            except RunEnded:
                seen.append(bench.overdue)
                afterwards()
                raise

        def analyse(self, run: RunData) -> Analysis:
            seen.append(bench.overdue)
            raise AnalysisError("there is nothing to analyse")

    return Observing()


def opened(stack: ExitStack, folder: Path) -> Bench:
    config, clock = load_rig(find_rig("bench-25")), VirtualClock()
    spec = config.file.simulation
    assert spec is not None
    station = Station(config, Twin(config, Plant(spec, load_membrane("example-v"), 0), clock), clock)
    return Bench(stack.enter_context(started(station)), folder)


def test_a_run_is_closed_once_whether_its_protocol_ends_or_is_given_up(tmp_path: Path) -> None:
    """Given up from within, after which its own end is one too many."""
    closed: list[FiledRun | None] = []

    with ExitStack() as stack:
        bench = opened(stack, tmp_path)
        method = Method("observing", "1", "observing", observing(bench, []))
        giving_up = observing(bench, [], lambda: closed.append(bench.abandon(method)))
        with pytest.raises(RigError, match="that run is over"):
            bench.run(Method("observing", "1", "observing", giving_up), Coupon("T-1"))
        assert bench.abandon(method) is None
        free = bench.run(method, Coupon("T-2"))

    (first,) = closed
    assert first is not None
    assert first.outcome is Outcome.ABORTED
    assert free.path != first.path


def test_only_a_protocol_that_goes_on_behind_its_run_is_overdue(tmp_path: Path) -> None:
    seen: list[bool] = []

    with ExitStack() as stack:
        bench = opened(stack, tmp_path)
        bench.run(Method("observing", "1", "observing", observing(bench, seen)), Coupon("T-1"))

    during, ended, analysing = seen
    assert (during, ended, analysing) == (False, True, False)
