"""Water permeability, quick method: zero, then the slope of flux against pressure over a few pressures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from labrig.analysis.steady import Collected, Drift, Near, SlopeError
from labrig.model import Analysis, Condition, RunData, Span
from labrig.quantities import Duration, Mass, Pressure, Ratio
from labrig.rig import Rig
from labrig.units import g, hour, percent, psi
from labrig_protocols import permeability_analysis
from labrig_protocols.water import feed_open, vent


@dataclass(frozen=True, slots=True)
class WaterPermeability:
    """Permeance of a membrane to water, from the slope of flux against pressure."""

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid", use_attribute_docstrings=True)
    title: ClassVar[str] = "Water permeability"
    leaves: ClassVar[Condition] = Condition.WETTED
    needs: ClassVar[tuple[str, ...]] = (
        *("feed", "vent", "drain", "pressure"),
        *("feed_pressure", "permeate_mass", "water_temperature"),
    )

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

    @property
    def skipped(self) -> tuple[str, ...]:
        return ("wetting", "air purge", "compaction", "descending pressures")

    def run(self, rig: Rig) -> None:
        with rig.step("Zero check"):
            vent(rig)
            rig.wait(self.settle)
            rig.mark("zero", rig.wait(self.zero))
        with feed_open(rig):
            for target in self.pressures:
                with rig.step(f"{target / psi:g} psi"):
                    rig.set("pressure", target)
                    rig.wait(self.settle)
                    rig.mark("plateau", self._plateau(rig, target), target=target)
        rig.note("Rig vented.")

    def analyse(self, run: RunData) -> Analysis:
        return permeability_analysis.analyse(run)

    def _plateau(self, rig: Rig, target: float) -> Span:
        return rig.wait_steady(
            Near("feed_pressure", target, 10 * percent),
            Drift("feed_pressure", self.drift),
            SlopeError("permeate_mass", self.slope_error),
            Collected("permeate_mass", self.collected),
            window=self.window,
            patience=self.patience,
        )
