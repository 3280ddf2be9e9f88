"""Water through lines and a membrane: the pressure that each takes, and the flow that they agree on.

Friction: 64/Re while laminar, Churchill (Chemical Engineering 84 (1977) 91) for smooth tubes from Re = 1500 on, where
the two differ by less than 1e-6. Fittings add K·ρ·v²/2. All SI; flows go one way only, from the vessel outwards.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from labrig.analysis.water import density, viscosity
from labrig.plant.spec import Line

GRAVITY: Final = 9.80665
REFERENCE_TEMPERATURE: Final = 298.15
LAMINAR_BELOW: Final = 1500.0
MAX_COMPACTION_LOSS: Final = 0.5
"""Share of the permeance at which compaction ends: beyond it the flow would fall as the pressure rises."""
_KNOT: Final = 0.25


@dataclass(frozen=True, slots=True)
class Liquid:
    """Water at one temperature."""

    viscosity: float
    density: float


class WaterTable:
    """Viscosity and density between knots 0.25 K apart: the formulas themselves take twenty times as long.

    Interpolation is off by less than 3e-6 of the viscosity between 5 °C and 40 °C.
    """

    def __init__(self) -> None:
        self._knots: dict[int, tuple[float, float]] = {}

    def at(self, temperature: float) -> Liquid:
        position = temperature / _KNOT
        knot = math.floor(position)
        share = position - knot
        (log_mu, rho), (next_log_mu, next_rho) = self._knot(knot), self._knot(knot + 1)
        return Liquid(math.exp(log_mu + share * (next_log_mu - log_mu)), rho + share * (next_rho - rho))

    def _knot(self, knot: int) -> tuple[float, float]:
        known = self._knots.get(knot)
        if known is None:
            known = self._knots[knot] = (math.log(viscosity(knot * _KNOT)), density(knot * _KNOT))
        return known


class Resistance:
    """A line as a pressure loss: monotone in the flow."""

    def __init__(self, line: Line, clog: float = 1.0) -> None:
        """``clog``: factor by which the line takes more pressure than a clean one at the same flow."""
        area = math.pi * line.diameter**2 / 4
        self._laminar = clog * 128 * line.length / (math.pi * line.diameter**4)
        self._fittings = clog * line.fittings / (2 * area**2)
        self._reynolds = 4 / (math.pi * line.diameter)
        self._friction = clog * line.length / line.diameter / (2 * area**2)

    def coefficients(self, liquid: Liquid) -> tuple[float, float]:
        """Of ΔP = a·Q + b·Q²: a in Pa·s/m³ and b in Pa·s²/m⁶; exact while the flow is laminar."""
        return self._laminar * liquid.viscosity, self._fittings * liquid.density

    def drop(self, flow: float, liquid: Liquid) -> float:
        """Pressure that the line takes, Pa, at ``flow`` ≥ 0 in m³/s."""
        fittings = self._fittings * liquid.density * flow * flow
        reynolds = self.reynolds(flow, liquid)
        if reynolds < LAMINAR_BELOW:
            return self._laminar * liquid.viscosity * flow + fittings
        return churchill(reynolds) * self._friction * liquid.density * flow * flow + fittings

    def reynolds(self, flow: float, liquid: Liquid) -> float:
        return self._reynolds * flow * liquid.density / liquid.viscosity

    def flow(self, drop: float, liquid: Liquid) -> float:
        """Flow at which the line takes ``drop``, m³/s: the inverse of `drop`."""
        if drop <= 0:
            return 0.0
        a, b = self.coefficients(liquid)
        if a == 0 and b == 0:
            raise ValueError("a line without length and fittings has no flow of its own")
        most = 2 * drop / (a + math.sqrt(a * a + 4 * b * drop))
        if self.reynolds(most, liquid) < LAMINAR_BELOW:
            return most
        return rising_root(lambda flow: self.drop(flow, liquid) - drop, 0.0, most)


def churchill(reynolds: float) -> float:
    """Darcy friction factor of a smooth tube, any regime."""
    turbulent: float = (2.457 * math.log((reynolds / 7) ** 0.9)) ** 16
    transition = (37530 / reynolds) ** 16
    total: float = (8 / reynolds) ** 12 + (turbulent + transition) ** -1.5
    return 8 * math.pow(total, 1 / 12)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The mounted membrane at one moment."""

    conductance: float
    """m³/s/Pa as ΔP goes to zero, at the water's temperature."""
    compaction: float
    """1/Pa."""

    def flow(self, pressure: float) -> float:
        """m³/s at a pressure across the membrane of Pa."""
        return self.conductance * (1 - min(self.compaction * pressure, MAX_COMPACTION_LOSS)) * pressure


def permeate_flow(sheet: Sheet, driving: float, lines: tuple[Resistance, ...], liquid: Liquid, guess: float) -> float:
    """Pressure across the membrane, Pa, when it and ``lines`` in series share ``driving``.

    ``guess`` is where the search starts, best the last answer; the flow is ``sheet.flow`` of the answer.
    """
    if driving <= 0:
        return 0.0
    low, high, pressure = 0.0, driving, min(max(guess, 0.0), driving)
    tried, found = pressure, 0.0
    for _ in range(100):
        flow = sheet.flow(pressure)
        lost = sum(line.drop(flow, liquid) for line in lines)
        excess = pressure + lost - driving
        if abs(excess) < 1e-10 * driving:
            break
        low, high = (low, pressure) if excess > 0 else (pressure, high)
        if pressure != tried:
            slope = (excess - found) / (pressure - tried)
        else:  # the first step takes the losses for laminar
            slope = 1 + lost / pressure if pressure > 0 else 1.0
        tried, found = pressure, excess
        pressure -= excess / slope
        if not low < pressure < high:
            pressure = (low + high) / 2
    return pressure


def rising_root(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a rising function crosses zero between ``low`` and ``high`` (Illinois variant of the false position)."""
    at_low, at_high = function(low), function(high)
    if at_low >= 0:
        return low
    if at_high <= 0:
        return high
    for _ in range(100):
        middle = (low * at_high - high * at_low) / (at_high - at_low)
        value = function(middle)
        if value == 0 or high - low < 1e-13 * abs(high):
            return middle
        if value > 0:
            high, at_high, at_low = middle, value, at_low / 2
        else:
            low, at_low, at_high = middle, value, at_high / 2
    return middle
