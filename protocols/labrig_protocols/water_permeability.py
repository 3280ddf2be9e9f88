"""Water permeability: zero, wetting, purge, compaction, pressures up and down, static head, and zero again.

Which of these a method does is a matter of its parameters; what it leaves out, its result names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from labrig.analysis.steady import Collected, Drift, Near, SlopeError
from labrig.model import Analysis, Condition, RunData, Span
from labrig.quantities import Duration, Mass, PoreSize, Pressure, Ratio, Volume
from labrig.rig import Criterion, Rig
from labrig.units import L, g, hour, minute, mm, percent, psi
from labrig_protocols import permeability_analysis, preparing
from labrig_protocols.preparing import Wetting
from labrig_protocols.water import feed_open


@dataclass(frozen=True, slots=True)
class WaterPermeability:
    """Permeance of a membrane to water, from the slope of flux against pressure."""

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid", use_attribute_docstrings=True)
    title: ClassVar[str] = "Water permeability"
    leaves: ClassVar[Condition] = Condition.WETTED

    pressures: Annotated[
        tuple[Annotated[Pressure, Field(ge=0.1 * psi, le=150 * psi)], ...], Field(min_length=2, max_length=20)
    ] = (10 * psi, 20 * psi, 30 * psi)
    """Set points, in the order in which they are run."""
    zero: Annotated[Duration, Field(ge=0.5, le=600)] = 5.0
    """How long both sides are vented for the zero of the transducers."""
    settle: Annotated[Duration, Field(ge=0, le=600)] = 2.0
    """What is left out after a new set point."""
    window: Annotated[Duration, Field(ge=0.5, le=1 * hour)] = 8.0
    """Shortest plateau."""
    patience: Annotated[Duration, Field(ge=1, le=12 * hour)] = 120.0
    """How long to wait for a plateau; longer than the shortest one."""
    drift: Annotated[Ratio, Field(ge=0.01 * percent, le=100 * percent)] = 1 * percent
    """Largest change of the measured pressure over a plateau."""
    slope_error: Annotated[Ratio, Field(ge=0.001 * percent, le=100 * percent)] = 0.5 * percent
    """Largest standard error of the mass slope, relative."""
    collected: Annotated[Mass, Field(ge=0.001 * g, le=10_000 * g)] = 1 * g
    """Least mass collected on a plateau: a hundred times the balance's readability."""

    descending: Annotated[tuple[Annotated[Pressure, Field(ge=0.1 * psi, le=150 * psi)], ...], Field(max_length=20)] = ()
    """Set points on the way down, which show hysteresis; best some of those on the way up."""
    flow: Literal["balance", "flow meter"] = "balance"
    """What measures the flow; the other one, where the rig has it, is compared with it."""
    largest_zero: Annotated[Pressure, Field(ge=0, le=5 * psi)] = 0.0
    """Zero of the feed pressure beyond which the operator is asked; 0 asks never."""
    no_flow: Annotated[Duration, Field(ge=0, le=1 * hour)] = 0.0
    """How long the beaker is weighed without flow before the run, for what evaporates; 0 leaves it out."""
    wetting: Wetting = "none"
    """How the operator is asked to wet the membrane."""
    soak: Annotated[Duration, Field(ge=0, le=24 * hour)] = 5 * minute
    """How long it soaks then."""
    flush: Annotated[Volume, Field(ge=0, le=10 * L)] = 0.0
    """Water through the membrane afterwards, verified by the balance."""
    purge: Annotated[Duration, Field(ge=0, le=600)] = 0.0
    """How long the feed side is purged of air into the drain; 0 leaves it out."""
    purge_pressure: Annotated[Pressure, Field(ge=0.1 * psi, le=50 * psi)] = 3 * psi
    """At which pressure."""
    compaction: Annotated[Ratio, Field(ge=0, le=200 * percent)] = 0.0
    """Hold before the measurement, as a share of the highest pressure: 110 % to 120 %; 0 leaves it out."""
    compaction_change: Annotated[Ratio, Field(ge=0.1 * percent, le=10 * percent)] = 1 * percent
    """The hold ends when the flow changes by no more than this …"""
    compaction_window: Annotated[Duration, Field(ge=10, le=1 * hour)] = 2 * minute
    """… in so long: 2 min for microfilters, 10 min for ultrafilters."""
    compaction_patience: Annotated[Duration, Field(ge=10, le=12 * hour)] = 30 * minute
    """How long to hold at most."""
    closing_checks: bool = False
    """Static head with the cell at rest, and the zero once more, at the end."""
    reference: Literal["of the rig", "20 °C", "25 °C"] = "of the rig"
    """Temperature that the result is corrected to."""
    mean_pore: Annotated[PoreSize, Field(ge=0, le=1 * mm)] = 0.0
    """Mean pore diameter where it is known, for K = p/r as information; 0 where it is not."""

    @property
    def needs(self) -> tuple[str, ...]:
        measures = "permeate_mass" if self.flow == "balance" else "permeate_flow"
        return ("feed", "vent", "drain", "pressure", "feed_pressure", measures, "water_temperature")

    @property
    def skipped(self) -> tuple[str, ...]:
        done = {
            "wetting": self.wetting != "none",
            "air purge": self.purge > 0,
            "compaction": self.compaction > 0,
            "descending pressures": bool(self.descending),
        }
        return tuple(step for step, is_done in done.items() if not is_done)

    def run(self, rig: Rig) -> None:
        with rig.step("Zero check"):
            preparing.take_zero(rig, self.settle, self.zero, self.largest_zero)
        if self.no_flow:
            with rig.step("Beaker without flow"):
                preparing.weigh_without_flow(rig, self.no_flow)
        if self.wetting != "none":
            with rig.step("Wetting"):
                preparing.wet(rig, self.wetting, self.soak)
        with feed_open(rig):
            self._prepare(rig)
            for target in (*self.pressures, *self.descending):
                with rig.step(f"{target / psi:g} psi"):
                    self._measure(rig, "plateau", target)
            if self.closing_checks:
                with rig.step("Static head"):
                    preparing.come_to_rest(rig)
        if self.closing_checks:
            with rig.step("Zero again"):
                preparing.take_zero(rig, self.settle, self.zero, 0.0)
        rig.note("Rig vented.")

    def analyse(self, run: RunData) -> Analysis:
        return permeability_analysis.analyse(run)

    def _prepare(self, rig: Rig) -> None:
        lowest, highest = min(self.pressures), max(*self.pressures, *self.descending)
        if self.flush and self.flow == "balance":
            with rig.step("Flush"):
                preparing.flush(rig, lowest, self.flush, self.compaction_patience)
        if self.purge:
            with rig.step("Purge"):
                preparing.purge(rig, self.purge_pressure, self.purge)
        if self.compaction:
            with rig.step("Wetting check"):
                self._measure(rig, "wetting check", lowest)
            with rig.step("Compaction"):
                end = (self.compaction_change, self.compaction_window, self.compaction_patience)
                preparing.compact(rig, self.compaction * highest, self.settle, *end, self.flow)

    def _measure(self, rig: Rig, kind: str, target: float) -> None:
        rig.set("pressure", target)
        rig.wait(self.settle)
        rig.mark(kind, self._plateau(rig, target), target=target)

    def _plateau(self, rig: Rig, target: float) -> Span:
        pressure: tuple[Criterion, ...] = (
            Near("feed_pressure", target, 10 * percent),
            Drift("feed_pressure", self.drift),
        )
        flow: tuple[Criterion, ...] = (Drift("permeate_flow", self.drift),)
        if self.flow == "balance":
            flow = (SlopeError("permeate_mass", self.slope_error), Collected("permeate_mass", self.collected))
        return rig.wait_steady(*pressure, *flow, window=self.window, patience=self.patience)
