"""Analog signals that lie: what a converter delivers of one while a fault stands."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from labrig.model import Floats
from labrig_instruments.simulated.faults import (
    AnySignalFault,
    Drift,
    NotANumber,
    OpenLoop,
    Spike,
    Stuck,
)


@dataclass(frozen=True, slots=True)
class Distortion:
    """A fault of a signal between two plant times."""

    fault: AnySignalFault
    since: float
    held: float
    """The signal when it was set."""
    until: float = math.inf

    def apply(self, raw: Floats, first: int, rate: float, start: float) -> None:
        """Falsify samples ``first`` and on of a stream begun at ``start``, in place."""
        index = np.arange(first, first + len(raw))
        times = start + index / rate
        struck = (times >= self.since) & (times < self.until)
        match self.fault:
            case OpenLoop(current=current):
                raw[struck] = current
            case Stuck():
                raw[struck] = self.held
            case Drift(rate=speed):
                raw[struck] += speed * (times[struck] - self.since)
            case NotANumber():
                raw[struck] = math.nan
            case Spike(height=height, samples=samples):
                begin = math.ceil((self.since - start) * rate - 1e-9)
                raw[(index >= begin) & (index < begin + samples)] += height
