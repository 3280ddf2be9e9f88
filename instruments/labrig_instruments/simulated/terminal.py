"""The plant as one device on a serial line sees it: the signals that are wired to it, by what they are."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Protocol

from labrig.plant import Weighing
from labrig_instruments.simulated.live import LivePlant


@dataclass(frozen=True, slots=True)
class Scale:
    """What every balance of this rig has, whatever it speaks."""

    capacity: float = 6200.0
    """Grams."""
    decimals: int = 2
    """Of a weight in grams."""


class Terminal:
    """Signals of the plant at ``NAME/quantity``, and the weight at ``NAME``."""

    def __init__(self, plant: LivePlant, name: str, scale: Scale | None = None) -> None:
        self.name, self.scale = name, scale or Scale()
        self.overloaded = False
        """A fault: everything that it measures lies beyond its range."""
        self._plant = plant

    def weigh(self) -> Weighing:
        """What lies on the pan."""
        weighing = self._plant.weigh(self.name)
        return replace(weighing, load="overload") if self.overloaded else weighing

    def has(self, quantity: str) -> bool:
        """Whether the plant has that signal."""
        return f"{self.name}/{quantity}" in self._plant.addresses

    def measure(self, quantity: str, otherwise: float, *, ago: float = 0.0) -> float:
        """The newest reading so many seconds ago, SI; ``otherwise`` where the plant has no such signal."""
        if self.overloaded:
            return math.inf
        return self._plant.measure(f"{self.name}/{quantity}", ago) if self.has(quantity) else otherwise

    def command(self, quantity: str, value: float) -> None:
        """Set what it drives, SI; remembered where nothing is wired to it."""
        self._plant.command(f"{self.name}/{quantity}", value)

    def commanded(self, quantity: str) -> float:
        """The last command; 0 before the first."""
        return self._plant.readback(f"{self.name}/{quantity}")


class Face(Protocol):
    """A simulated device: what its line may do to it. It is made with a `Terminal` and the keys of its table.

    Neither threads nor waiting: time is told to it.
    """

    baud: int
    """Of its line."""
    serial_number: str
    """A fault may put another device of its make in its place."""
    kept: bytes
    """Bytes of its frames that survive on a line that garbles all others."""

    def exchange(self, received: bytes, now: float) -> bytes:
        """What it says by ``now``, after ``received`` has come; takes any bytes."""
        ...

    def due(self) -> float | None:
        """When it will have something to say without being asked."""
        ...
