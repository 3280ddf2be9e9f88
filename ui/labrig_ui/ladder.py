"""The plateaus of a permeability analysis: flux against pressure, and how far each stands from the line. No Qt."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from labrig.units import unit

PRESSURE: Final = unit("psi")
FLUX: Final = unit("cm/min")
COVERAGE: Final = 2.0
"""Standard uncertainties that a bar reaches to either side."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One plateau; numbers in the units that are shown."""

    name: str
    pressure: float
    flux: float
    flux_bar: float
    """Half length of its bar: `COVERAGE` standard uncertainties, as `beyond_bar`."""
    beyond: float
    """How far its permeability stands from the result, %."""
    beyond_bar: float
    up: bool
    """Whether the pressure before it was lower; so for the first one."""
    flag: str


@dataclass(frozen=True, slots=True)
class Ladder:
    """What is drawn of one run."""

    rungs: tuple[Rung, ...]
    slope: float
    """Of the line through the origin that the result is, `FLUX` per `PRESSURE`."""


def ladder_of(analysis: Mapping[str, Any] | None) -> Ladder | None:
    """From the newest analysis of a run; None where it has no plateaus, or no permeability."""
    results: Sequence[Mapping[str, Any]] = (analysis or {}).get("results", ())
    rows: Sequence[Mapping[str, Any]] = (analysis or {}).get("tables", {}).get("plateaus", ())
    if not results or results[0].get("unit") != "cm/min/psi":
        return None
    slope = float(results[0]["value"])
    rungs: list[Rung] = []
    before = -math.inf
    for row in rows:
        rung = _rung(row, slope, before)
        if rung is not None:
            rungs.append(rung)
            before = rung.pressure
    return Ladder(tuple(rungs), slope) if rungs and math.isfinite(slope) and slope > 0 else None


def _rung(row: Mapping[str, Any], slope: float, before: float) -> Rung | None:
    """None for a row that lacks a number."""
    values = [_number(row.get(key)) for key in ("dP", "J ref", "u(J ref)")]
    if not all(map(math.isfinite, values)) or values[0] <= 0 or slope <= 0:
        return None
    pressure, flux, u = PRESSURE.from_si(values[0]), FLUX.from_si(values[1]), values[2] / FLUX.factor
    expected = slope * pressure
    return Rung(
        name=str(row.get("plateau", "")),
        pressure=pressure,
        flux=flux,
        flux_bar=COVERAGE * u,
        beyond=100 * (flux / expected - 1),
        beyond_bar=100 * COVERAGE * u / expected,
        up=pressure >= before,
        flag=str(row.get("flag", "")),
    )


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else math.nan
