"""What a rig's newest samples say of the next minutes, and of whether it may be opened. Pure functions of traces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from labrig.clock import SECOND
from labrig.history import Trace
from labrig.model import Quality
from labrig.units import minute, psi

SAFE_PRESSURE: Final = 0.3 * psi
SAFE_SECONDS: Final = 5.0
FORECAST_WITHIN: Final = 15 * minute
STOP_WITHIN: Final = 10.0
"""Seconds before an overflow or a dry feed at which a run is stopped."""
LEAST_FLOW: Final = 1e-7
"""kg/s (6 mg/min): below it nothing fills or empties."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """Something that will be full or empty."""

    what: str
    """Such as ``permeate vessel full``."""
    seconds: float

    @property
    def words(self) -> str:
        """For people."""
        left = f"{self.seconds / minute:.0f} min" if self.seconds >= 2 * minute else f"{self.seconds:.0f} s"
        return f"{self.what} in about {left}"

    @property
    def stops(self) -> bool:
        """Whether a run must end now for it."""
        return self.seconds <= STOP_WITHIN


def mass_flow(trace: Trace) -> float:
    """Slope of a mass over its trace, kg/s; 0 where it cannot be told."""
    usable = np.isfinite(trace.mean)
    if usable.sum() < 3:
        return 0.0
    t = (trace.times[usable] - trace.times[0]) / SECOND
    return float(np.polyfit(t, trace.mean[usable], 1)[0]) if t[-1] > t[0] else 0.0


def will_fill(trace: Trace, capacity: float) -> Outlook | None:
    """When a vessel on a balance will be full; ``capacity`` and the trace in kg."""
    return _outlook("permeate vessel full", capacity - _last(trace), mass_flow(trace))


def will_empty(trace: Trace, start: float, volume: float) -> Outlook | None:
    """When ``volume`` kg of feed will have become permeate; the balance held ``start`` kg when the feed was full."""
    return _outlook("feed empty", volume - (_last(trace) - start), mass_flow(trace))


def pressure_gone(name: str, trace: Trace, now: int) -> str:
    """Why a trapped volume is not proven free of pressure; empty where it is.

    It has read below 0.3 psi for five seconds, without a gap, on a sensor that works.
    """
    if not len(trace) or now - trace.times[-1] > SECOND or trace.times[0] > now - (SAFE_SECONDS - 1) * SECOND:
        return f"{name} has not read for {SAFE_SECONDS:g} s"
    if any(not Quality(int(flag)).usable for flag in np.unique(trace.quality)) or not np.isfinite(trace.mean).all():
        return f"{name} has no valid value"
    highest = float(np.nanmax(np.abs(trace.high)))
    return f"{name} reads up to {highest / psi:.2f} psi" if highest >= SAFE_PRESSURE else ""


def _last(trace: Trace) -> float:
    usable = trace.mean[np.isfinite(trace.mean)]
    return float(usable[-1]) if len(usable) else np.nan


def _outlook(what: str, left: float, rate: float) -> Outlook | None:
    if not np.isfinite(left) or rate < LEAST_FLOW:
        return None
    seconds = max(0.0, left / rate)
    return Outlook(what, seconds) if seconds <= FORECAST_WITHIN else None
