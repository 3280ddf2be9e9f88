"""The permeability that the screen shows while a run goes on: flux over pressure, uncorrected. Never a result.

The result comes from the analysis of the recorded samples, with zero, blank, temperature and buoyancy corrections.
No Qt.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from labrig.clock import SECOND
from labrig.model import Floats, Times
from labrig.units import psi
from labrig_ui.bins import Bins

WATER: Final = 997.0
"""kg/m³ at 25 °C."""
WINDOW: Final = 10.0
"""s: the stretch of balance readings behind a slope."""
LOOK_BACK: Final = 2.0
UNSTEADY: Final = 0.1
"""A pressure that has changed by more than this share in the last `LOOK_BACK` s: the flow has not followed yet."""
LEAST_PRESSURE: Final = 0.5 * psi
"""Below it flux over pressure says nothing."""


def disc_area(diameter: float) -> float:
    """m² from m."""
    return math.pi / 4 * diameter**2


def flow_by_balance(mass: Bins, times: Times, window: float = WINDOW) -> Floats:
    """Volume flow in m³/s at ``times`` (ns), shape (n,): the mass gained in the window before, over water's density.

    NaN where the balance does not reach back that far.
    """
    held = np.isfinite(mass.mean)
    if held.sum() < 2:
        return np.full(len(times), np.nan)
    known, values = mass.times[held], mass.mean[held]
    span = round(window * SECOND)
    gained = np.interp(times, known, values) - np.interp(times - span, known, values)
    covered = (times - span >= known[0]) & (times <= known[-1] + span)
    return np.where(covered, gained / window / WATER, np.nan)


def flow_at(flow: Bins, times: Times) -> Floats:
    """A flow meter's bins at ``times`` (ns), shape (n,); NaN without any."""
    held = np.isfinite(flow.mean)
    if not held.any():
        return np.full(len(times), np.nan)
    return np.interp(times, flow.times[held], flow.mean[held])


def steady(pressure: Bins) -> NDArray[np.bool_]:
    """Which of a pressure's bins, shape (k,), differ little from those of a moment before."""
    held = np.isfinite(pressure.mean)
    if not held.any():
        return held
    before = np.interp(pressure.times - round(LOOK_BACK * SECOND), pressure.times[held], pressure.mean[held])
    with np.errstate(invalid="ignore"):
        return np.abs(pressure.mean - before) <= UNSTEADY * np.abs(pressure.mean)


def permeability(flow: Floats, pressure: Floats, area: float) -> Floats:
    """Permeance in m/s/Pa of volume flows in m³/s and pressures in Pa, same shape; NaN below `LEAST_PRESSURE`."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(pressure >= LEAST_PRESSURE, flow / area / pressure, np.nan)
