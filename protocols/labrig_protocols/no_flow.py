"""No-flow blank: what the beaker on the balance loses by itself, with its analysis."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Final

from pydantic import ConfigDict, Field

from labrig.analysis import reading
from labrig.analysis.uncertainty import Budget, Estimate, coverage_factor
from labrig.analysis.validity import Finding, indicative, invalid, judged
from labrig.errors import AnalysisError
from labrig.model import Analysis, RunData
from labrig.quantities import Duration
from labrig.rig import Rig
from labrig.units import g_per_min, hour, minute
from labrig_protocols import preparing
from labrig_protocols.water import vent

NAME: Final = "no-flow-blank"
VERSION: Final = "1"
SURE: Final = 99.0
DAYS: Final = 0.2
"""Relative standard uncertainty of evaporation from one day to another: air and humidity change."""


@dataclass(frozen=True, slots=True)
class NoFlowBlank:
    """Evaporation from the beaker on the balance, for the rig file."""

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid", use_attribute_docstrings=True)
    title: ClassVar[str] = "No-flow blank: evaporation"
    needs: ClassVar[tuple[str, ...]] = ("feed", "vent", "drain", "pressure", "permeate_mass")
    skipped: ClassVar[tuple[str, ...]] = ()

    settle: Annotated[Duration, Field(ge=0, le=1 * hour)] = 30.0
    """What is left out at the beginning."""
    lasts: Annotated[Duration, Field(ge=10, le=24 * hour)] = 10 * minute
    """How long the beaker is weighed."""

    def run(self, rig: Rig) -> None:
        rig.ask("Set the beaker up as for a run: some water in it, outlet and lid in place. Is it done?", "Done")
        with rig.step("Beaker without flow"):
            vent(rig)
            rig.wait(self.settle)
            preparing.weigh_without_flow(rig, self.lasts)

    def analyse(self, run: RunData) -> Analysis:
        return analyse(run)


def analyse(run: RunData) -> Analysis:
    """The mass that leaves the beaker; raises `AnalysisError` where it was not weighed without flow."""
    spans = run.spans("no flow")
    if not spans:
        raise AnalysisError("no stretch without flow was marked in this run; was it ended early?")
    mass = reading.channel_needed(run, "permeate_mass")
    step = reading.number(run, "balance_readability", mass.resolution)
    slope = reading.slope_over(run, mass, spans[-1], step)
    budget = Budget()
    lost = budget.input("slope of the mass", replace(slope, value=-slope.value), "kg/s")
    days = budget.input("from day to day", Estimate(1.0, DAYS))
    result = budget.measured(
        lost * days,
        name="evaporation",
        symbol="evaporation",
        unit="g/min",
        definition={"from": "the vessel on the balance, without flow", "over": f"{spans[-1].seconds:.0f} s"},
        spans=(spans[-1],),
    )
    validity, reasons = judged(_findings(slope))
    known, u = max(0.0, -slope.value), math.hypot(slope.u, DAYS * slope.value)
    values = {"evaporation": f'"{known / g_per_min:.4g} g/min"', "evaporation_u": f'"{u / g_per_min:.2g} g/min"'}
    rows = [{"table": "permeate", "key": key, "value": value} for key, value in values.items()]
    return Analysis(NAME, VERSION, (result,), validity, reasons, tables={"rig file": rows})


def _findings(slope: Estimate) -> Iterator[Finding]:
    certain = coverage_factor(slope.dof, SURE) * slope.u
    if slope.value > certain:
        yield invalid("the beaker gained mass: water still runs or drips into it")
    elif -slope.value < certain:
        yield indicative("evaporation cannot be told from none; weigh it for longer, or on a finer balance")
