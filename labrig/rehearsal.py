"""Any protocol on the twin of a rig, in virtual time: what it does, how long it takes, what it would measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from labrig.clock import SECOND, VirtualClock
from labrig.config import RigConfig
from labrig.errors import RigError
from labrig.header import Order
from labrig.model import Outcome, StepEntered
from labrig.operators import Prepared
from labrig.plant import Disturbance, Membrane, Plant
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


def rehearse(
    protocol: LabProtocol,
    order: Order,
    config: RigConfig,
    membrane: Membrane,
    *,
    seed: int,
    disturbances: Sequence[tuple[float, Disturbance]] = (),
    answers: Mapping[str, str] | None = None,
) -> Rehearsal:
    """Run an order on the twin; raises `RigError` for a rig file without a simulation table.

    ``disturbances`` are what goes wrong, each from so many seconds on in place of the one before it; ``answers`` are
    the operator's, by the first words of the question. A question that has none gets its first choice.
    """
    spec = config.file.simulation
    if spec is None:
        raise RigError(f"{config.path} has no [simulation] table, so that there is no twin to rehearse on; add one")
    clock = VirtualClock()
    plant = Plant(spec, membrane, seed)
    station = Station(config, Twin(config, plant, clock), clock, holds=False)
    clock.follow(lambda _: station.guardian.cycle())
    clock.follow(_Mischief(plant, disturbances))
    with started(station):
        memory = MemoryRun(station.prepare(order))
        session = station.begin(order, memory.header, memory, Prepared("rehearsal", answers))
        outcome = station.run(session, protocol)
    steps = tuple((event.path, event.time / SECOND) for event in memory.events if isinstance(event, StepEntered))
    return Rehearsal(memory, outcome, session.tenure.ending.reason, Schedule(steps, clock.now() / SECOND), plant)


class _Mischief:
    """Lets things go wrong at their time, to within a stride of the clock."""

    def __init__(self, plant: Plant, disturbances: Sequence[tuple[float, Disturbance]]) -> None:
        self._plant, self._waiting = plant, sorted(disturbances, key=lambda each: each[0])
        self(0)

    def __call__(self, now: int) -> None:
        while self._waiting and self._waiting[0][0] <= now / SECOND:
            self._plant.disturb(self._waiting.pop(0)[1])
