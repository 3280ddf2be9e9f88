"""Water permeability from plateaus of pressure and weighed flow, with its uncertainty.

The measurand is the permeability p = J/ΔP of the mounted disc to pure water, corrected to a reference temperature by
the viscosity of water, as the mean over the plateaus that were marked. Per plateau

    Q      = (balance · slope of mass + evaporation) / ρ(T)            volume flow
    J      = Q / (π/4 · d²)            J_ref = J · μ(T)/μ(T_ref)       flux on the exposed area
    ΔP     = gain · (reading - zero) - head - blank · (a·Q + b·Q²)     pressure across the membrane alone

and p is the slope of the regression of J_ref on ΔP through the origin, unweighted. The static head is positive where
the level of the permeate outlet lies above the pressure tap: the tap then reads ρ·g·Δh more than drives the membrane.

What makes p uncertain: everything above, each input once, so that what plateaus share stays shared. The scatter of the
points about the line comes on top only as far as the inputs do not explain it: with the residuals r_i = J_i - p·ΔP_i,
the inputs explain an expected Σu²(r_i); the excess (Σr² - Σu²(r))/(n-1)/Σ(ΔP²) enters as a type A variance with n-1
degrees of freedom (Birge's criterion, R. T. Birge, Phys. Rev. 40 (1932) 207, one-sided). Because a membrane that
compacts is not scatter and does not average out, the difference δ between the slope and the plain mean of the p_i
enters instead where it is larger, as δ/√2: the standard deviation of a truth at one of two ends, δ away. See ADR 6.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from labrig.analysis import water
from labrig.analysis.lines import LineFit, OriginFit, through_origin, with_intercept
from labrig.analysis.uncertainty import Budget, Estimate, Uncertain, through, total
from labrig.errors import AnalysisError
from labrig.model import Measured
from labrig.units import ZERO_CELSIUS, mm, to_celsius

SCATTER: Final = "scatter about the line"
PRESSURE_DEPENDENCE: Final = "dependence of p on pressure"
ZERO: Final = Estimate(0.0)
ONE: Final = Estimate(1.0)


@dataclass(frozen=True, slots=True)
class Plateau:
    """What one plateau read, before any correction; the uncertainties are of its own noise alone."""

    label: str
    transducer: str
    """Key of `Conditions.transducers`."""
    pressure: Estimate
    """Pa, as read."""
    mass_flow: Estimate
    """kg/s, slope of the reading of the balance."""
    temperature: Estimate
    """K, as read."""


@dataclass(frozen=True, slots=True)
class Transducer:
    """What all plateaus read by one pressure transducer share."""

    zero: Estimate
    """Pa, reading with both sides vented."""
    gain: Estimate = ONE


@dataclass(frozen=True, slots=True)
class Conditions:
    """What all plateaus share."""

    diameter: Estimate
    """m, exposed inside the O-ring."""
    transducers: Mapping[str, Transducer]
    balance: Estimate = ONE
    """True mass over reading, air buoyancy included."""
    evaporation: Estimate = ZERO
    """kg/s that leave the vessel unseen."""
    thermometer: Estimate = ZERO
    """K, correction of the reading."""
    head: Estimate = ZERO
    """Pa, positive where the permeate outlet lies above the pressure tap."""
    blank_a: float = 0.0
    """Pa/(m³/s), of the lines without a membrane."""
    blank_b: float = 0.0
    """Pa/(m³/s)²."""
    blank: Estimate = ONE
    """Factor on the blank's loss."""
    reference_temperature: float = ZERO_CELSIUS + 25


@dataclass(frozen=True, slots=True)
class Row:
    """One plateau, corrected. Uncertainties hold everything, what is shared included."""

    label: str
    dp: Estimate
    """Pa across the membrane."""
    flow: Estimate
    """m³/s."""
    flux: Estimate
    """m/s at the plateau's temperature."""
    flux_ref: Estimate
    """m/s at the reference temperature."""
    p: Estimate
    """m/s/Pa at the reference temperature."""
    temperature: float
    """K."""
    blank_share: float
    """Loss of the lines as a fraction of the pressure between the taps."""


