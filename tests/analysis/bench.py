"""A bench in memory: a membrane of known permeability, sensors with known errors, and the run that they record."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from labrig.analysis import water
from labrig.errors import RecordingError
from labrig.model import (
    Calibration,
    Channel,
    Coupon,
    Event,
    Flags,
    Floats,
    Mounting,
    Quality,
    RunHeader,
    Series,
    Span,
    Times,
)
from labrig.units import celsius, cm_per_min_per_psi, g, mL_per_min, mm, psi, unit

SECOND = 1_000_000_000
START = 5 * SECOND
"""Monotonic clock at the start of the run."""
AREA_DIAMETER = 41.96 * mm


@dataclass(frozen=True, slots=True, eq=False)
class MemoryRun:
    """A run held in memory: one time axis for all channels."""

    header: RunHeader
    times: Times
    values: Mapping[str, Floats]
    quality: Mapping[str, Flags]
    marked: tuple[Span, ...]
    events: tuple[Event, ...] = ()

    def spans(self, kind: str) -> tuple[Span, ...]:
        return tuple(span for span in self.marked if span.kind == kind)

    def series(self, channel: str, span: Span | None = None) -> Series:
        if channel not in self.values:
            raise RecordingError(f"no channel {channel!r}")
        start, end = (span.start, span.end) if span else (self.times[0], self.times[-1] + 1)
        inside = (self.times >= start) & (self.times < end)
        return Series(self.times[inside], self.values[channel][inside], self.quality[channel][inside])

    def with_header(self, header: RunHeader) -> MemoryRun:
        return replace(self, header=header)

    def with_values(self, channel: str, values: Floats) -> MemoryRun:
        return replace(self, values={**self.values, channel: values})

    def with_spans(self, *spans: Span) -> MemoryRun:
        return replace(self, marked=spans)

    def without(self, channel: str, start: float, end: float) -> MemoryRun:
        """The run with that channel's samples missing between two times in s since its start."""
        seconds = (self.times - START) / SECOND
        gone = (seconds >= start) & (seconds < end)
        values, quality = self.values[channel].copy(), self.quality[channel].copy()
        values[gone], quality[gone] = np.nan, Quality.MISSING
        return replace(self, values={**self.values, channel: values}, quality={**self.quality, channel: quality})


