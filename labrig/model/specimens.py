"""What is measured on: a coupon of a membrane, and how it sits in the cell."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Orientation(StrEnum):
    """Which face of an asymmetric membrane meets the feed."""

    SKIN_UP = "skin-up"
    SUPPORT_UP = "support-up"


@dataclass(frozen=True, slots=True)
class Coupon:
    """A specimen: one piece cut from a sheet of a lot."""

    id: str
    lot: str = ""
    sheet: str = ""
    family: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Mounting:
    """How a coupon sits in a cell for one run."""

    cell: str
    exposed_diameter: float
    """Inside the O-ring, m: the area that the flow sees, not the punch diameter."""
    exposed_diameter_u: float
    orientation: Orientation = Orientation.SKIN_UP
    edge: Literal["open", "sealed"] = "open"
