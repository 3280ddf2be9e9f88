"""A rig, opened: its instruments connected, its runs recorded. Command line, scripts and server stand on it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from labrig.acquisition import Acquisition
from labrig.bus import Sink
from labrig.clock import Clock, RealClock
from labrig.config import RigConfig, find_rig, load_rig
from labrig.errors import AnalysisError
from labrig.model import Analysis, Outcome
from labrig.recording import RunFile, add_analysis
from labrig.runner import Order, Run, new_recording
from labrig.simulator import SimulatedRig

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A run that is over: its file, how it ended, and what the analysis made of it."""

    path: Path
    outcome: Outcome
    reason: str
    analysis: Analysis | None
    """None where the data do not allow one; ``not_analysed`` says why."""
    not_analysed: str = ""


class Station:
    """An opened rig; made by `open_station`."""

    def __init__(self, config: RigConfig, acquisition: Acquisition, clock: Clock, data: Path) -> None:
        self.config, self.clock, self.data = config, clock, data
        self._acquisition = acquisition

    def prepare(self, order: Order, listeners: tuple[Sink, ...] = ()) -> Run:
        """A run that has not begun, so that it can be watched and aborted from elsewhere."""
        return Run(order, config=self.config, sources=self._acquisition, clock=self.clock, listeners=listeners)

    def execute(self, run: Run, order: Order) -> FinishedRun:
        """Do it, file it, analyse it."""
        recorder = new_recording(self.data / "runs", run, self.clock)
        try:
            run.execute(recorder)
        finally:
            recorder.close(run.ending.outcome, run.ending.reason)
        return finish(recorder.path, order)

    def run(self, order: Order, listeners: tuple[Sink, ...] = ()) -> FinishedRun:
        """Prepare and execute in one call, for scripts."""
        return self.execute(self.prepare(order, listeners), order)


def finish(path: Path, order: Order) -> FinishedRun:
    """Analyse a finished run and write the analysis into its file."""
    with RunFile(path) as run:
        outcome, reason = run.outcome, run.reason
        try:
            analysis = order.method.protocol.analyse(run)
        except AnalysisError as error:
            return FinishedRun(path, outcome, reason, None, str(error))
    if outcome is not Outcome.COMPLETED:
        log.debug("analysed a run that ended as %s", outcome)
    add_analysis(path, analysis)
    return FinishedRun(path, outcome, reason, analysis)


@contextmanager
def open_station(rig: str | Path, data: Path, *, membrane: str = "", seed: int = 0) -> Iterator[Station]:
    """Connect to a rig by file or shipped name; a simulated one is started first and ends with the block.

    Raises `ConfigError` for the file, `InstrumentError` for a device; nothing stays open then.
    """
    path = find_rig(str(rig))
    clock = RealClock()
    with ExitStack() as stack:
        config = load_rig(path)
        if config.simulated:
            simulated = stack.enter_context(SimulatedRig(path, membrane or config.default_membrane, seed))
            config = load_rig(path, simulated.endpoints)
        acquisition = Acquisition(config.build(clock.now), clock)
        identities: Mapping[str, str] = acquisition.open()
        stack.callback(acquisition.close)
        log.info("opened %s: %s", config.name, "; ".join(f"{name}: {who}" for name, who in identities.items()))
        yield Station(config, acquisition, clock, data)
