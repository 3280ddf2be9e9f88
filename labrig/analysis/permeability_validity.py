"""What makes a permeability indicative or invalid: pure rules over its plateaus, each with its limit and its reason.

The limits are those of the laboratory's procedure: R² of the line with intercept at least 0.995; an intercept within
its 95 % interval or within 2 % of the greatest flux; plateaus at one pressure on the way up and down within 5 %; at
most half of the pressure lost in the lines; zeros as the calibration allows, known to 1 % of the lowest step; water
between 0 °C and 100 °C that keeps its temperature. Tests of one kind share an error rate of 1 % of good runs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Final

from labrig.analysis.permeability import Permeability, Plateau, Row
from labrig.analysis.uncertainty import Estimate, coverage_factor
from labrig.analysis.validity import Finding, indicative, invalid
from labrig.units import celsius, cm_per_min_per_psi, mL_per_min, psi, to_celsius

R2_LEAST: Final = 0.995
INTERCEPT_SHARE: Final = 0.02
BEND_SHARE: Final = 0.05
HYSTERESIS: Final = 0.05
FLOW_DRIFT: Final = 0.05
SAME_STEP: Final = 0.02
"""Two plateaus stand at one step if their targets differ by no more than this fraction."""
BLANK_INVALID: Final = 0.50
BLANK_FLAGGED: Final = 0.10
BLANK_REACH: Final = 1.1
"""Multiple of the blank run's highest flow up to which its curve is believed."""
BLANK_GUESSED: Final = 0.005
"""Share of the pressure that may come from a blank's curve beyond its highest flow."""
COARSE: Final = 3 * cm_per_min_per_psi
"""Permeability above which a blank run belongs to the measurement."""
ZERO_SHARE: Final = 0.01
ZERO_SIGMAS: Final = 3.0
"""Multiple of its standard uncertainty within which the zero of a sound transducer lies."""
ZERO_OF_SPAN: Final = 0.001
"""Of the span; what a transducer is allowed whose calibration states no more."""
COLDEST: Final = celsius(0)
HOTTEST: Final = celsius(100)
DRIFT_LIMIT: Final = 0.2 / 60
"""K/s within a plateau."""
RANGE_LIMIT: Final = 1.0
"""K between plateaus: ±0.5 K."""
SURE: Final = 99.0
"""Per cent of coverage beyond which a drift within a plateau is believed: there are many plateaus in a week."""
FAMILY_ERROR: Final = 1.0
"""Per cent of good runs that the tests of one kind over all plateaus may reject together."""
SHAPES: Final = 2
"""Tests of the line's shape: its intercept and its bend."""


def linearity(result: Permeability) -> Iterator[Finding]:
    """R², intercept and bend; with fewer than three different pressures only that nothing can be said."""
    line, bend = result.line, result.bend
    if line is None or bend is None or line.dof < 1:
        yield indicative(
            f"with {len(result.rows)} plateau{'s' * (len(result.rows) != 1)} nobody can see whether flow is "
            "proportional to pressure; three pressures at least show it"
        )
        return
    if not line.r2 >= R2_LEAST:
        yield invalid(f"R² of flux on pressure is {line.r2:.4f}; at least {R2_LEAST} is required")
    factor = coverage_factor(line.dof, 100 - FAMILY_ERROR / SHAPES)
    greatest = max(row.flux_ref.value for row in result.rows)
    share = abs(line.intercept) / greatest if greatest > 0 else math.inf
    significant = abs(line.intercept) > factor * line.intercept_se and share > INTERCEPT_SHARE
    if significant and line.residual_sd <= bend.residual_sd:
        yield invalid(
            f"the line of flux on pressure misses the origin by {share:.1%} of the greatest flux; "
            "a zero or the static head is wrong"
        )
        return
    pressures = [row.dp.value for row in result.rows]
    change = bend.slope * (max(pressures) - min(pressures)) / result.mean_p if result.mean_p > 0 else 0.0
    if abs(bend.slope) > factor * bend.slope_se and abs(change) > BEND_SHARE:
        why = "compaction, fouling or turbulence" if change < 0 else "pores that open only under pressure"
        yield indicative(f"the permeability changes by {change:+.1%} from the lowest to the highest pressure: {why}")


def blank(rows: Sequence[Row]) -> Iterator[Finding]:
    """The share of pressure that is lost in the lines."""
    worst = max(rows, key=lambda row: row.blank_share)
    if worst.blank_share > BLANK_INVALID:
        yield invalid(
            f"{worst.label}: the lines take {worst.blank_share:.0%} of the pressure, the membrane the rest; "
            f"at most {BLANK_INVALID:.0%} may be corrected. Use wider lines or a lower pressure"
        )


def blank_known(result: Permeability, *, measured: bool, highest: float | None) -> Iterator[Finding]:
    """Whether the loss of the lines was measured, and up to the flows of this run; ``highest`` in m³/s.

    The loss of a line grows two- to threefold where its flow turns turbulent, so that a blank run says little of flows
    that it did not reach.
    """
    if not measured:
        if result.at_reference.value > COARSE:
            yield indicative("no blank run is on record, and at this permeability the lines may take their share")
        return
    fastest = max(result.rows, key=lambda row: row.flow.value)
    if highest is None or fastest.flow.value <= BLANK_REACH * highest:
        return
    words = (
        f"{fastest.label}: the flow of {fastest.flow.value / mL_per_min:.0f} mL/min is beyond the blank run, "
        f"which ended at {highest / mL_per_min:.0f} mL/min"
    )
    yield invalid(words) if fastest.blank_share > BLANK_GUESSED else indicative(words)