@dataclass(frozen=True, slots=True)
class Permeability:
    """The result and what its validity is judged by."""

    at_reference: Measured
    permeance: Measured
    """The same number as in litres per square metre, hour and bar."""
    at_temperature: Measured
    """Not corrected: at the mean temperature of the plateaus."""
    resistance: Measured | None
    """1/(μ·p), 1/m; None where p is not above 0."""
    rows: tuple[Row, ...]
    fit: OriginFit
    line: LineFit | None
    """The diagnostic fit with intercept; None below two different pressures."""
    bend: LineFit | None
    """p_i = intercept + slope · ΔP, which is J = p₀·ΔP + q·ΔP²; None below two different pressures."""
    birge: float
    """Root of observed over explained Σr²; 1 where the inputs explain the scatter, NaN for one plateau."""
    mean_p: float
    """Plain mean of the plateaus' p, m/s/Pa."""


@dataclass(frozen=True, slots=True)
class _Point:
    """One plateau, corrected, with the memory of what it came from."""

    dp: Uncertain
    flow: Uncertain
    flux: Uncertain
    flux_ref: Uncertain
    p: Uncertain
    kelvin: Uncertain
    blank_share: float


@dataclass(frozen=True, slots=True)
class _Shared:
    """The inputs that plateaus share, each entered into the budget once."""

    area: Uncertain
    balance: Uncertain
    evaporation: Uncertain
    thermometer: Uncertain
    head: Uncertain
    blank: Uncertain
    viscosity_ratio: Uncertain
    gains: Mapping[str, Uncertain]
    zeros: Mapping[str, Uncertain]


def permeability(
    plateaus: Sequence[Plateau], conditions: Conditions, definition: Mapping[str, str] | None = None
) -> Permeability:
    """The permeability over n ≥ 1 plateaus; ``definition`` is added to what fixes the meaning of each result.

    Raises `AnalysisError` without plateaus, where the corrected ΔP of one of them is not positive, and where a
    temperature is outside the range of water's formulas.
    """
    if not plateaus:
        raise AnalysisError("a permeability needs one plateau at least; none is usable")
    budget = Budget()
    shared = _enter(budget, plateaus, conditions)
    points = [_corrected(budget, plateau, conditions, shared) for plateau in plateaus]
    slope = total(point.dp * point.flux_ref for point in points) / total(point.dp * point.dp for point in points)
    mean = total(point.p for point in points) / len(points)
    birge = math.nan
    if len(points) > 1:
        (label, excess), birge = _excess(points, slope, mean)
        slope = slope + budget.input(label, excess, "m/s/Pa")
    x, y = np.array([point.dp.x for point in points]), np.array([point.flux_ref.x for point in points])
    several = np.ptp(x) > 1e-6 * x.max()
    at_reference, permeance, at_temperature, resistance = _measured(
        budget, slope, points, conditions, shared, definition or {}
    )
    return Permeability(
        at_reference=at_reference,
        permeance=permeance,
        at_temperature=at_temperature,
        resistance=resistance,
        rows=tuple(_row(plateau.label, point) for plateau, point in zip(plateaus, points, strict=True)),
        fit=through_origin(x, y),
        line=with_intercept(x, y) if several else None,
        bend=with_intercept(x, y / x, x**2) if several else None,
        birge=birge,
        mean_p=mean.x,
    )


def _enter(budget: Budget, plateaus: Sequence[Plateau], given: Conditions) -> _Shared:
    diameter = budget.input("exposed diameter", given.diameter, "m")
    kelvin = np.mean([plateau.temperature.value for plateau in plateaus]) + given.thermometer.value
    ratio_u = water.viscosity_ratio_relative_u(float(kelvin), given.reference_temperature)
    used = {name: given.transducers[name] for name in sorted({plateau.transducer for plateau in plateaus})}
    return _Shared(
        area=diameter * diameter * (math.pi / 4),
        balance=budget.input("balance", given.balance),
        evaporation=budget.input("evaporation", given.evaporation, "kg/s"),
        thermometer=budget.input("thermometer", given.thermometer, "K"),
        head=budget.input("static head", given.head, "Pa"),
        blank=budget.input("loss of the lines", given.blank),
        viscosity_ratio=budget.input("viscosity ratio", Estimate(1.0, ratio_u)),
        gains={name: budget.input(f"gain of {name}", transducer.gain) for name, transducer in used.items()},
        zeros={name: budget.input(f"zero of {name}", transducer.zero, "Pa") for name, transducer in used.items()},
    )


