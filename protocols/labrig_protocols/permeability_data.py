"""What the permeability analysis reads of a run: its plateaus, and what else was marked beside them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from labrig.analysis import permeability_validity as rules
from labrig.analysis import reading
from labrig.analysis.permeability import Conditions, Plateau, permeability
from labrig.analysis.uncertainty import Estimate
from labrig.analysis.validity import Finding, indicative, invalid
from labrig.errors import AnalysisError
from labrig.model import Channel, RunData, Span
from labrig_protocols.permeability_setup import Gauge, weighs

STEPS_COLLECTED: Final = 100
"""Readabilities of the balance that a plateau collects at least."""
STEPS_NEEDED: Final = 20
"""Readabilities below which a weighed flow says nothing."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A plateau that could be read."""

    span: Span
    target: float
    plateau: Plateau
    gauge: Gauge
    findings: tuple[Finding, ...]


def see(
    run: RunData, spans: Sequence[Span], gauges: Sequence[Gauge], conditions: Conditions
) -> tuple[list[Seen], list[Finding]]:
    """The plateaus that can be used, and why others cannot; raises `AnalysisError` where none can."""
    seen: list[Seen] = []
    findings: list[Finding] = []
    for index, span in enumerate(spans, start=1):
        label = _label(index, span, gauges[0].channel)
        try:
            one = see_one(run, span, label, gauges)
            permeability([one.plateau], conditions)  # Raises for a plateau that could not stand alone.
            seen.append(one)
        except AnalysisError as error:
            findings.append(invalid(f"{label} was left out: {error}"))
    if not seen:
        raise AnalysisError("no plateau can be used. " + "; ".join(finding.words for finding in findings))
    return seen, findings


def see_one(run: RunData, span: Span, label: str, gauges: Sequence[Gauge]) -> Seen:
    """One stretch at constant pressure; raises `AnalysisError` where a channel has no samples in it."""
    weighed = weighs(run)
    water = reading.channel_needed(run, "water_temperature")
    gauge, pressure, findings = _pressure(run, span, label, gauges)
    temperature = reading.mean_over(run, water, span)
    if weighed:
        flow, collected = _weighed(run, span, label)
        findings += collected
    else:
        flow = reading.mean_over(run, reading.channel_needed(run, "permeate_flow"), span)
    if span.attributes.get("steady", 1.0) == 0:
        why = span.attributes.get("unsteady", "it did not become steady in time")
        findings.append(invalid(f"{label} was not steady: {why}"))
    findings += _drifts(run, span, label, weighed=weighed)
    plateau = Plateau(label, gauge.channel.name, pressure, flow, temperature, weighed, span.seconds)
    return Seen(span, target_of(span), plateau, gauge, tuple(findings))


def _weighed(run: RunData, span: Span, label: str) -> tuple[Estimate, list[Finding]]:
    """Mass flow, and whether enough was collected for the balance to tell it."""
    mass = reading.channel_needed(run, "permeate_mass")
    step = reading.number(run, "balance_readability", mass.resolution)
    flow = reading.slope_over(run, mass, span, step)
    steps = flow.value * span.seconds / step if step > 0 else math.inf
    if steps >= 0.9 * STEPS_COLLECTED:
        return flow, []
    words = (
        f"{label}: {max(0.0, steps):.0f} steps of the balance were collected, {STEPS_COLLECTED} are needed; "
        "use a finer balance, a larger cell, or a longer plateau"
    )
    return flow, [invalid(words) if steps < STEPS_NEEDED else indicative(words)]


def _drifts(run: RunData, span: Span, label: str, *, weighed: bool) -> list[Finding]:
    """Water that warms and flow that fades over one plateau; a series too short for it says nothing."""
    water = reading.channel_needed(run, "water_temperature")
    try:
        found = [*rules.temperature_drift(label, reading.slope_over(run, water, span, water.resolution))]
        if weighed:
            mass = reading.channel_needed(run, "permeate_mass")
            resolution = reading.number(run, "balance_readability", mass.resolution)
            middle = (span.start + span.end) // 2
            first = reading.slope_over(run, mass, replace(span, end=middle), resolution)
            second = reading.slope_over(run, mass, replace(span, start=middle), resolution)
            found += rules.flow_drift(label, first, second)
    except AnalysisError:
        return []
    return found


def target_of(span: Span) -> float:
    """The set-point that a stretch was marked with, Pa; NaN without one."""
    target = span.attributes.get("target", math.nan)
    return math.nan if isinstance(target, str) else float(target)


def _label(index: int, span: Span, channel: Channel) -> str:
    target = target_of(span)
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


def metered(run: RunData, seen: Sequence[Seen]) -> list[Estimate | None]:
    """The flow meter's reading of each weighed plateau, m³/s; None without a meter, and where it was out of range."""
    channel = reading.channel_in(run, "permeate_flow") if weighs(run) else None
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
