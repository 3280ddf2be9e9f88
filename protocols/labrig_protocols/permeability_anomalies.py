"""The anomalies of one permeability run by name, from what it marked besides its plateaus.

The marks are ``zero`` (both sides vented, before and after), ``no flow`` (beaker on the balance, feed shut), ``wetting
check`` (the lowest pressure, before compaction), ``compaction`` (the hold) and ``static head`` (feed and drain shut,
the cell at rest). What a run did not do is not looked for, and the table says so.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from labrig.analysis import permeability_validity as rules
from labrig.analysis import reading
from labrig.analysis.anomalies import (
    HARMLESS_FLOW,
    HARMLESS_GAIN,
    HARMLESS_PRESSURE,
    HARMLESS_SHARE,
    Anomaly,
    Shape,
    gain,
    limit_of,
    shape_of,
)
from labrig.analysis.permeability import Conditions, Permeability, Row, permeability
from labrig.analysis.uncertainty import Estimate
from labrig.analysis.validity import Finding, indicative, invalid
from labrig.errors import AnalysisError
from labrig.model import RunData, Span
from labrig.units import g_per_min, mbar, minute
from labrig_protocols.permeability_data import Seen, see_one, target_of
from labrig_protocols.permeability_setup import Gauge, stated_evaporation, weighs

MISTRUSTED = ("zero shift", "head error")
"""While one of these is found, pressures are wrong, and the shape of flow against pressure says nothing of the rest."""


@dataclass(frozen=True, slots=True)
class Case:
    """A run as far as it is understood."""

    run: RunData
    seen: Sequence[Seen]
    result: Permeability
    conditions: Conditions
    gauges: Sequence[Gauge]

    @property
    def lowest(self) -> float:
        """Pa across the membrane."""
        return min(row.dp.value for row in self.result.rows)


def anomalies(case: Case) -> list[Anomaly]:
    """Every anomaly that labrig knows, found or not, in the order of `labrig.analysis.anomalies.REMEDIES`."""
    found = [_zero_shift(case), _head_error(case)]
    if any(one.found for one in found if one.name in MISTRUSTED):
        words = "not looked for: the pressures are wrong"
        found += [Anomaly(name, words=words) for name in ("incomplete wetting", "trapped bubble", "fouled feed")]
    else:
        found += _shapes(case)
    return [*found, _plumbing(case), _temperature(case), _evaporation(case)]


def findings(found: Sequence[Anomaly]) -> Iterator[Finding]:
    """What makes a result less than valid; lines and temperature have rules of their own."""
    for one in found:
        if not one.found or one.name in {"plumbing-limited", "drifting temperature"}:
            continue
        words = f"{one.name}: {one.words}. To do: {one.remedy}"
        yield indicative(words) if one.name == "evaporation" else invalid(words)


def _zero_shift(case: Case) -> Anomaly:
    name, used = "zero shift", {one.gauge.channel.name for one in case.seen}
    shifts = [
        (gauge, Estimate(gauge.zeros[-1].value - gauge.zeros[0].value, _both(gauge.zeros[0], gauge.zeros[-1]), 7))
        for gauge in case.gauges
        if gauge.channel.name in used and len(gauge.zeros) > 1
    ]
    if not shifts:
        return Anomaly(name, words="not looked for: the zero was taken only once")
    worst, shift = max(shifts, key=lambda each: abs(each[1].value) / limit_of(each[1], rules.ZERO_SHARE * case.lowest))
    words = f"the zero of {worst.channel.name} moved by {shift.value / mbar:+.2f} mbar during the run"
    return Anomaly(name, shift.value, limit_of(shift, rules.ZERO_SHARE * case.lowest), "Pa", words)


def _head_error(case: Case) -> Anomaly:
    name, spans = "head error", case.run.spans("static head")
    steady = [span for span in spans if span.attributes.get("steady", 1.0) != 0]
    if not steady:
        return Anomaly(name, words="not looked for: the cell was not left to come to rest")
    read = [one for gauge in case.gauges if (one := _at_rest(case, gauge, steady[-1])) is not None]
    if not read:
        return Anomaly(name, words="not looked for: no transducer with a zero reads the cell at rest")
    measured, stated = min(read, key=lambda each: each.u), case.conditions.head
    off = Estimate(measured.value - stated.value, _both(measured, stated), measured.dof)
    known, said = measured.value / mbar, stated.value / mbar
    words = f"at rest the cell reads {known:.2f} mbar, and the rig file states {said:.2f} mbar"
    return Anomaly(name, off.value, limit_of(off, HARMLESS_PRESSURE * case.lowest), "Pa", words)


def _at_rest(case: Case, gauge: Gauge, span: Span) -> Estimate | None:
    """The static head by one transducer; what still moves is uncertain."""
    if not gauge.zeros or not reading.in_range(case.run, gauge.channel, span):
        return None
    zero, mean = gauge.zeros[-1], reading.mean_over(case.run, gauge.channel, span)
    moving = reading.slope_over(case.run, gauge.channel, span).value * span.seconds
    return Estimate(mean.value - zero.value, math.hypot(mean.u, zero.u, moving), min(mean.dof, zero.dof))


def _shapes(case: Case) -> list[Anomaly]:
    rows, seen = case.result.rows, case.seen
    own = [_own(one, row) for one, row in zip(seen, rows, strict=True)]
    shape = shape_of(
        np.array([row.dp.value for row in rows]),
        np.array([(one.span.start + one.span.end) / 2e9 for one in seen]),
        np.array([row.p.value for row in rows]),
        np.array([max(one.relative_u, 5e-4) for one in own]),
    )
    return [_wetting(case, own), *_from_shape(case, shape)]


def _from_shape(case: Case, shape: Shape | None) -> list[Anomaly]:
    if shape is None:
        words = "not looked for: it takes a ladder up and down with four pressures and six plateaus"
        return [Anomaly("trapped bubble", words=words), Anomaly("fouled feed", words=words)]
    words = f"p rises with pressure as under a bubble on {shape.bubble.value:.0%} of the area"
    size = max(0.0, shape.bubble.value)
    return [
        Anomaly("trapped bubble", size, limit_of(shape.bubble, HARMLESS_SHARE), "%", words),
        _fouling(case, shape.decline),
    ]


def _fouling(case: Case, decline: Estimate) -> Anomaly:
    name, allowed = "fouled feed", _creep_allowed(case)
    if allowed is None:
        return Anomaly(name, words="not looked for: without compaction a membrane loses flow anyhow")
    words = (
        f"p fell by {decline.value:.1%} over the ladder, where compaction after its hold explains {allowed:.1%} at most"
    )
    size = max(0.0, decline.value)
    return Anomaly(name, size, allowed + limit_of(decline, 0.0), "%", words)


def _creep_allowed(case: Case) -> float | None:
    """What compaction can still take after its hold: it slows down, so no more than the rate that ended the hold."""
    holds = case.run.spans("compaction")
    if not holds:
        return None
    rate = float(holds[-1].attributes.get("change", 0.01)) / float(holds[-1].attributes.get("window", 120.0))
    return rate * (case.seen[-1].span.end - holds[-1].end) / 1e9


def _wetting(case: Case, own: Sequence[Estimate]) -> Anomaly:
    name, pairs, first = "incomplete wetting", [], list[tuple[Estimate, Estimate]]()
    for check in case.run.spans("wetting check"):
        early = _checked(case, check)
        same = [
            late
            for one, late in zip(case.seen, own, strict=True)
            if early is not None and math.isclose(one.target, target_of(check), rel_tol=rules.SAME_STEP)
        ]
        first += [(early, same[0])] if early is not None and same else []
    for (one, early), (two, late) in _same_steps(list(zip(case.seen, own, strict=True))):
        if one.span.end <= two.span.start:
            pairs.append((early, late))
    rises = [gain(first, _lost(case)), gain(pairs, Estimate(0.0))]
    known = [rise for rise in rises if rise is not None]
    if not known:
        return Anomaly(name, words="not looked for: no pressure was held twice")
    rise = max(known, key=lambda each: each.value / limit_of(each, HARMLESS_GAIN))
    words = f"p rose by {rise.value:.1%} between two looks at one pressure"
    return Anomaly(name, max(0.0, rise.value), limit_of(rise, HARMLESS_GAIN), "%", words)


def _same_steps(
    looked: Sequence[tuple[Seen, Estimate]],
) -> Iterator[tuple[tuple[Seen, Estimate], tuple[Seen, Estimate]]]:
    for target in {round(one.target, -2) for one, _ in looked if math.isfinite(one.target)}:
        same = [each for each in looked if math.isclose(each[0].target, target, rel_tol=rules.SAME_STEP)]
        yield from pairwise(same)


def _checked(case: Case, span: Span) -> Estimate | None:
    """P on a stretch that is no plateau, with its own noise."""
    try:
        one = see_one(case.run, span, "wetting check", case.gauges)
        (row,) = permeability([one.plateau], case.conditions).rows
    except AnalysisError:
        return None
    return _own(one, row)


def _lost(case: Case) -> Estimate:
    """The share of p that went during the hold of the compaction, from the mass of its first and last quarter."""
    channel = reading.channel_in(case.run, "permeate_mass") if weighs(case.run) else None
    holds = case.run.spans("compaction")
    if channel is None or not holds:
        return Estimate(0.0)
    hold = holds[0]
    start = hold.end - round(float(hold.attributes.get("lasted", hold.seconds)) * 1e9)
    quarter = (hold.end - start) // 4
    try:
        first = reading.slope_over(case.run, channel, replace(hold, start=start, end=start + quarter))
        last = reading.slope_over(case.run, channel, replace(hold, start=hold.end - quarter))
    except AnalysisError:
        return Estimate(0.0)
    lost = 1 - last.value / first.value if first.value > 0 else 0.0
    return Estimate(max(0.0, lost), math.hypot(first.relative_u, last.relative_u), min(first.dof, last.dof))


def _plumbing(case: Case) -> Anomaly:
    worst = max(case.result.rows, key=lambda row: row.blank_share)
    words = f"the lines take up to {worst.blank_share:.0%} of the pressure"
    return Anomaly("plumbing-limited", worst.blank_share, rules.BLANK_FLAGGED, "%", words)


def _temperature(case: Case) -> Anomaly:
    """The largest drift within a plateau or, over the run, the range in the time that it may take."""
    name, water = "drifting temperature", reading.channel_needed(case.run, "water_temperature")
    drifts: list[Estimate] = []
    for one in case.seen:
        try:
            drifts.append(reading.slope_over(case.run, water, one.span, water.resolution))
        except AnalysisError:
            continue
    if not drifts:
        return Anomaly(name, words="not looked for: too few readings of the thermometer")
    kelvins = [row.temperature for row in case.result.rows]
    within = max(drifts, key=lambda each: abs(each.value) / limit_of(each, rules.DRIFT_LIMIT))
    span = (max(kelvins) - min(kelvins)) / rules.RANGE_LIMIT
    if span > abs(within.value) / limit_of(within, rules.DRIFT_LIMIT):
        words = f"the water's temperature ranged over {max(kelvins) - min(kelvins):.2f} K"
        return Anomaly(name, max(kelvins) - min(kelvins), rules.RANGE_LIMIT, "K", words)
    words = f"the water's temperature moved by {within.value * minute:+.2f} K/min within a plateau"
    return Anomaly(name, within.value * minute, limit_of(within, rules.DRIFT_LIMIT) * minute, "K/min", words)


def _evaporation(case: Case) -> Anomaly:
    name, spans = "evaporation", case.run.spans("no flow")
    if not spans or not weighs(case.run):
        return Anomaly(name, words="not looked for: the beaker was not weighed without flow")
    channel, stated = reading.channel_needed(case.run, "permeate_mass"), stated_evaporation(case.run)
    step = reading.number(case.run, "balance_readability", channel.resolution)
    try:
        slope = reading.slope_over(case.run, channel, spans[-1], step)
    except AnalysisError as error:
        return Anomaly(name, words=f"not looked for: {error}")
    off = Estimate(-slope.value - stated.value, _both(slope, stated), slope.dof)
    flow = min(row.flow.value for row in case.result.rows) * 998.0
    words = (
        f"without flow the beaker lost {-slope.value / g_per_min:.4f} g/min, and the rig file states "
        f"{stated.value / g_per_min:.4f} g/min"
    )
    return Anomaly(name, off.value, limit_of(off, HARMLESS_FLOW * flow), "kg/s", words)


def _own(one: Seen, row: Row) -> Estimate:
    """P of a plateau with the uncertainty of its own noise alone."""
    relative = math.hypot(one.plateau.flow.relative_u, one.plateau.pressure.u / row.dp.value)
    return Estimate(row.p.value, abs(row.p.value) * relative, min(one.plateau.flow.dof, one.plateau.pressure.dof))


def _both(one: Estimate, other: Estimate) -> float:
    return math.hypot(one.u, other.u)
