"""Numbers that a device tells or takes in a unit of its own, as a rig file describes them."""

from __future__ import annotations

import math
import re
from typing import Final

from pydantic import model_validator

from labrig import units
from labrig.drivers import ChannelOptions, Options, Pair, Symbol
from labrig.errors import InstrumentError, UnitError
from labrig.model import Calibration, Output
from labrig.units import Unit

_NUMBER: Final = re.compile(r"[-+]?\s*(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
_NO_NUMBER: Final = 9.9e37
"""What SCPI devices say for infinity, and 9.91E37 for no number."""


class NumberOptions(ChannelOptions):
    """A quantity that the device tells as a number."""

    reads: Symbol | None = None
    """Unit that the device tells it in; unset, the unit to show."""

    def signal_unit(self) -> Unit:
        own = units.unit(self.reads or self.unit)
        if self._signal_text() is None and own.dimension != self.shown.dimension:
            raise ValueError(f"{self._ways()}, to turn a {own.dimension} into a {self.shown.dimension}")
        return own


class SetpointOptions(Options):
    """A quantity that the device takes as a number and tells again."""

    unit: Symbol
    """What people read."""
    takes: Symbol | None = None
    """Unit that the device takes it in; unset, the unit to show."""
    range: Pair
    """Lowest and highest set-point."""
    safe: str
    """Set-point to fall back to."""
    tolerance: str | None = None
    """How far off the device may tell it again; unset, a thousandth of the range."""

    @model_validator(mode="after")
    def _fits_together(self) -> SetpointOptions:
        taken, shown = units.unit(self.takes or self.unit), units.unit(self.unit)
        if taken.dimension != shown.dimension:
            raise ValueError(f"takes as a unit of {shown.dimension}, not {taken.symbol!r}")
        low, high = self.limits()
        if not low <= self._si("safe", self.safe) <= high:
            raise ValueError(f"a safe set-point within the range, not {self.safe!r}")
        if self.allowance() <= 0:
            raise ValueError(f"tolerance as more than nothing, not {self.tolerance!r}")
        return self

    def limits(self) -> tuple[float, float]:
        """Low and high end of the range, SI."""
        low, high = sorted(self._si("range", text) for text in self.range)
        if low == high:
            raise ValueError(f"a range with two different ends, not {self.range[0]!r} and {self.range[1]!r}")
        return low, high

    def allowance(self) -> float:
        """How far off the device may tell the set-point again, SI."""
        low, high = self.limits()
        if self.tolerance is None:
            return (high - low) / 1000
        dimension = units.unit(self.unit).dimension
        return self._si("tolerance", self.tolerance, units.TEMPERATURE_DIFFERENCE if dimension == "temperature" else "")

    def as_output(self, name: str, address: str) -> Output:
        """The set-point; raw is the number that the device takes."""
        low, high = self.limits()
        taken = units.unit(self.takes or self.unit)
        return Output(
            name=name,
            kind="regulator",
            address=address,
            safe=self._si("safe", self.safe),
            unit=units.unit(self.unit),
            low=low,
            high=high,
            calibration=Calibration((-taken.offset / taken.factor, 1 / taken.factor)),
        )

    def _si(self, key: str, text: str, dimension: str = "") -> float:
        try:
            return units.parse(text, dimension or units.unit(self.unit).dimension)
        except UnitError as error:
            raise ValueError(f"{key} as {error}") from None


def parse_number(text: str) -> float:
    """The number in a reply; NaN for what SCPI devices say where they have none.

    Raises `InstrumentError` for anything else: ``inf``, ``1_000``, ``0x10``, an empty text.
    """
    if not _NUMBER.fullmatch(text.strip()):
        raise InstrumentError(f"a number was expected, and {text[:40]!r} came")
    value = float(re.sub(r"\s", "", text))
    return math.nan if abs(value) >= _NO_NUMBER else value