@dataclass(frozen=True, slots=True)
class Errors:
    """True errors of the sensors: drawn by a coverage test, all zero for an exact bench."""

    gain: float = 0.0
    """Relative, of the pressure transducers."""
    zero: float = 0.0
    """Pa that the gauge reads when vented."""
    thermometer: float = 0.0
    """K."""
    diameter: float = 0.0
    """m, true minus stated."""
    meter: float = 0.0
    """Relative, of the flow meter."""
    noise: float = 0.0
    """Multiple of each sensor's noise."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What is true, and how the run is made. ``run`` records it."""

    p: float = 4 * cm_per_min_per_psi
    pressures: tuple[float, ...] = (10 * psi, 20 * psi, 30 * psi)
    temperature: float = celsius(22)
    compaction: float = 0.0
    """1/Pa: p falls by that share with each pascal."""
    seconds: float = 30.0
    rate: float = 10.0
    errors: Errors = Errors()
    head: float = 0.0
    blank_a: float = 1e7
    blank_b: float = 0.0
    evaporation: float = 0.0
    roles: tuple[str, ...] = ("feed_pressure", "permeate_mass", "water_temperature")
    warming: float = 0.0
    """K/s."""
    seed: int = 1
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def true_p(self) -> float:
        """Mean over the plateaus at 25 °C, m/s/Pa."""
        return float(np.mean([self.p * (1 - self.compaction * dp) for dp in self.pressures]))

    def run(self) -> MemoryRun:
        stretch = self.seconds + 5.0
        count = round((10 + stretch * len(self.pressures)) * self.rate)
        seconds = np.arange(count) / self.rate
        index = np.clip(((seconds - 10) // stretch).astype(int), -1, len(self.pressures) - 1)
        dp = np.where(index < 0, 0.0, np.array((*self.pressures, 0.0))[index])
        kelvin = self.temperature + self.warming * seconds
        diameter = AREA_DIAMETER + self.errors.diameter
        flux = self.p * (1 - self.compaction * dp) * dp * water.viscosity(celsius(25)) / water.viscosity(kelvin)
        flow = flux * math.pi / 4 * diameter**2
        lost = self.blank_a * flow + self.blank_b * flow**2
        taps = np.where(dp > 0, dp + lost + self.head, 0.0)
        mass = np.cumsum(flow * water.density(kelvin) - self.evaporation) / self.rate
        truth = {
            "feed": taps / (1 + self.errors.gain) + self.errors.zero,
            "cell": taps,
            "permeate": mass,
            "meter": flow * (1 + self.errors.meter),
            "water": kelvin + self.errors.thermometer,
        }
        return self._recorded(seconds, truth)

    def _recorded(self, seconds: Floats, truth: Mapping[str, Floats]) -> MemoryRun:
        rng = np.random.default_rng(self.seed)
        times = START + np.round(seconds * SECOND).astype(np.int64)
        read = {
            name: values + self.errors.noise * NOISE[name] * rng.standard_normal(len(values))
            for name, values in truth.items()
        }
        quality = {name: np.zeros(len(times), np.uint8) for name in read}
        return MemoryRun(self._header(), times, read, quality, self._spans())

    def _spans(self) -> tuple[Span, ...]:
        zero = Span("zero", START + 2 * SECOND, START + 9 * SECOND)
        plateaus = []
        for index, target in enumerate(self.pressures):
            start = START + round((10 + (self.seconds + 5) * index + 4) * SECOND)
            plateaus.append(
                Span("plateau", start, start + round(self.seconds * SECOND), {"target": target, "steady": 1.0})
            )
        return (zero, *plateaus)

    def _header(self) -> RunHeader:
        names = dict(zip(ROLES, CHANNELS, strict=True))
        return RunHeader(
            run_id="run-1",
            started_utc="2000-01-01T00:00:00+00:00",
            started_ns=START,
            protocol="water-permeability",
            parameters=self.parameters,
            method="",
            coupon=Coupon("coupon"),
            mounting=Mounting("cell 47 mm", AREA_DIAMETER, 0.05 * mm),
            operator="operator",
            rig="bench",
            rig_file="",
            channels=CHANNELS,
            roles={role: names[role].name for role in self.roles},
            simulated=True,
            versions={},
            setup={
                "head": self.head,
                "head_u": 20.0,
                "blank_a": self.blank_a,
                "blank_b": self.blank_b,
                "blank_relative_u": 0.05,
                "evaporation": self.evaporation,
                "evaporation_u": 1e-9,
                "reference_temperature": celsius(25),
                "balance_relative_u": 1e-4,
                "balance_readability": 0.01 * g,
                "air_density": 0.0,
            },
        )


ROLES = ("feed_pressure", "membrane_pressure", "permeate_mass", "permeate_flow", "water_temperature")
CHANNELS = (
    Channel("feed", unit("psi"), "V", 0.0, 100 * psi, Calibration((0.0, 1.0), 0.001, 0.05 * psi), "Feed pressure"),
    Channel("cell", unit("psi"), "V", 0.0, 5 * psi, Calibration((0.0, 1.0), 0.001, 0.0025 * psi), "Cell pressure"),
    Channel("permeate", unit("g"), "g", 0.0, 2.0, Calibration((0.0, 1.0)), resolution=0.01 * g),
    Channel(
        *("meter", unit("mL/min"), "V", 5 * mL_per_min, 5000 * mL_per_min),
        Calibration((0.0, 1.0), 0.005, 0.5 * mL_per_min),
    ),
    Channel("water", unit("°C"), "ohm", celsius(0), celsius(100), Calibration((0.0, 1.0), 0.0, 0.1)),
)
NOISE = {"feed": 0.01 * psi, "cell": 0.001 * psi, "permeate": 0.005 * g, "meter": 0.5 * mL_per_min, "water": 0.05}
