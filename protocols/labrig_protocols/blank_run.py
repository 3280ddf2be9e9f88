"""Blank run: what the lines take between the pressure tap and the outlet, without a membrane in the cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from labrig.analysis.steady import Collected, SlopeError
from labrig.errors import RigError
from labrig.model import Analysis, RunData
from labrig.quantities import Duration, Mass, Pressure, Ratio
from labrig.rig import Rig
from labrig.units import g, hour, percent, psi
from labrig_protocols import blank_analysis, preparing
from labrig_protocols.water import feed_open

READY = (
    "Take the membrane out, close the cell without it, and throttle the feed by hand, so that the flow at "
    "{highest:g} psi is about the largest that you measure. Is it done?"
)


@dataclass(frozen=True, slots=True)
class BlankRun:
    """Pressure loss of the lines against flow, for the rig file."""

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid", use_attribute_docstrings=True)
    title: ClassVar[str] = "Blank run: loss of the lines"
    needs: ClassVar[tuple[str, ...]] = (
        *("feed", "vent", "drain", "pressure"),
        *("feed_pressure", "permeate_mass", "water_temperature"),
    )
    skipped: ClassVar[tuple[str, ...]] = ()

    pressures: Annotated[
        tuple[Annotated[Pressure, Field(ge=0.1 * psi, le=150 * psi)], ...], Field(min_length=2, max_length=20)
    ] = (2 * psi, 5 * psi, 10 * psi, 20 * psi, 30 * psi)
    """Set points of the throttled feed, one for each flow."""
    zero: Annotated[Duration, Field(ge=0.5, le=600)] = 10.0
    """How long both sides are vented for the zero of the transducers, before and after."""
    settle: Annotated[Duration, Field(ge=0, le=600)] = 3.0
    """What is left out after a new set point."""
    window: Annotated[Duration, Field(ge=0.5, le=1 * hour)] = 15.0
    """Shortest stretch at one flow."""
    patience: Annotated[Duration, Field(ge=1, le=12 * hour)] = 120.0
    """How long to wait for a steady flow."""
    slope_error: Annotated[Ratio, Field(ge=0.001 * percent, le=100 * percent)] = 0.5 * percent
    """Largest standard error of the mass slope, relative."""
    collected: Annotated[Mass, Field(ge=0.001 * g, le=10_000 * g)] = 1 * g
    """Least mass collected at one flow: a hundred times the balance's readability."""

    def run(self, rig: Rig) -> None:
        if rig.ask(READY.format(highest=max(self.pressures) / psi), "Done", "Stop") == "Stop":
            raise RigError("the operator stopped before the blank run; the rig was not moved")
        with rig.step("Zero check"):
            preparing.take_zero(rig, self.settle, self.zero, 0.0)
        with feed_open(rig):
            for target in self.pressures:
                with rig.step(f"Feed at {target / psi:g} psi"):
                    rig.set("pressure", target)
                    rig.wait(self.settle)
                    steady = SlopeError("permeate_mass", self.slope_error), Collected("permeate_mass", self.collected)
                    rig.mark("blank", rig.wait_steady(*steady, window=self.window, patience=self.patience))
        with rig.step("Zero again"):
            preparing.take_zero(rig, self.settle, self.zero, 0.0)

    def analyse(self, run: RunData) -> Analysis:
        return blank_analysis.analyse(run)
