"""From a run with vented zeros and pressure plateaus to the permeability of the membrane, its budget and its validity.

The run marks spans of kind ``zero`` (both sides vented) and ``plateau`` (attribute ``target`` in Pa; ``steady`` 0 where
the wait gave up, with the reason in ``unsteady``), and what `permeability_anomalies` reads besides. Its header names
the channels by role and holds the facts of the rig under the keys of `permeability_setup.SETUP`.

Version 2: the mean over the plateaus in place of the slope that weighs high pressures more (ADR 14); the loss of the
lines follows the viscosity; anomalies by name; flow by a meter where nothing is weighed; K where a pore size is known.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from labrig.analysis import permeability_validity as rules
from labrig.analysis.anomalies import Anomaly
from labrig.analysis.permeability import Permeability, Row, permeability
from labrig.analysis.uncertainty import Estimate
from labrig.analysis.validity import Finding, indicative, judged
from labrig.errors import AnalysisError
from labrig.model import Analysis, Measured, RunData, Span
from labrig.units import parse
from labrig_protocols.permeability_anomalies import Case, anomalies, findings
from labrig_protocols.permeability_data import Seen, metered, see
from labrig_protocols.permeability_setup import Gauge, blank_of, conditions_of, gauges_of, weighs

NAME: Final = "water-permeability"
VERSION: Final = "2"


def analyse(run: RunData) -> Analysis:
    """The permeability of the membrane at the reference temperature, first of its results.

    Raises `AnalysisError` where no plateau can be used, or a channel that is needed is missing.
    """
    spans = run.spans("plateau")
    if not spans:
        raise AnalysisError("no plateau was marked in this run, so there is nothing to analyse; was it ended early?")
    gauges = gauges_of(run)
    conditions = conditions_of(run, gauges)
    seen, reasons_found = see(run, spans, gauges, conditions)
    result = permeability([one.plateau for one in seen], conditions, _definition(run, seen))
    flows = metered(run, seen)
    balances, disagreements = rules.mass_balance(result.rows, flows)
    suspects = anomalies(Case(run, seen, result, conditions, gauges))
    reasons_found += [*_judge(run, seen, result), *disagreements, *findings(suspects)]
    validity, reasons = judged(reasons_found)
    return Analysis(
        name=NAME,
        version=VERSION,
        results=_results(run, result, tuple(one.span for one in seen)),
        validity=validity,
        reasons=reasons,
        diagnostics=_diagnostics(result, gauges) | _named(suspects),
        tables={"plateaus": _table(run, seen, result, flows, balances), "anomalies": [_line(one) for one in suspects]},
    )


def _judge(run: RunData, seen: Sequence[Seen], result: Permeability) -> list[Finding]:
    found = [finding for one in seen for finding in one.findings]
    found += rules.linearity(result)
    found += rules.blank(result.rows)
    measured, highest = blank_of(run)
    found += rules.blank_known(result, measured=measured, highest=highest)
    found += rules.hysteresis([one.plateau for one in seen], result.rows, [one.target for one in seen])
    found += rules.temperature(result.rows)
    found += rules.detection(result)
    for gauge in {one.gauge.channel.name: one.gauge for one in seen}.values():
        lowest = min(row.dp.value for row, one in zip(result.rows, seen, strict=True) if one.gauge is gauge)
        channel = gauge.channel
        allowed = max(
            rules.ZERO_SIGMAS * channel.calibration.offset_u, rules.ZERO_OF_SPAN * (channel.high - channel.low)
        )
        found += rules.zero(channel.name, gauge.zeros, lowest, allowed)
    method = run.header.method or "the method"
    found += [indicative(f"{step} not verified: step skipped by {method}") for step in _skipped(run)]
    found += [indicative(words) for words in _unconfirmed(run)]
    return found


def _unconfirmed(run: RunData) -> list[str]:
    """Steps that a person did not confirm, or a sensor not verify."""
    spans = [span for kind in ("wetting", "purge", "compaction") for span in run.spans(kind)]
    return [f"{span.kind}: {span.attributes['doubt']}" for span in spans if span.attributes.get("doubt")]


def _skipped(run: RunData) -> list[str]:
    skipped = run.header.parameters.get("skipped", [])
    return [str(step) for step in skipped] if isinstance(skipped, list | tuple) else [str(skipped)]


def _definition(run: RunData, seen: Sequence[Seen]) -> dict[str, str]:
    transducers = dict.fromkeys(one.gauge.channel.label or one.gauge.channel.name for one in seen)
    flow = "slope of the weighed permeate" if weighs(run) else "flow meter"
    return {"pressure": ", ".join(transducers), "flow": flow}


def _results(run: RunData, result: Permeability, spans: tuple[Span, ...]) -> tuple[Measured, ...]:
    measured = (
        result.at_reference,
        result.permeance,
        result.resistance,
        result.at_temperature,
        _per_radius(run, result),
    )
    return tuple(replace(one, spans=spans) for one in measured if one is not None)


def _per_radius(run: RunData, result: Permeability) -> Measured | None:
    """K in p = K·r, for information: r is half the mean pore diameter, which is taken as stated."""
    text = run.header.parameters.get("mean_pore")
    pore = parse(str(text), "length") if text else 0.0
    if not pore > 0:
        return None
    p, radius = result.at_reference, pore / 2
    return replace(
        p,
        name="permeability per pore radius, for information",
        symbol="K",
        value=p.value / radius,
        u=p.u / radius,
        unit="cm/min/psi/m",
        definition={**p.definition, "radius": f"half the mean pore diameter of {text}, taken as exact"},
        budget=tuple(replace(line, contribution=line.contribution / radius) for line in p.budget),
    )


def _named(suspects: Sequence[Anomaly]) -> dict[str, float | str]:
    named = [one.name for one in suspects if one.found]
    return {"anomalies": ", ".join(named)} if named else {}


def _line(one: Anomaly) -> dict[str, float | str]:
    return {
        "anomaly": one.name,
        "found": "yes" if one.found else "no" if one.looked_for else "not looked for",
        "size": one.size,
        "detection limit": one.limit,
        "unit": one.unit,
        "seen": one.words,
        "to do": one.remedy,
    }


def _diagnostics(result: Permeability, gauges: Sequence[Gauge]) -> dict[str, float | str]:
    """SI; figures that too few plateaus do not have are left out."""
    found: dict[str, float | str] = {
        "mean of p": result.mean_p,
        "slope through the origin, high pressures counting more": result.fit.slope,
        "standard error of the slope through the origin": result.fit.slope_se,
        "observed over explained scatter": result.birge,
    }
    if result.line is not None:
        found |= {
            "slope with intercept": result.line.slope,
            "standard error of the slope with intercept": result.line.slope_se,
            "intercept": result.line.intercept,
            "standard error of the intercept": result.line.intercept_se,
            "R²": result.line.r2,
        }
    found |= {f"zero of {gauge.channel.name}": gauge.transducer.zero.value for gauge in gauges if gauge.zeros}
    finite = {key: value for key, value in found.items() if isinstance(value, str) or math.isfinite(value)}
    flagged = [row.label for row in result.rows if _flag(row)]
    return finite | ({"corrected for the lines": ", ".join(flagged)} if flagged else {})


def _table(
    run: RunData,
    seen: Sequence[Seen],
    result: Permeability,
    flows: Sequence[Estimate | None],
    balances: Sequence[float],
) -> list[Mapping[str, float | str]]:
    """One row per plateau, SI; NaN where there is no value."""
    return [
        {
            "plateau": row.label,
            "start": (one.span.start - run.header.started_ns) / 1e9,
            "seconds": one.span.seconds,
            "target": one.target,
            "pressure channel": one.gauge.channel.name,
            "pressure read": one.plateau.pressure.value,
            "dP": row.dp.value,
            "u(dP)": row.dp.u,
            "flow by mass": row.flow.value,
            "u(flow by mass)": row.flow.u,
            "flow by meter": flow.value if flow else math.nan,
            "E_n": balance,
            "J": row.flux.value,
            "J ref": row.flux_ref.value,
            "u(J ref)": row.flux_ref.u,
            "temperature": row.temperature,
            "p ref": row.p.value,
            "u(p ref)": row.p.u,
            "blank share": row.blank_share,
            "flag": _flag(row),
        }
        for one, row, flow, balance in zip(seen, result.rows, flows, balances, strict=True)
    ]


def _flag(row: Row) -> str:
    return "corrected for the lines" if row.blank_share > rules.BLANK_FLAGGED else ""
