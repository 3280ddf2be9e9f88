"""Any protocol on the twin of a rig, in virtual time: what it does, how long it takes, what it would measure."""

from __future__ import annotations

from dataclasses import dataclass

from labrig.clock import SECOND, VirtualClock
from labrig.config import RigConfig
from labrig.errors import RigError
from labrig.header import Order
from labrig.model import Outcome, StepEntered
from labrig.operators import Prepared
from labrig.plant import Membrane, Plant
from labrig.protocol import LabProtocol
from labrig.recording import MemoryRun
from labrig.station import Station, started
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


def rehearse(protocol: LabProtocol, order: Order, config: RigConfig, membrane: Membrane, *, seed: int) -> Rehearsal:
    """Run an order on the twin; raises `RigError` for a rig file without a simulation table."""
    spec = config.file.simulation
    if spec is None:
        raise RigError(f"{config.path} has no [simulation] table, so that there is no twin to rehearse on; add one")
    clock = VirtualClock()
    plant = Plant(spec, membrane, seed)
    station = Station(config, Twin(config, plant, clock), clock, holds=False)
    clock.follow(lambda _: station.guardian.cycle())
    with started(station):
        memory = MemoryRun(station.prepare(order))
        session = station.begin(order, memory.header, memory, Prepared("rehearsal"))
        outcome = station.run(session, protocol)
    steps = tuple((event.path, event.time / SECOND) for event in memory.events if isinstance(event, StepEntered))
    return Rehearsal(memory, outcome, session.tenure.ending.reason, Schedule(steps, clock.now() / SECOND), plant)