def hysteresis(plateaus: Sequence[Plateau], rows: Sequence[Row], targets: Sequence[float]) -> Iterator[Finding]:
    """Plateaus that were held at the same step more than once, judged together (Bonferroni)."""
    held = list(zip(plateaus, rows, targets, strict=True))
    pairs = [each for each in combinations(held, 2) if math.isclose(each[0][2], each[1][2], rel_tol=SAME_STEP)]
    sure = 100 - FAMILY_ERROR / max(1, len(pairs))
    for (first, row, _), (second, again, _) in pairs:
        change = again.p.value / row.p.value - 1 if row.p.value > 0 else 0.0
        noise = math.hypot(*(_own_noise(plateau, its_row) for plateau, its_row in ((first, row), (second, again))))
        factor = coverage_factor(min(first.flow.dof, second.flow.dof), sure)
        if abs(change) > HYSTERESIS and abs(change) > factor * noise:
            why = "incomplete wetting at first" if change > 0 else "compaction, fouling or air"
            yield invalid(f"{again.label} differs from {row.label} by {change:+.1%} at the same pressure: {why}")


def zero(name: str, readings: Sequence[Estimate], lowest: float, allowed: float) -> Iterator[Finding]:
    """One transducer's zeros (Pa, in order of time; none if not measured).

    The zero itself is subtracted, so that it may be as large as the transducer is ``allowed`` (Pa); what remains of it,
    its uncertainty, is held against the lowest step (Pa). Whether it moved is `labrig.analysis.anomalies`' to say.
    """
    if not readings:
        yield indicative(f"the zero of {name} was not measured; its calibration's was used")
        return
    worst = max(abs(reading.value) for reading in readings)
    if worst > allowed:
        yield invalid(
            f"{name} read {worst / psi:.3g} psi with both sides vented; its calibration allows {allowed / psi:.3g} "
            "psi. It is damaged, out of adjustment, or was not vented"
        )
    doubt = max(2 * reading.u for reading in readings)
    if doubt > ZERO_SHARE * lowest:
        yield invalid(
            f"the zero of {name} is known to {doubt / lowest:.1%} of the lowest step; {ZERO_SHARE:.0%} is required"
        )


def temperature(rows: Sequence[Row]) -> Iterator[Finding]:
    """Liquid water, at one temperature."""
    for row in rows:
        if not COLDEST <= row.temperature <= HOTTEST:
            yield invalid(f"{row.label}: water at {to_celsius(row.temperature):.1f} °C; 0 °C to 100 °C is possible")
    span = max(row.temperature for row in rows) - min(row.temperature for row in rows)
    if span > RANGE_LIMIT:
        yield invalid(
            f"the water's temperature ranged over {span:.1f} K between plateaus; {RANGE_LIMIT:g} K is allowed"
        )


def temperature_drift(label: str, drift: Estimate) -> Iterator[Finding]:
    """``drift`` in K/s over one plateau; judged only beyond its own uncertainty."""
    certain = abs(drift.value) - coverage_factor(drift.dof, SURE) * drift.u
    if certain > DRIFT_LIMIT:
        yield invalid(
            f"{label}: the water's temperature moved by {abs(drift.value) * 60:.2f} K/min; "
            f"{DRIFT_LIMIT * 60:.1f} K/min is allowed"
        )


def flow_drift(label: str, first: Estimate, second: Estimate) -> Iterator[Finding]:
    """Mass flow over the first and the second half of one plateau, kg/s; judged only beyond its uncertainty."""
    change = second.value - first.value
    share = change / first.value if first.value > 0 else 0.0
    noise = coverage_factor(min(first.dof, second.dof), SURE) * math.hypot(first.u, second.u)
    if abs(share) > FLOW_DRIFT and abs(change) > noise:
        yield indicative(f"{label}: the flow changed by {share:+.1%} from its first half to its second")


def detection(result: Permeability) -> Iterator[Finding]:
    """A permeability that cannot be told from none."""
    if not result.at_reference.value > result.at_reference.U:
        yield indicative("flow through the membrane cannot be told from none: p is not above its expanded uncertainty")


def mass_balance(rows: Sequence[Row], metered: Sequence[Estimate | None]) -> tuple[list[float], list[Finding]]:
    """E_n of each plateau (NaN without a meter), and what is beyond 1.

    E_n is the difference of the two flows over its expanded uncertainty, whose coverage is chosen so that all plateaus
    together go beyond 1 in 1 % of good runs (Bonferroni): at 95 % each, seven plateaus would reject every third.
    """
    compared = sum(meter is not None for meter in metered)
    factor = coverage_factor(math.inf, 100 - FAMILY_ERROR / max(1, compared))
    ratios = [
        math.nan if meter is None else _ratio(meter.value - row.flow.value, factor * math.hypot(meter.u, row.flow.u))
        for row, meter in zip(rows, metered, strict=True)
    ]
    return ratios, [
        invalid(f"{row.label}: flow meter and balance disagree, E_n = {ratio:+.1f}; ±1 is allowed")
        for row, ratio in zip(rows, ratios, strict=True)
        if abs(ratio) > 1
    ]


def _ratio(difference: float, expanded: float) -> float:
    return difference / expanded if expanded > 0 else math.nan


def _own_noise(plateau: Plateau, row: Row) -> float:
    return math.hypot(plateau.flow.relative_u, plateau.pressure.u / row.dp.value)
