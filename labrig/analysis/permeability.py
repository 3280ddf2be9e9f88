"""Water permeability from plateaus of pressure and flow, with its uncertainty.

The measurand is the mean, over the time of the plateaus that were marked, of the permeability p = J/ΔP of the mounted
disc to pure water, corrected to a reference temperature by the viscosity of water. It is the slope of flux on pressure
through the origin with weights t/ΔP²: those of plateaus that are known equally well as a fraction, each as long as it
was held. Where p falls in proportion to pressure, it is the p at their mean pressure. See ADR 14.

What makes p uncertain: every input of the plateaus (`labrig.analysis.permeability_points`), each once, so that what
plateaus share stays shared. A course of p in pressure or time does not make its mean uncertain, because the mean over
just these plateaus is meant. What differs without order does, as far as the inputs do not explain it: with the
residuals r_i of p_i about a smooth course (straight in pressure, and in time where there are six plateaus), the inputs
explain an expected Σu²(r_i); the excess (Σr² - Σu²(r))/ν·Σw² enters as a type A variance with the ν degrees of freedom
that the course leaves (Birge's criterion, R. T. Birge, Phys. Rev. 40 (1932) 207, one-sided). See ADR 6.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from labrig.analysis import water
from labrig.analysis.lines import LineFit, OriginFit, through_origin, with_intercept
from labrig.analysis.permeability_points import (
    Conditions,
    Plateau,
    Point,
    Shared,
    Transducer,
    corrected,
    enter,
)
from labrig.analysis.uncertainty import Budget, Estimate, Uncertain, through, total
from labrig.errors import AnalysisError
from labrig.model import Floats, Measured
from labrig.units import mm, psi, to_celsius

__all__ = ["SCATTER", "Conditions", "Permeability", "Plateau", "Row", "Transducer", "permeability"]

SCATTER: Final = "scatter between the plateaus"
COURSE_IN_TIME: Final = 6
"""Plateaus from which on a course in time is told from one in pressure."""


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
    """The diagnostic fit through the origin with equal weights, in which high pressures count more."""
    line: LineFit | None
    """The diagnostic fit with intercept; None below two different pressures."""
    bend: LineFit | None
    """p_i = intercept + slope · ΔP, which is J = p₀·ΔP + q·ΔP²; None below two different pressures."""
    birge: float
    """Root of observed over explained Σr² about a smooth course; NaN where the course leaves nothing."""
    mean_p: float
    """Plain mean of the plateaus' p, m/s/Pa."""


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
    shared = enter(budget, plateaus, conditions)
    points = [corrected(budget, plateau, conditions, shared) for plateau in plateaus]
    weights = [point.seconds / sum(each.seconds for each in points) for point in points]
    p = total(point.p * weight for point, weight in zip(points, weights, strict=True))
    scatter, birge = _scatter(points, weights)
    if scatter is not None:
        p = p + budget.input(SCATTER, scatter, "m/s/Pa")
    x, y = np.array([point.dp.x for point in points]), np.array([point.flux_ref.x for point in points])
    several = np.ptp(x) > 1e-6 * x.max()
    pressure = sum(weight * point.dp.x for weight, point in zip(weights, points, strict=True))
    meant = {
        "method": f"slope of flux on pressure through the origin, mean over the time of {len(points)} plateaus",
        "transmembrane pressure": f"{pressure / psi:.2f} psi on average",
        **(definition or {}),
    }
    at_reference, permeance, at_temperature, resistance = _measured(budget, p, points, conditions, shared, meant)
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
        mean_p=sum(point.p.x for point in points) / len(points),
    )


def _scatter(points: Sequence[Point], weights: Sequence[float]) -> tuple[Estimate | None, float]:
    """What the points say beyond their inputs, as one more input, and Birge's ratio; none where nothing is left."""
    left = _residual_maker(np.array([point.dp.x for point in points]))
    freedom = round(float(np.trace(left)))
    if freedom < 1:
        return None, math.nan
    residuals = [total(point.p * float(share) for point, share in zip(points, row, strict=True)) for row in left]
    observed, explained = sum(r.x**2 for r in residuals), sum(r.u**2 for r in residuals)
    scatter = math.sqrt(max(0.0, observed - explained) / freedom) * math.hypot(*weights)
    return Estimate(0.0, scatter, freedom), math.sqrt(observed / explained) if explained else math.inf


def _residual_maker(pressures: Floats) -> Floats:
    """The matrix (n, n) that leaves of n values what a smooth course in pressure, and in time, does not take."""
    n = len(pressures)
    columns = [np.ones(n)]
    if np.ptp(pressures) > 1e-3 * pressures.max():
        columns.append(pressures / pressures.max())
    if n >= COURSE_IN_TIME:
        columns.append(np.arange(n) / n)
    directions, sizes, _ = np.linalg.svd(np.column_stack(columns), full_matrices=False)
    course = directions[:, sizes > 1e-6 * sizes[0]]  # on a ladder that only rises, time and pressure are one
    left: Floats = np.eye(n) - course @ course.T
    return left


def _measured(
    budget: Budget,
    p: Uncertain,
    points: Sequence[Point],
    given: Conditions,
    shared: Shared,
    definition: Mapping[str, str],
) -> tuple[Measured, Measured, Measured, Measured | None]:
    celsius_ref = to_celsius(given.reference_temperature)
    viscosity = water.viscosity(given.reference_temperature)
    fixed = {
        "liquid": "water",
        "area": f"exposed, diameter {given.diameter.value / mm:.2f} mm",
        **definition,
    }
    at_one_temperature = {
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
            1 / (mu * p), name="membrane resistance", symbol="R_m", unit="1/m", definition=at_one_temperature
        )
    return (
        budget.measured(p, name="water permeability", symbol=symbol, unit="cm/min/psi", definition=at_one_temperature),
        budget.measured(p, name="permeance", symbol=symbol, unit="L/m²/h/bar", definition=at_one_temperature),
        budget.measured(
            as_measured,
            name="water permeability as measured",
            symbol="p_T",
            unit="cm/min/psi",
            definition={**fixed, "temperature": f"{to_celsius(kelvin.x):.2f} °C, not corrected"},
        ),
        resistance,
    )


def _row(label: str, point: Point) -> Row:
    dp, flow, flux, flux_ref, p = (
        Estimate(number.x, number.u, number.df)
        for number in (point.dp, point.flow, point.flux, point.flux_ref, point.p)
    )
    return Row(label, dp, flow, flux, flux_ref, p, point.kelvin.x, point.blank_share)
