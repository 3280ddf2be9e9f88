"""What goes wrong in a rig besides its sensors: leaks, clogs, stuck valves, air, a regulator that runs away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

ValveName = Literal["feed", "vent", "drain"]
LineName = Literal["feed", "cell", "drain"]


@dataclass(frozen=True, slots=True)
class Disturbance:
    """All that is wrong at one moment; the default is a sound rig."""

    leak: float = 0.0
    """Out of the cell's upstream side, m³/s for each pascal of gauge pressure."""
    clogs: Mapping[LineName, float] = field(default_factory=dict)
    """Factor by which a line's pressure drop is larger than it should be, at the same flow."""
    air: float = 0.0
    """Share of the membrane's area that a bubble covers, 0 to 1."""
    stuck: Mapping[ValveName, bool] = field(default_factory=dict)
    """Valves that stay open (True) or shut whatever is commanded."""
    runaway: float | None = None
    """Pressure that the regulator makes whatever it is told, Pa."""