def _corrected(budget: Budget, plateau: Plateau, given: Conditions, shared: _Shared) -> _Point:
    reading = budget.input(f"pressure, {plateau.label}", plateau.pressure, "Pa")
    slope = budget.input(f"mass flow, {plateau.label}", plateau.mass_flow, "kg/s")
    kelvin = budget.input(f"temperature, {plateau.label}", plateau.temperature, "K") + shared.thermometer
    flow = (slope * shared.balance + shared.evaporation) / through(water.density, kelvin)
    loss = shared.blank * (flow * given.blank_a + flow * flow * given.blank_b)
    taps = (reading - shared.zeros[plateau.transducer]) * shared.gains[plateau.transducer] - shared.head
    dp = taps - loss
    if not dp.x > 0:
        raise AnalysisError(
            f"{plateau.label}: {taps.x:g} Pa between the taps leave {dp.x:g} Pa across the membrane; "
            "check the zero, the static head and the blank run"
        )
    flux = flow / shared.area
    viscosity = through(water.viscosity, kelvin) * shared.viscosity_ratio
    flux_ref = flux * viscosity / water.viscosity(given.reference_temperature)
    return _Point(dp, flow, flux, flux_ref, flux_ref / dp, kelvin, loss.x / taps.x)


def _excess(points: Sequence[_Point], slope: Uncertain, mean: Uncertain) -> tuple[tuple[str, Estimate], float]:
    """What the points say beyond their inputs, as one more input, and Birge's ratio."""
    residuals = [point.flux_ref - slope * point.dp for point in points]
    observed, explained = sum(r.x**2 for r in residuals), sum(r.u**2 for r in residuals)
    freedom = len(points) - 1
    scatter = math.sqrt(max(0.0, observed - explained) / freedom / sum(point.dp.x**2 for point in points))
    difference = slope - mean
    dependence = math.sqrt(max(0.0, difference.x**2 - difference.u**2) / 2)
    birge = math.sqrt(observed / explained) if explained else math.inf
    if dependence > scatter:
        return (PRESSURE_DEPENDENCE, Estimate(0.0, dependence)), birge
    return (SCATTER, Estimate(0.0, scatter, freedom)), birge


def _measured(
    budget: Budget,
    p: Uncertain,
    points: Sequence[_Point],
    given: Conditions,
    shared: _Shared,
    definition: Mapping[str, str],
) -> tuple[Measured, Measured, Measured, Measured | None]:
    celsius_ref = to_celsius(given.reference_temperature)
    viscosity = water.viscosity(given.reference_temperature)
    fixed = {
        "liquid": "water",
        "area": f"exposed, diameter {given.diameter.value / mm:.2f} mm",
        "method": f"slope through the origin of flux on pressure, plateaus: {len(points)}",
        **definition,
    }
    corrected = {
        **fixed,
        "reference temperature": f"{celsius_ref:g} °C",
        "temperature correction": "viscosity of water, IAPWS SR6-08(2011)",
    }
    kelvin = total(point.kelvin for point in points) / len(points)
    as_measured = p * viscosity / (through(water.viscosity, kelvin) * shared.viscosity_ratio)
    symbol, resistance = f"p{celsius_ref:g}", None
    if p.x > 0:
        mu = budget.input("viscosity", Estimate(viscosity, water.VISCOSITY_RELATIVE_U * viscosity), "Pa·s")
        resistance = budget.measured(
            1 / (mu * p), name="membrane resistance", symbol="R_m", unit="1/m", definition=corrected
        )
    return (
        budget.measured(p, name="water permeability", symbol=symbol, unit="cm/min/psi", definition=corrected),
        budget.measured(p, name="permeance", symbol=symbol, unit="L/m²/h/bar", definition=corrected),
        budget.measured(
            as_measured,
            name="water permeability as measured",
            symbol="p_T",
            unit="cm/min/psi",
            definition={**fixed, "temperature": f"{to_celsius(kelvin.x):.2f} °C, not corrected"},
        ),
        resistance,
    )


def _row(label: str, point: _Point) -> Row:
    dp, flow, flux, flux_ref, p = (
        Estimate(number.x, number.u, number.df)
        for number in (point.dp, point.flow, point.flux, point.flux_ref, point.p)
    )
    return Row(label, dp, flow, flux, flux_ref, p, point.kelvin.x, point.blank_share)
