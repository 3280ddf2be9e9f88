"""The plant: one simulated rig with one membrane, advanced along its own clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from labrig.model import Floats
from labrig.plant.membrane import Membrane
from labrig.plant.spec import PlantSpec

AddressKind = Literal["analog voltage", "analog current", "digital output", "analog output", "balance"]


@dataclass(frozen=True, slots=True)
class Weighing:
    """One reading of the balance."""

    grams: float
    """Gross, zeroed with the empty beaker on the pan; rounded to the readability."""
    settled: bool
    load: Literal["in range", "overload", "underload"]


class Plant:
    """Not thread-safe: the caller locks."""

    def __init__(self, spec: PlantSpec, membrane: Membrane, seed: int) -> None:
        self.spec, self.membrane, self.seed = spec, membrane, seed
        self.time = 0.0
        self.addresses: Mapping[str, AddressKind] = {}

    def advance(self, until: float) -> None:
        """Integrate to that plant time, s; nothing if it lies in the past."""
        raise NotImplementedError

    def command(self, address: str, raw: float) -> None:
        """Set an output at the present plant time: a coil (0 or 1), or a voltage."""
        raise NotImplementedError

    def readback(self, address: str) -> float:
        """The output's last command."""
        raise NotImplementedError

    def signal(self, address: str, times: Floats) -> Floats:
        """Noise-free transmitter output (V or A) at plant times of the last 120 s, not beyond the present."""
        raise NotImplementedError

    def acquire(self, address: str, first: int, n: int, rate: float, start: float) -> Floats:
        """What a converter delivers for n samples from index ``first`` of a stream that began at ``start``."""
        raise NotImplementedError

    def weigh(self, address: str, at: float) -> Weighing:
        """What the balance shows at that plant time."""
        raise NotImplementedError

    def truth(self) -> dict[str, float]:
        """What is really so now, SI."""
        raise NotImplementedError

    def true_permeance(self, start: float, end: float) -> float:
        """The membrane's permeance at 25 °C, m/s/Pa, averaged over plant times of the whole run."""
        raise NotImplementedError
