"""Any protocol on the twin of a rig, in virtual time: what it does, how long it takes, what it would measure."""

from __future__ import annotations

from dataclasses import dataclass

from labrig.bus import Sink
from labrig.clock import SECOND, VirtualClock
from labrig.config import RigConfig
from labrig.errors import RigError
from labrig.model import Outcome, StepEntered
from labrig.plant import Membrane, Plant
from labrig.recording import MemoryRun
from labrig.runner import Order, Run
from labrig.twin import Twin


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a rehearsed run entered its steps, and when it ended; seconds since its start."""

    steps: tuple[tuple[str, float], ...]
    total: float

    def left_after(self, path: str, since: float) -> float:
        """Seconds left, ``since`` seconds after the step ``path`` was entered; 0 at the least."""
        times = dict(self.steps)
        return max(0.0, self.total - times.get(path, 0.0) - since)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A run that happened on the twin."""

    run: MemoryRun
    outcome: Outcome
    reason: str
    schedule: Schedule
    plant: Plant


def rehearse(
    order: Order, config: RigConfig, membrane: Membrane, *, seed: int, listeners: tuple[Sink, ...] = ()
) -> Rehearsal:
    """Run an order on the twin; raises `RigError` for a rig file without a simulation table."""
    spec = config.file.simulation
    if spec is None:
        raise RigError(f"{config.path} has no [simulation] table, so that there is no twin to rehearse on; add one")
    clock = VirtualClock()
    plant = Plant(spec, membrane, seed)
    run = Run(order, config=config, sources=Twin(config, plant, clock), clock=clock, listeners=listeners)
    memory = MemoryRun(run.header)
    outcome = run.execute(memory)
    steps = tuple((e.path, e.time / SECOND) for e in memory.events if isinstance(e, StepEntered))
    return Rehearsal(memory, outcome, run.ending.reason, Schedule(steps, clock.now() / SECOND), plant)
