"""What goes wrong in a rig: leaks, clogs, stuck valves, air, dirt, a regulator that runs away, a zero that moves."""

from __future__ import annotations

import math
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
    """Share of the membrane's area that is covered whatever the pressure, 0 to 1."""
    bubble: float = 0.0
    """Share of the area that a bubble covers at atmospheric pressure; pressure squeezes it."""
    bubble_leaves: float = math.inf
    """Pressure in the cell, Pa, at which the bubble lets go for good."""
    unwetted: float = 0.0
    """Share of the pores that still hold air; pressure wets them for good, one after the other."""
    wetted_at: float = 0.0
    """Pressure across the membrane, Pa, at which the last of them is wetted; the first are at none."""
    fouling: float = 0.0
    """1/m: share of the pores that dirt closes for each metre of water, which is m³ on each m²."""
    stuck: Mapping[ValveName, bool] = field(default_factory=dict)
    """Valves that stay open (True) or shut whatever is commanded."""
    runaway: float | None = None
    """Pressure that the regulator makes whatever it is told, Pa."""
    warming: float = 0.0
    """K/s on top of the water's own drift."""
    head: float = 0.0
    """m by which the permeate outlet stands higher than it did."""
    evaporation: float = 0.0
    """kg/s from the beaker on top of what usually goes."""
    zero_shifts: Mapping[str, float] = field(default_factory=dict)
    """By a transmitter's address: SI by which it reads too much."""
