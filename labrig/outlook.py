"""What a rig's newest samples say of the next minutes, and of whether it may be opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from labrig.clock import SECOND
from labrig.history import Trace
from labrig.model import Block, Channel, Event, Quality, calibrated
from labrig.units import minute, psi

SAFE_PRESSURE: Final = 0.3 * psi
SAFE_SECONDS: Final = 5.0
TRAPPED: Final = 1 * psi
TRAPPED_SECONDS: Final = 5.0
FALLS: Final = 0.1
"""Share of itself by which a pressure falls in `TRAPPED_SECONDS` where there is a way out."""
FORECAST_WITHIN: Final = 15 * minute
STOP_WITHIN: Final = 10.0
"""Seconds before an overflow or a dry feed at which a run is stopped."""
LATELY: Final = 5.0
"""Seconds of the newest part of a trace."""
HAND: Final = 0.02
"""kg/s (1.2 L/min): what changes a balance faster is a hand that pours away, takes off or puts on."""
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


class Collected:
    """A sink: how much has flowed onto a balance since `begin_anew`, whatever hands do to the vessel meanwhile."""

    def __init__(self, channel: str, channels: Mapping[str, Channel]) -> None:
        self._channel, self._channels = channel, channels
        self._last: tuple[int, float] | None = None
        self.mass = 0.0
        """kg."""

    def __call__(self, item: Block | Event) -> None:
        if not isinstance(item, Block) or self._channel not in item.channels:
            return
        values = calibrated(item, self._channels)[:, item.channels.index(self._channel)]
        for time, value in zip(item.times, values, strict=True):
            if np.isfinite(value):
                self._add(int(time), float(value))

    def begin_anew(self) -> None:
        """The feed was filled again."""
        self.mass = 0.0

    def _add(self, time: int, value: float) -> None:
        before, self._last = self._last, (time, value)
        if before is None:
            return
        more, seconds = value - before[1], (time - before[0]) / SECOND
        if abs(more) <= HAND * seconds:
            self.mass += more


def mass_flow(trace: Trace) -> float:
    """Slope of a mass over its trace, kg/s, and where it flows faster of late, of its newest part; 0 if unknown."""
    late = trace.times >= trace.times[-1] - LATELY * SECOND if len(trace) else np.zeros(0, bool)
    return max(_slope(trace, np.ones(len(trace), bool)), _slope(trace, late))


def _slope(trace: Trace, part: NDArray[np.bool_]) -> float:
    usable = np.isfinite(trace.mean) & part
    if usable.sum() < 3:
        return 0.0
    t = (trace.times[usable] - trace.times[usable][0]) / SECOND
    return float(np.polyfit(t, trace.mean[usable], 1)[0]) if t[-1] > t[0] else 0.0


def will_fill(trace: Trace, capacity: float) -> Outlook | None:
    """When a vessel on a balance will be full; ``capacity`` and the trace in kg."""
    return _outlook("permeate vessel full", capacity - _last(trace), mass_flow(trace))


def will_empty(trace: Trace, left: float) -> Outlook | None:
    """When the ``left`` kg of feed will have become permeate."""
    return _outlook("feed empty", left, mass_flow(trace))


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


def trapped(name: str, trace: Trace) -> str:
    """Why the pressure on a trace of some seconds does not go, though the outputs are safe; empty where it does."""
    usable = trace.mean[np.isfinite(trace.mean)]
    if len(usable) < 5 or (trace.times[-1] - trace.times[0]) / SECOND < TRAPPED_SECONDS - 1:
        return ""
    fifth = len(usable) // 5
    before, now = float(np.mean(usable[:fifth])), float(np.mean(usable[-fifth:]))
    if now < TRAPPED or now < (1 - FALLS) * before:
        return ""
    return (
        f"{name} stands at {now / psi:.1f} psi and does not fall, though every output was commanded safe: a vent that "
        "did not open, or a volume without a way out. Do not open the rig; shut the supply and vent by hand"
    )


def _last(trace: Trace) -> float:
    usable = trace.mean[np.isfinite(trace.mean)]
    return float(usable[-1]) if len(usable) else np.nan


def _outlook(what: str, left: float, rate: float) -> Outlook | None:
    if not np.isfinite(left) or rate < LEAST_FLOW:
        return None
    seconds = max(0.0, left / rate)
    return Outlook(what, seconds) if seconds <= FORECAST_WITHIN else None
