"""From a run without a membrane to the loss of the lines, as a rig file takes it.

loss = a·Q + b·Q², fitted to the plateaus by weighted least squares: a for laminar flow through the tubes, b for
fittings and turbulence. The loss is what the transducer at the tap reads, less its zero and the static head.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from labrig.analysis import reading, water
from labrig.analysis.uncertainty import Budget, Estimate
from labrig.analysis.validity import Finding, indicative, invalid, judged
from labrig.errors import AnalysisError
from labrig.model import Analysis, Measured, RunData, Span
from labrig.units import celsius, mL_per_min, percent, psi, to_celsius
from labrig_protocols.permeability_setup import Gauge, gauges_of

NAME: Final = "blank-run"
VERSION: Final = "1"
LEAST_U: Final = 1 * percent
"""Of the loss: a line is not the same twice to better than that."""
UNSURE: Final = 30 * percent
"""Relative uncertainty of the largest loss beyond which it is worth a word."""


@dataclass(frozen=True, slots=True)
class Loss:
    """One flow: what the lines took, and the lines' loss as an estimate of its own noise and zero."""

    span: Span
    flow: Estimate
    loss: Estimate
    kelvin: float
    gauge: Gauge


def analyse(run: RunData) -> Analysis:
    """The loss at the highest flow, and what belongs into the rig file; raises `AnalysisError` below two flows."""
    gauges = gauges_of(run)
    seen = [_seen(run, span, gauges) for span in run.spans("blank")]
    if len(seen) < 2:
        raise AnalysisError("a blank run needs two flows at least; was it ended early?")
    q, loss = np.array([one.flow.value for one in seen]), np.array([one.loss.value for one in seen])
    columns = np.column_stack((q, q**2)) / np.array([one.loss.u for one in seen])[:, None]
    (a, b), *_ = np.linalg.lstsq(columns, loss / np.array([one.loss.u for one in seen]), rcond=None)
    misfit = float(np.sqrt(np.mean(((a * q + b * q**2 - loss) / loss.max()) ** 2)))
    highest = max(seen, key=lambda one: one.flow.value)
    relative = math.hypot(highest.loss.u / highest.loss.value, misfit, LEAST_U) if highest.loss.value > 0 else math.inf
    kelvin = float(np.mean([one.kelvin for one in seen]))
    validity, reasons = judged(_findings(seen, relative))
    return Analysis(
        name=NAME,
        version=VERSION,
        results=(_measured(highest, misfit, kelvin),),
        validity=validity,
        reasons=reasons,
        diagnostics={"a": float(a), "b": float(b), "misfit over the largest loss": misfit, "relative u": relative},
        tables={"blank": [_row(one) for one in seen], "rig file": _rig_file(seen, relative, kelvin)},
    )


def _seen(run: RunData, span: Span, gauges: Sequence[Gauge]) -> Loss:
    mass, thermometer = reading.channel_needed(run, "permeate_mass"), reading.channel_needed(run, "water_temperature")
    kelvin = reading.mean_over(run, thermometer, span).value
    slope = reading.slope_over(run, mass, span, reading.number(run, "balance_readability", mass.resolution))
    evaporation = reading.number(run, "evaporation")
    flow = Estimate((slope.value + evaporation) / water.density(kelvin), slope.u / water.density(kelvin), slope.dof)
    within = [gauge for gauge in gauges if reading.in_range(run, gauge.channel, span)] or list(gauges)
    head = Estimate(reading.number(run, "head"), reading.number(run, "head_u"))
    losses: list[tuple[Estimate, Gauge]] = []
    for gauge in within:
        read = reading.mean_over(run, gauge.channel, span)
        value = read.value - gauge.transducer.zero.value - head.value
        losses.append((Estimate(value, math.hypot(gauge.u(read), head.u), read.dof), gauge))
    loss, gauge = min(losses, key=lambda each: each[0].u)
    return Loss(span, flow, loss, kelvin, gauge)


def _findings(seen: Sequence[Loss], relative: float) -> list[Finding]:
    found: list[Finding] = []
    for number, one in enumerate(seen, start=1):
        if one.span.attributes.get("steady", 1.0) == 0:
            found.append(invalid(f"flow {number} was not steady: {one.span.attributes.get('unsteady', '')}"))
        if not one.gauge.zeros:
            found.append(invalid(f"the zero of {one.gauge.channel.name} was not measured"))
    if not max(one.loss.value for one in seen) > 0:
        found.append(invalid("the lines take less than nothing: the zero or the static head is wrong"))
    elif relative > UNSURE:
        found.append(
            indicative(f"the largest loss is known to {relative:.0%} only; use a transducer of a smaller range")
        )
    flows = [one.flow.value for one in seen]
    if min(flows) > 0.7 * max(flows):
        found.append(indicative("the flows are too much alike to tell how the loss grows with flow"))
    return found


def _measured(highest: Loss, misfit: float, kelvin: float) -> Measured:
    budget = Budget()
    loss = budget.input("pressure, zero and head", highest.loss, "Pa")
    curve = budget.input("misfit of a·Q + b·Q²", Estimate(1.0, misfit))
    again = budget.input("repeatability of the lines", Estimate(1.0, LEAST_U))
    return budget.measured(
        loss * curve * again,
        name="loss of the lines",
        symbol="ΔP_lines",
        unit="psi",
        definition={
            "flow": f"{highest.flow.value / mL_per_min:.1f} mL/min",
            "temperature": f"{to_celsius(kelvin):.1f} °C",
            "from": "pressure tap to permeate outlet, without a membrane, static head subtracted",
        },
        spans=(highest.span,),
    )


def _row(one: Loss) -> Mapping[str, float | str]:
    return {
        "flow": one.flow.value,
        "u(flow)": one.flow.u,
        "loss": one.loss.value,
        "u(loss)": one.loss.u,
        "temperature": one.kelvin,
        "pressure channel": one.gauge.channel.name,
    }


def _rig_file(seen: Sequence[Loss], relative: float, kelvin: float) -> list[Mapping[str, float | str]]:
    """What ``labrig adopt`` writes; flows without a loss that can be told are left out."""
    told = sorted((one for one in seen if one.loss.value > 0), key=lambda one: one.flow.value)
    flows = ", ".join(f'"{one.flow.value / mL_per_min:.5g} mL/min"' for one in told)
    losses = ", ".join(f'"{one.loss.value / psi:.4g} psi"' for one in told)
    values = {
        "blank_flow": f"[{flows}]",
        "blank_loss": f"[{losses}]",
        "blank_relative_u": f'"{min(relative, 1.0) / percent:.2g} %"',
        "blank_temperature": f'"{to_celsius(max(kelvin, celsius(0))):.2f} °C"',
    }
    return [{"table": "hydraulics", "key": key, "value": value} for key, value in values.items()]
