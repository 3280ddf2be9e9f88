"""What is measured on: a coupon of a membrane, and how it sits in the cell."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, Self


class Orientation(StrEnum):
    """Which face of an asymmetric membrane meets the feed."""

    SKIN_UP = "skin-up"
    SUPPORT_UP = "support-up"


class Condition(StrEnum):
    """What earlier runs, or a person, made of a coupon; the gravest stands last."""

    FRESH = "fresh"
    WETTED = "wetted"
    FOULED = "fouled"
    BROKEN = "broken"
    DISCARDED = "discarded"

    @property
    def gravity(self) -> int:
        """0 for fresh, more for what can be measured less."""
        return tuple(Condition).index(self)


class Shape(StrEnum):
    DISC = "disc"
    STRIP = "strip"


class Direction(StrEnum):
    """Which way of the sheet a strip's length, or the mark on a disc, lies."""

    MD = "MD"
    """Machine direction: along the line that made the sheet."""
    TD = "TD"
    """Across it."""


class Edge(StrEnum):
    OPEN = "open"
    SEALED = "sealed"


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of the readings of one dimension, SI."""

    n: int
    mean: float
    sd: float
    """Experimental standard deviation (n-1); NaN for a single reading."""
    low: float
    high: float

    @classmethod
    def of(cls, readings: Sequence[float]) -> Self | None:
        """None without readings."""
        if not readings:
            return None
        sd = statistics.stdev(readings) if len(readings) > 1 else math.nan
        return cls(len(readings), statistics.fmean(readings), sd, min(readings), max(readings))


DIMENSIONS: Final = ("thickness", "diameter", "width", "length")


@dataclass(frozen=True, slots=True)
class Geometry:
    """A coupon's shape, where it was cut, and every reading of its size (m)."""

    shape: Shape | None = None
    direction: Direction | None = None
    position: str = ""
    """Where on the sheet, in the laboratory's own words, such as ``lane 3, 1.2 m``."""
    edge: Edge = Edge.OPEN
    """A sealed rim keeps gas from leaving sideways through the support."""
    thickness: tuple[float, ...] = ()
    diameter: tuple[float, ...] = ()
    """Punched; the area that the flow sees is the cell's."""
    width: tuple[float, ...] = ()
    length: tuple[float, ...] = ()

    def statistics(self) -> dict[str, Statistics]:
        """Of each dimension that was read."""
        found = {name: Statistics.of(getattr(self, name)) for name in DIMENSIONS}
        return {name: one for name, one in found.items() if one is not None}


UNMEASURED: Final = Geometry()


@dataclass(frozen=True, slots=True)
class Coupon:
    """A specimen: one piece cut from a sheet of a lot."""

    id: str
    lot: str = ""
    sheet: str = ""
    family: str = ""
    note: str = ""
    geometry: Geometry = UNMEASURED


@dataclass(frozen=True, slots=True)
class Mounting:
    """How a coupon sits in a cell for one run."""

    cell: str
    exposed_diameter: float
    """Inside the O-ring, m: the area that the flow sees, not the punch diameter."""
    exposed_diameter_u: float
    orientation: Orientation = Orientation.SKIN_UP
    edge: Literal["open", "sealed"] = "open"
