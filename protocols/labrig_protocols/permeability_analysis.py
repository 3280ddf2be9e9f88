"""From a run with vented zeros and pressure plateaus to the permeability of the membrane, its budget and its validity.

The run marks spans of kind ``zero`` (both sides vented) and ``plateau`` (attribute ``target`` in Pa; ``steady`` 0 where
the wait gave up, with the reason in ``unsteady``). Its header names the channels by role and holds the facts of the
rig under the keys of `permeability_data.SETUP`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from labrig.analysis import permeability_validity as rules
from labrig.analysis.permeability import Permeability, Row, permeability
from labrig.analysis.uncertainty import Estimate
from labrig.analysis.validity import Finding, indicative, judged
from labrig.errors import AnalysisError
from labrig.model import Analysis, Measured, RunData, Span
from labrig_protocols.permeability_data import Gauge, Seen, blank_of, conditions_of, gauges_of, metered, see

NAME: Final = "water-permeability"
VERSION: Final = "1"


def analyse(run: RunData) -> Analysis:
    """The permeability of the membrane at the reference temperature, first of its results.

    Raises `AnalysisError` where no plateau can be used, or a channel that is needed is missing.
    """
    spans = run.spans("plateau")
    if not spans:
        raise AnalysisError("no plateau was marked in this run, so there is nothing to analyse; was it ended early?")
    gauges = gauges_of(run)
    conditions = conditions_of(run, gauges)
    seen, findings = see(run, spans, gauges, conditions)
    result = permeability([one.plateau for one in seen], conditions, _definition(seen))
    flows = metered(run, seen)
    balances, disagreements = rules.mass_balance(result.rows, flows)
    findings += _judge(run, seen, result) + disagreements
    validity, reasons = judged(findings)
    return Analysis(
        name=NAME,
        version=VERSION,
        results=_results(result, tuple(one.span for one in seen)),
        validity=validity,
        reasons=reasons,
        diagnostics=_diagnostics(result, gauges),
        tables={"plateaus": _table(run, seen, result, flows, balances)},
    )


def _judge(run: RunData, seen: Sequence[Seen], result: Permeability) -> list[Finding]:
    findings = [finding for one in seen for finding in one.findings]
    findings += rules.linearity(result)
    findings += rules.blank(result.rows)
    measured, highest = blank_of(run)
    findings += rules.blank_known(result, measured=measured, highest=highest)
    findings += rules.hysteresis([one.plateau for one in seen], result.rows, [one.target for one in seen])
    findings += rules.temperature(result.rows)
    findings += rules.detection(result)
    for gauge in {one.gauge.channel.name: one.gauge for one in seen}.values():
        lowest = min(row.dp.value for row, one in zip(result.rows, seen, strict=True) if one.gauge is gauge)
        channel = gauge.channel
        allowed = max(
            rules.ZERO_SIGMAS * channel.calibration.offset_u, rules.ZERO_OF_SPAN * (channel.high - channel.low)
        )
        findings += rules.zero(channel.name, gauge.zeros, lowest, allowed)
    method = run.header.method or "the method"
    findings += [indicative(f"{step} not verified: step skipped by {method}") for step in _skipped(run)]
    return findings


def _skipped(run: RunData) -> list[str]:
    skipped = run.header.parameters.get("skipped", [])
    return [str(step) for step in skipped] if isinstance(skipped, list | tuple) else [str(skipped)]


def _definition(seen: Sequence[Seen]) -> dict[str, str]:
    transducers = dict.fromkeys(one.gauge.channel.label or one.gauge.channel.name for one in seen)
    return {"pressure": ", ".join(transducers), "flow": "slope of the weighed permeate"}


def _results(result: Permeability, spans: tuple[Span, ...]) -> tuple[Measured, ...]:
    measured = (result.at_reference, result.permeance, result.resistance, result.at_temperature)
    return tuple(replace(one, spans=spans) for one in measured if one is not None)


def _diagnostics(result: Permeability, gauges: Sequence[Gauge]) -> dict[str, float | str]:
    """SI; figures that too few plateaus do not have are left out."""
    found: dict[str, float | str] = {
        "mean of p": result.mean_p,
        "slope through the origin": result.fit.slope,
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
