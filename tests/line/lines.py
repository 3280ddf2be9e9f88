"""Whole runs for these tests, on the twin and through the real drivers, each beside what the plant says is true."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from labrig.acquisition import Acquisition
from labrig.bench import Bench
from labrig.clock import SECOND, RealClock
from labrig.config import RigConfig, find_rig, load_rig
from labrig.filing import FiledRun
from labrig.header import Order
from labrig.methods import load_method
from labrig.model import (
    Analysis,
    Commanded,
    Coupon,
    Event,
    Faulted,
    Marked,
    Measured,
    Noted,
    RunData,
    RunFinished,
    Span,
    StateChanged,
    StepEntered,
    StepLeft,
)
from labrig.plant import Plant, load_membrane
from labrig.protocol import Method
from labrig.recording import MemoryRun, RunFile
from labrig.rehearsal import rehearse
from labrig.simulator import SimulatedRig
from labrig.station import Station, started
from labrig_instruments.simulated.control import Control

QUICK: Final = "quick-permeability"
SHORT: Final = {"zero": "2 s"}
"""The quick method with less time for its zero; on shorter plateaus a crowded machine would be what is measured."""
COUPON: Final = Coupon("T-1", lot="L-1")


@dataclass(frozen=True, slots=True)
class Case:
    """One membrane on one rig at three pressures."""

    rig: str
    membrane: str
    pressures: tuple[str, ...]

    def method(self, **changes: str) -> Method:
        return load_method(QUICK, {"pressures": list(self.pressures), **changes})

    def config(self) -> RigConfig:
        return load_rig(find_rig(self.rig))


@dataclass(frozen=True, slots=True)
class Judged:
    """A result beside the truth; permeances in m/s/Pa at 25 °C."""

    result: Measured
    truth: float

    @property
    def error(self) -> float:
        """Relative to the truth."""
        return self.result.value / self.truth - 1

    @property
    def over_U(self) -> float:  # noqa: N802 - the GUM's symbol
        """Distance from the truth in expanded uncertainties."""
        return abs(self.result.value - self.truth) / self.result.U


@dataclass(frozen=True, slots=True)
class Virtual:
    """A run that happened on the twin."""

    run: MemoryRun
    analysis: Analysis
    judged: Judged
    plant: Plant


@dataclass(frozen=True, slots=True)
class Real:
    """A run through the real drivers, with what the simulated rig's control port said of it while it was there."""

    filed: FiledRun
    config: RigConfig
    truth: float
    outputs_after: Mapping[str, float]
    """Raw commands by address, once the bench was closed."""

    @property
    def judged(self) -> Judged:
        assert self.filed.analysis is not None, self.filed.not_analysed
        return Judged(self.filed.analysis.results[0], self.truth)


def on_the_twin(case: Case, seed: int, **changes: str) -> Virtual:
    """Rehearse and analyse."""
    method = case.method(**changes)
    order = Order(method.facts, COUPON, "test")
    done = rehearse(method.protocol, order, case.config(), load_membrane(case.membrane), seed=seed)
    assert done.outcome.value == "completed", done.reason
    truth = true_permeance(done.run, lambda start, end: done.plant.true_permeance(start / SECOND, end / SECOND))
    analysis = method.protocol.analyse(done.run)
    return Virtual(done.run, analysis, Judged(analysis.results[0], truth), done.plant)


def through_the_drivers(case: Case, seed: int, folder: Path, **changes: str) -> Real:
    """A run as `labrig.bench.open_bench` makes it, with the control port at hand."""
    path, clock, method = find_rig(case.rig), RealClock(), case.method(**changes)
    with SimulatedRig(path, case.membrane, seed) as simulated, Control(simulated.control) as control:
        config = load_rig(path, simulated.endpoints)
        acquisition = Acquisition(config.build(clock.now), clock)
        acquisition.open()
        try:
            with started(Station(config, acquisition, clock, watchdogs=acquisition.watchdogs)) as station:
                filed = Bench(station, folder).run(method, COUPON, by="test")
        finally:
            acquisition.close()
        return Real(filed, config, true_of_file(filed.path, control), control.outputs())


def true_of_file(path: Path, control: Control) -> float:
    """The plant's permeance over the plateaus that a run file marks, m/s/Pa."""
    plant_now, monotonic_now = control.time()

    def plant(at: int) -> float:
        return plant_now + (at - monotonic_now) / SECOND

    with RunFile(path) as run:
        return true_permeance(run, lambda start, end: control.permeance(plant(start), plant(end)))


def true_permeance(run: RunData, between: Callable[[int, int], float]) -> float:
    """Average over the marked plateaus, each by its length; ``between`` gives it between two times of the run."""
    spans = run.spans("plateau")
    assert spans
    return sum(span.seconds * between(span.start, span.end) for span in spans) / sum(span.seconds for span in spans)


def plateau_means(run: RunData, channel: str) -> list[tuple[float, float]]:
    """Mean and standard deviation of a channel over each plateau, SI."""
    return [_mean(run, channel, span) for span in run.spans("plateau")]


def _mean(run: RunData, channel: str, span: Span) -> tuple[float, float]:
    values = run.series(channel, span).values
    return float(values.mean()), float(values.std(ddof=1))


def happened(run: RunData) -> list[tuple[str, ...]]:
    """What happened, in order, without times, measured values, and what a device did not answer in time."""
    return [_happened(event) for event in run.events if not isinstance(event, Faulted)]


def _happened(event: Event) -> tuple[str, ...]:
    words: tuple[str, ...] = ()
    match event:
        case StepEntered() | StepLeft():
            words = (event.path,)
        case Commanded():
            words = (event.output, event.command, str(event.value))
        case Marked():
            words = (event.span.kind, *sorted(event.span.attributes))
        case StateChanged():
            words = (event.before, event.after, event.reason)
        case Noted():
            words = (event.text,)
        case RunFinished():
            words = (event.outcome.value, event.reason)
    return event.kind, *words
