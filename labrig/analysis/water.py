"""Properties of liquid water at 0.1 MPa by the formulas of IAPWS, with the uncertainty that each formula states.

Viscosity and density: IAPWS SR6-08(2011), equations 7 and 2, from 253.15 K to 383.15 K (metastable below the freezing
and above the boiling point). Surface tension: IAPWS R1-76(2014), from the triple point to the critical point, here
also 25 K into the supercooled liquid, where the release finds the formula still good.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, overload

import numpy as np

from labrig.errors import AnalysisError
from labrig.model import Floats

VISCOSITY_RELATIVE_U: Final = 0.005
"""Standard uncertainty of `viscosity` as a fraction: SR6-08 section 3.3 states 1 % for the stable liquid (k = 2)."""
VISCOSITY_RATIO_RELATIVE_U: Final = 0.0005
"""Standard uncertainty of μ(T)/μ(T') as a fraction, between 0 °C and 40 °C.

The ratio is known ten times better than the viscosity: Kestin, Sokolov and Wakeham, J. Phys. Chem. Ref. Data 7 (1978)
941, give ±0.05 % against 20 °C, taken here as one standard uncertainty because two of them enter a ratio."""
VISCOSITY_RATIO_RELATIVE_U_WIDE: Final = 0.002
"""The same outside 0-40 °C, where the reference gives ±0.2 % up to 150 °C."""
SMOOTH: Final = 5.0
"""K over which the error of a viscosity formula hardly changes."""
DENSITY_RELATIVE_U: Final = 0.5e-6
"""Standard uncertainty of `density` as a fraction: SR6-08 section 2.3 states 0.0001 % for air-free water (k = 2)."""
SURFACE_TENSION_RELATIVE_U: Final = 0.0025
"""Standard uncertainty of `surface_tension` as a fraction: R1-76 tabulates ±0.5 % near room temperature (k = 2)."""

LIQUID_LOW: Final = 253.15
LIQUID_HIGH: Final = 383.15
TENSION_LOW: Final = 248.15
CRITICAL_TEMPERATURE: Final = 647.096

_VISCOSITY: Final = ((280.68, -1.9), (511.45, -7.7), (61.131, -19.6), (0.45903, -40.0))
_GAS_CONSTANT: Final = 461.51805
_VOLUME_A: Final = ((6.74458446e3, 4), (-2.22521604e5, 5), (1.00231247e8, 7), (-1.63552118e9, 8), (8.32299658e9, 9))
_VOLUME_B: Final = (
    (5.78545292e-3, 1),
    (-1.53195665e-2, 2),
    (3.11337859e-2, 3),
    (-4.23546241e-2, 4),
    (3.38713507e-2, 5),
    (-1.19946761e-2, 6),
)


@overload
def viscosity(T: float) -> float: ...
@overload
def viscosity(T: Floats) -> Floats: ...
def viscosity(T: float | Floats) -> float | Floats:
    """Dynamic viscosity in Pa·s at T in K, any shape (IAPWS SR6-08(2011), eq. 7).

    Raises `AnalysisError` outside 253.15-383.15 K and for NaN.
    """
    kelvin = _within(T, LIQUID_LOW, LIQUID_HIGH, "the viscosity of water (IAPWS SR6-08)")
    reduced = kelvin / 300.0
    return _like(T, _powers(reduced, _VISCOSITY) * 1e-6)


@overload
def density(T: float) -> float: ...
@overload
def density(T: Floats) -> Floats: ...
def density(T: float | Floats) -> float | Floats:
    """Density in kg/m³ at T in K, any shape, air-free water (IAPWS SR6-08(2011), eq. 2).

    Raises `AnalysisError` outside 253.15-383.15 K and for NaN.
    """
    kelvin = _within(T, LIQUID_LOW, LIQUID_HIGH, "the density of water (IAPWS SR6-08)")
    alpha, beta = 10.0 / (593.0 - kelvin), 10.0 / (kelvin - 232.0)
    volume = 1.93763157e-2 + _powers(alpha, _VOLUME_A) + _powers(beta, _VOLUME_B)
    return _like(T, 1e5 / (_GAS_CONSTANT * 10.0 * volume))


@overload
def surface_tension(T: float) -> float: ...
@overload
def surface_tension(T: Floats) -> Floats: ...
def surface_tension(T: float | Floats) -> float | Floats:
    """Surface tension against its vapour in N/m at T in K, any shape (IAPWS R1-76(2014)).

    Raises `AnalysisError` outside 248.15-647.096 K and for NaN.
    """
    kelvin = _within(T, TENSION_LOW, CRITICAL_TEMPERATURE, "the surface tension of water (IAPWS R1-76)")
    tau = 1.0 - kelvin / CRITICAL_TEMPERATURE
    return _like(T, 0.2358 * tau**1.256 * (1.0 - 0.625 * tau))


def viscosity_ratio_relative_u(T: float, reference: float) -> float:
    """Standard uncertainty of μ(T)/μ(reference) as a fraction; temperatures in K.

    Errors of a smooth formula are alike at like temperatures: it grows in proportion from 0 to the full value at
    `SMOOTH` kelvin apart.
    """
    near = all(273.15 <= kelvin <= 313.15 for kelvin in (T, reference))
    full = VISCOSITY_RATIO_RELATIVE_U if near else VISCOSITY_RATIO_RELATIVE_U_WIDE
    return full * min(1.0, abs(T - reference) / SMOOTH)


def _within(T: float | Floats, low: float, high: float, what: str) -> Floats:
    kelvin = np.asarray(T, np.float64)
    outside = ~((kelvin >= low) & (kelvin <= high))
    if outside.any():
        raise AnalysisError(
            f"{what} is known from {low:g} K to {high:g} K, not at {kelvin[outside].flat[0]:g} K; "
            "check the water temperature channel"
        )
    return kelvin


def _powers(x: Floats, terms: Sequence[tuple[float, float]]) -> Floats:
    total = np.zeros_like(x)
    for coefficient, exponent in terms:
        total = total + coefficient * x**exponent
    return total


def _like(T: float | Floats, result: Floats) -> float | Floats:
    return result if isinstance(T, np.ndarray) else float(result)
