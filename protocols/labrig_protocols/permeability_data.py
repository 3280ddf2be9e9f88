"""What the permeability analysis reads of a run: zeros, plateaus, flows by the meter, and the facts of the rig."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from labrig.analysis import permeability_validity as rules
from labrig.analysis import reading
from labrig.analysis.permeability import Conditions, Plateau, Transducer, permeability
from labrig.analysis.uncertainty import Estimate
from labrig.analysis.validity import Finding, invalid
from labrig.errors import AnalysisError
from labrig.model import Channel, RunData, Span
from labrig.units import ZERO_CELSIUS

PRESSURES: Final = ("membrane_pressure", "feed_pressure")
SETUP: Final = {
    "head": "Pa by which the pressure tap reads more than drives the membrane: ρ·g·(permeate outlet above the tap)",
    "head_u": "Pa, standard uncertainty",
    "blank_a": "Pa/(m³/s), loss of the lines without a membrane",
    "blank_b": "Pa/(m³/s)²",
    "blank_relative_u": "standard uncertainty of that loss, as a fraction",
    "blank_flow_high": "m³/s, highest flow of the blank run; without it its reach is not judged",
    "evaporation": "kg/s that leave the vessel on the balance",
    "evaporation_u": "kg/s, standard uncertainty",
    "reference_temperature": "K",
    "balance_relative_u": "standard uncertainty of the balance's sensitivity, as a fraction",
    "balance_readability": "kg",
    "air_density": "kg/m³ around the balance, for its buoyancy; without it the buoyancy is left uncorrected",
}
"""Keys of `RunHeader.setup` that are read; one that is missing counts as 0, the reference temperature as 25 °C."""
BUOYANCY: Final = 1.05e-3
"""Share of its mass by which water weighs less in air of 1.2 kg/m³ on a balance adjusted with steel."""
STEEL: Final = 8000.0
"""kg/m³, conventional density of balance weights (OIML D 28)."""
WATER: Final = 998.0


@dataclass(frozen=True, slots=True)
class Gauge:
    """A pressure transducer as this run found it."""

    channel: Channel
    zeros: tuple[Estimate, ...]
    """Measured with both sides vented, in order of time."""
    transducer: Transducer

    def u(self, pressure: Estimate) -> float:
        """Standard uncertainty of a pressure that it reads."""
        zero = self.transducer.zero
        return math.hypot(pressure.u, zero.u, self.transducer.gain.u * (pressure.value - zero.value))


@dataclass(frozen=True, slots=True)
class Seen:
    """A plateau that could be read."""

    span: Span
    target: float
    plateau: Plateau
    gauge: Gauge
    findings: tuple[Finding, ...]


def gauges_of(run: RunData) -> list[Gauge]:
    """The pressure transducers of the run with their zeros; raises `AnalysisError` where there is none."""
    channels = [channel for role in PRESSURES if (channel := reading.channel_in(run, role)) is not None]
    if not channels:
        raise AnalysisError(f"this run has nothing in the roles {' or '.join(PRESSURES)}, and the analysis needs one")
    return [_gauge(run, channel) for channel in channels]


def _gauge(run: RunData, channel: Channel) -> Gauge:
    zeros: list[Estimate] = []
    for span in run.spans("zero"):
        try:
            zeros.append(reading.mean_over(run, channel, span))
        except AnalysisError:
            continue  # A zero without samples is no zero; with none left, the rules say that it was not measured.
    gain = Estimate(1.0, channel.calibration.relative_u)
    return Gauge(channel, tuple(zeros), Transducer(_zero(zeros, channel.calibration.offset_u), gain))


def _zero(zeros: Sequence[Estimate], offset_u: float) -> Estimate:
    """The zero during the plateaus: the mean of those measured, uncertain by their noise and by half their range."""
    if not zeros:
        return Estimate(0.0, offset_u)
    values = [zero.value for zero in zeros]
    noise = math.hypot(*(zero.u for zero in zeros)) / len(zeros)
    moved = (max(values) - min(values)) / 2 / math.sqrt(3)
    return Estimate(sum(values) / len(values), math.hypot(noise, moved), min(zero.dof for zero in zeros))


def see(
    run: RunData, spans: Sequence[Span], gauges: Sequence[Gauge], conditions: Conditions
) -> tuple[list[Seen], list[Finding]]:
    """The plateaus that can be used, and why others cannot; raises `AnalysisError` where none can."""
    seen: list[Seen] = []
    findings: list[Finding] = []
    for index, span in enumerate(spans, start=1):
        label = _label(index, span, gauges[0].channel)
        try:
            one = _see_one(run, span, label, gauges)
            permeability([one.plateau], conditions)  # Raises for a plateau that could not stand alone.
            seen.append(one)
        except AnalysisError as error:
            findings.append(invalid(f"{label} was left out: {error}"))
    if not seen:
        raise AnalysisError("no plateau can be used. " + "; ".join(finding.words for finding in findings))
    return seen, findings


def _see_one(run: RunData, span: Span, label: str, gauges: Sequence[Gauge]) -> Seen:
    mass = reading.channel_needed(run, "permeate_mass")
    water = reading.channel_needed(run, "water_temperature")
    gauge, pressure, findings = _pressure(run, span, label, gauges)
    flow = reading.slope_over(run, mass, span, reading.number(run, "balance_readability", mass.resolution))
    temperature = reading.mean_over(run, water, span)
    if span.attributes.get("steady", 1.0) == 0:
        why = span.attributes.get("unsteady", "it did not become steady in time")
        findings.append(invalid(f"{label} was not steady: {why}"))
    findings += _drifts(run, span, label)
    plateau = Plateau(label, gauge.channel.name, pressure, flow, temperature)
    return Seen(span, _target(span), plateau, gauge, tuple(findings))


def _drifts(run: RunData, span: Span, label: str) -> list[Finding]:
    """Water that warms and flow that fades over one plateau; a series too short for it says nothing."""
    mass, water = reading.channel_needed(run, "permeate_mass"), reading.channel_needed(run, "water_temperature")
    resolution = reading.number(run, "balance_readability", mass.resolution)
    middle = (span.start + span.end) // 2
    try:
        warming = reading.slope_over(run, water, span, water.resolution)
        first = reading.slope_over(run, mass, replace(span, end=middle), resolution)
        second = reading.slope_over(run, mass, replace(span, start=middle), resolution)
    except AnalysisError:
        return []
    return [*rules.temperature_drift(label, warming), *rules.flow_drift(label, first, second)]


def _target(span: Span) -> float:
    target = span.attributes.get("target", math.nan)
    return math.nan if isinstance(target, str) else float(target)


def _label(index: int, span: Span, channel: Channel) -> str:
    target = _target(span)
    return f"plateau {index}" + (f" at {channel.unit.show(target, 3)}" if math.isfinite(target) else "")


def _pressure(run: RunData, span: Span, label: str, gauges: Sequence[Gauge]) -> tuple[Gauge, Estimate, list[Finding]]:
    """The gauge in range with the smallest uncertainty; none in range is a finding, none with samples an error."""
    readings: list[tuple[bool, float, Gauge, Estimate]] = []
    unread: list[str] = []
    for gauge in gauges:
        try:
            pressure = reading.mean_over(run, gauge.channel, span)
        except AnalysisError as error:
            unread.append(str(error))
            continue
        outside = not reading.in_range(run, gauge.channel, span)
        readings.append((outside, gauge.u(pressure), gauge, pressure))
    if not readings:
        raise AnalysisError("; ".join(unread))
    outside, _, gauge, pressure = min(readings, key=lambda found: found[:2])
    if not outside:
        return gauge, pressure, []
    unit, low, high = gauge.channel.unit, gauge.channel.low, gauge.channel.high
    words = f"{label}: {gauge.channel.name} was outside its calibrated range {unit.show(low)} to {unit.show(high)}"
    return gauge, pressure, [invalid(words)]


def conditions_of(run: RunData, gauges: Sequence[Gauge]) -> Conditions:
    """What all plateaus share, from header and calibrations; raises `AnalysisError` for a fact that is no number."""
    mounting = run.header.mounting
    if not mounting.exposed_diameter > 0:
        raise AnalysisError(f"the exposed diameter is {mounting.exposed_diameter:g} m; enter that of the cell's O-ring")
    water = reading.channel_needed(run, "water_temperature")
    thermometer_u = math.hypot(water.calibration.offset_u, water.calibration.relative_u * ZERO_CELSIUS)
    return Conditions(
        diameter=Estimate(mounting.exposed_diameter, mounting.exposed_diameter_u),
        transducers={gauge.channel.name: gauge.transducer for gauge in gauges},
        balance=_balance(run),
        evaporation=Estimate(reading.number(run, "evaporation"), reading.number(run, "evaporation_u")),
        thermometer=Estimate(0.0, thermometer_u),
        head=Estimate(reading.number(run, "head"), reading.number(run, "head_u")),
        blank_a=reading.number(run, "blank_a"),
        blank_b=reading.number(run, "blank_b"),
        blank=Estimate(1.0, reading.number(run, "blank_relative_u")),
        reference_temperature=reading.number(run, "reference_temperature", ZERO_CELSIUS + 25),
    )


def _balance(run: RunData) -> Estimate:
    """True mass over reading: corrected for the buoyancy of air where its density is known, else uncertain by it."""
    mass = reading.channel_needed(run, "permeate_mass")
    sensitivity = reading.number(run, "balance_relative_u", mass.calibration.relative_u)
    air = reading.number(run, "air_density", math.nan) if "air_density" in run.header.setup else None
    if air is None:
        return Estimate(1.0, math.hypot(sensitivity, BUOYANCY / math.sqrt(3)))
    return Estimate((1 - air / STEEL) / (1 - air / WATER), sensitivity)


def metered(run: RunData, seen: Sequence[Seen]) -> list[Estimate | None]:
    """The flow meter's reading of each plateau, m³/s; None where there is no meter or it was out of its range."""
    channel = reading.channel_in(run, "permeate_flow")
    return [None if channel is None else _by_meter(run, channel, one.span) for one in seen]


def _by_meter(run: RunData, channel: Channel, span: Span) -> Estimate | None:
    try:
        flow = reading.mean_over(run, channel, span)
    except AnalysisError:
        return None  # The meter is there for comparison only.
    if not reading.in_range(run, channel, span):
        return None
    calibration = channel.calibration
    return replace(flow, u=math.hypot(flow.u, calibration.offset_u, calibration.relative_u * flow.value))


def blank_of(run: RunData) -> tuple[bool, float | None]:
    """Whether a blank run is on record, and its highest flow in m³/s where that is known."""
    known = "blank_flow_high" in run.header.setup
    measured = bool(reading.number(run, "blank_a") or reading.number(run, "blank_b"))
    return measured, reading.number(run, "blank_flow_high") if known else None
