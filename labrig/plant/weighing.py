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
_DROPS: Final = 64


@dataclass(frozen=True, slots=True)
class Weighing:
    """One reading of the balance."""

    grams: float
    """Gross, zeroed with the empty beaker on the pan; rounded to the readability."""
    settled: bool
    load: Literal["in range", "overload", "underload"]


class Scale:
    """The balance as it truly is."""

    def __init__(self, spec: Balance, seed: int, *, pan: int, delivered: int) -> None:
        """``pan`` and ``delivered`` are the trajectory's columns of the water on the pan and out of the line, kg.

        Both must lag by the balance's filter.
        """
        self._spec, self._pan, self._delivered = spec, pan, delivered
        self._gain = 1 + spec.gain_sd * draw(seed, f"{spec.address}/gain")
        self._noise = Noise(seed, f"{spec.address}/noise")

    def read(self, trajectory: Trajectory, at: float) -> Weighing:
        """The newest reading at plant time ``at``."""
        spec = self._spec
        tick = math.floor(at * spec.update_rate + 1e-6)
        seen = tick / spec.update_rate - spec.latency
        load = self._load(trajectory, max(0.0, seen))
        still = abs(load - self._load(trajectory, max(0.0, seen - SETTLING))) <= spec.settled_within * spec.readability
        shown = load * self._gain + spec.repeatability * self._noise.at(tick)
        grams = round(round(shown / spec.readability) * (spec.readability / g), 9)
        if load + spec.vessel_mass > spec.capacity:
            return Weighing(grams, still, "overload")
        return Weighing(grams, still, "underload" if load < -UNDERLOAD else "in range")

    def _load(self, trajectory: Trajectory, time: float) -> float:
        load = trajectory.shown_at(self._pan, time)
        return load if self._spec.outlet == "submerged" else load - self._hanging(trajectory, time)

    def _hanging(self, trajectory: Trajectory, time: float) -> float:
        """Water that left the line's end by the filter's account, but hangs there as a drop or is not yet weighed."""
        spec = self._spec
        delivered = trajectory.shown_at(self._delivered, time)
        newest = math.floor(delivered / spec.drop) + _DROPS // 2
        numbers = np.arange(max(1, newest - _DROPS), newest + 1, dtype=np.float64)
        fallen = trajectory.value_times(self._delivered, numbers * spec.drop)
        old = float(numbers[0] - 1)
        since = time - fallen
        weighed = 1 - np.exp(-since[since > 0] / spec.filter)
        return delivered - spec.drop * (old + float(weighed.sum()))
