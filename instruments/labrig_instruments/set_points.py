"""A set-point that a digital controller is told in its own quantity: nothing to scale."""

from __future__ import annotations

from pydantic import model_validator

from labrig import units
from labrig.drivers import Options, Pair, Symbol
from labrig.errors import RigError
from labrig.model import Calibration, Output


class SetPointOptions(Options):
    """How a rig file describes it."""

    unit: Symbol
    """What people read."""
    range: Pair
    """Lowest and highest set-point."""
    safe: str
    """Set-point to fall back to."""

    @model_validator(mode="after")
    def _fits_together(self) -> SetPointOptions:
        self.as_output("checked", "")
        return self

    def as_output(self, name: str, address: str) -> Output:
        """The set-point, commanded in SI."""
        shown = units.unit(self.unit)
        low, high = sorted(units.parse(text, shown.dimension) for text in self.range)
        safe = units.parse(self.safe, shown.dimension)
        if not low <= safe <= high or low == high:
            raise ValueError(f"a range with two different ends and a safe set-point within it, not {self.safe!r}")
        return Output(name, "regulator", address, safe, shown, low, high, Calibration((0.0, 1.0)))


def check_within(output: Output, target: float) -> None:
    """Raises `RigError` for a set-point (SI) beyond the output's limits."""
    if not output.low <= target <= output.high:
        show = output.unit.show
        raise RigError(
            f"{output.name}: {show(target)} lies outside its limits {show(output.low)} to {show(output.high)}; "
            "nothing was sent"
        )
