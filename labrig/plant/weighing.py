"""The balance under the permeate beaker: what it shows of what is on its pan."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from labrig.plant.noise import Noise, draw
from labrig.plant.spec import Balance
from labrig.plant.trajectory import Trajectory
from labrig.units import g

UNDERLOAD: Final = 20 * g
"""How far below its zero the balance still shows a number."""
SETTLING: Final = 1.0
"""Seconds over which a stable reading must have kept still."""
_JET: Final = 64
"""Drops within the filter's memory that are a jet."""
_ARRIVED: Final = 8.0
"""Time constants of the filter after which a drop has arrived."""


@dataclass(frozen=True, slots=True)
class Weighing:
    """One reading of the balance."""

    grams: float
    """Gross, zeroed with the empty beaker on the pan; rounded to the readability."""
    settled: bool
    load: Literal["in range", "overload", "underload"]


WATER: Final = 998.0
STEEL: Final = 8000.0
"""kg/m³; balances are adjusted with weights of steel, which displace less air than water does."""


class Scale:
    """The balance as it truly is."""

    def __init__(self, spec: Balance, seed: int, *, pan: int, delivered: int) -> None:
        """``pan`` and ``delivered`` are the trajectory's columns of the water on the pan and out of the line, kg.

        Both must lag by the balance's filter.
        """
        self._spec, self._pan, self._delivered = spec, pan, delivered
        self._gain = 1 + spec.gain_sd * draw(seed, f"{spec.address}/gain")
        self._noise = Noise(seed, f"{spec.address}/noise")
        self._buoyancy = (1 - spec.air_density / WATER) / (1 - spec.air_density / STEEL)

    def read(self, trajectory: Trajectory, at: float) -> Weighing:
        """The newest reading at plant time ``at``."""
        spec = self._spec
        tick = math.floor(at * spec.update_rate + 1e-6)
        seen = tick / spec.update_rate - spec.latency
        load = self._load(trajectory, max(0.0, seen))
        still = abs(load - self._load(trajectory, max(0.0, seen - SETTLING))) <= spec.settled_within * spec.readability
        shown = load * self._gain * self._buoyancy + spec.repeatability * self._noise.at(tick)
        grams = round(round(shown / spec.readability) * (spec.readability / g), 9)
        if load + spec.vessel_mass > spec.capacity:
            return Weighing(grams, still, "overload")
        return Weighing(grams, still, "underload" if load < -UNDERLOAD else "in range")

    def _load(self, trajectory: Trajectory, time: float) -> float:
        load = trajectory.shown_at(self._pan, time)
        return load if self._spec.outlet == "submerged" else load - self._hanging(trajectory, time)

    def _hanging(self, trajectory: Trajectory, time: float) -> float:
        """Water that the filter counts as arrived because it left the line, but that still hangs there as a drop.

        Negative just after a drop fell. Drops that follow too fast are a jet: none.
        """
        spec = self._spec
        long_ago = max(0.0, time - _ARRIVED * spec.filter)
        old = math.floor(trajectory.shown_at(self._delivered, long_ago) / spec.drop)
        fallen = math.floor(trajectory.value_at(self._delivered, time) / spec.drop)
        if fallen - old > _JET:
            return 0.0
        numbers = np.arange(old + 1, fallen + 1, dtype=np.float64)
        since = time - trajectory.value_times(self._delivered, numbers * spec.drop)
        arrived = old + float(np.sum(1 - np.exp(since / -spec.filter)))
        return trajectory.shown_at(self._delivered, time) - spec.drop * arrived
