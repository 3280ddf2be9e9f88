"""Options that drivers share: how a rig file says what a channel or an output is scaled to, calibrated by and held to.

Texts stay texts inside these models, because a form shows them again; ``as_channel`` and ``as_output`` turn them into
the nouns of `labrig.model`, with SI floats. Everything is checked at birth, so that neither of the two can fail later.
"""

from __future__ import annotations

import datetime
import math
import re
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from labrig import units
from labrig.errors import UnitError
from labrig.model import Calibration, Channel, Output
from labrig.quantities import Duration, Frequency, Ratio
from labrig.units import Unit


def _name(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", name):
        raise ValueError(f"a name of small letters, digits and _, such as 'feed_pressure', not {name!r}")
    return name


def _symbol(symbol: str) -> str:
    return units.unit(symbol).symbol


def _positive(value: float) -> float:
    if value <= 0:
        raise ValueError(f"more than zero, not {value:g}")
    return value


Name = Annotated[str, AfterValidator(_name)]
"""Of a channel or an output: unique in a rig, and the column name of exports."""
Symbol = Annotated[str, AfterValidator(_symbol)]
"""Of a unit, in its proper spelling."""
Period = Annotated[Duration, AfterValidator(_positive)]
Rate = Annotated[Frequency, AfterValidator(_positive)]
Pair = tuple[str, str]
"""Two quantities as texts, such as ``["0 psi", "100 psi"]``."""


def _parsed(key: str, text: str, dimension: str) -> float:
    try:
        return units.parse(text, dimension)
    except UnitError as error:
        raise ValueError(f"{key} as {error}") from None


class Options(BaseModel):
    """A table of a rig file; keys that it does not know are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class _Scaled(Options):
    """Something on a signal that stands for a quantity."""

    signals: ClassVar[tuple[str, ...]] = ()
    """Symbols of the units that the device may deliver or take, at most one for each dimension."""

    unit: Symbol
    """What people read."""
    signal: Pair | None = None
    """Two signals, such as ``["4 mA", "20 mA"]`` …"""
    value: Pair | None = None
    """… and the values that they stand for, such as ``["0 psi", "100 psi"]``."""
    range: Pair | None = None
    """What is not to be exceeded; unset, the two values."""

    @property
    def shown(self) -> Unit:
        return units.unit(self.unit)

    def limits(self) -> tuple[float, float]:
        """Low and high end of the range, SI."""
        stated = self.range or self.value
        if stated is None:
            raise ValueError(f"a range, such as ['0 {self.unit}', '10 {self.unit}'], where no two values state it")
        low, high = sorted(_parsed("range" if self.range else "value", text, self.shown.dimension) for text in stated)
        if low == high:
            raise ValueError(f"a range with two different ends, not {stated[0]!r} and {stated[1]!r}")
        return low, high

    def signal_unit(self) -> Unit:
        """The unit of the raw values, told by the signals in the file, else by the unit to show."""
        text = self._signal_text()
        if text is None:
            same = [known for known in map(units.unit, self.signals) if known.dimension == self.shown.dimension]
            if not same:
                raise ValueError(f"{self._ways()}, to turn {self._dimensions()} into a {self.shown.dimension}")
            return same[0]
        for known in map(units.unit, self.signals):
            try:
                units.parse(text, known.dimension)
            except UnitError:
                continue
            return known
        raise ValueError(f"{self._dimensions()} such as '10 {self.signals[0]}' for the signal, not {text!r}")

    def line(self) -> tuple[float, float]:
        """Offset and slope of SI values over raw ones: through the two points, or from the device's unit to SI."""
        if self.signal is None or self.value is None:
            return self.signal_unit().offset, self.signal_unit().factor
        raw_unit = self.signal_unit()
        x0, x1 = (raw_unit.from_si(_parsed("signal", text, raw_unit.dimension)) for text in self.signal)
        y0, y1 = (_parsed("value", text, self.shown.dimension) for text in self.value)
        if x0 == x1:
            raise ValueError(f"two different signals, not {self.signal[0]!r} and {self.signal[1]!r}")
        if y0 == y1:
            raise ValueError(f"two different values, not {self.value[0]!r} and {self.value[1]!r}")
        slope = (y1 - y0) / (x1 - x0)
        return y0 - slope * x0, slope

    def _signal_text(self) -> str | None:
        return self.signal[0] if self.signal else None

    def _ways(self) -> str:
        return "signal and value (two points)"

    def _dimensions(self) -> str:
        return " or ".join(f"a {units.unit(symbol).dimension}" for symbol in self.signals)

    @property
    def _difference(self) -> str:
        """Dimension of a difference between two values."""
        dimension = self.shown.dimension
        return units.TEMPERATURE_DIFFERENCE if dimension == "temperature" else dimension


class ChannelOptions(_Scaled):
    """One measured quantity, as a rig file describes it.

    Scaled by two points (``signal`` and ``value``) or by a polynomial: ``polynomial = ["-25 psi", "6.25 psi"]`` with
    ``per = "1 mA"`` is -25 psi + 6.25 psi · (signal / 1 mA). Neither is needed where the device delivers the quantity.
    """

    polynomial: tuple[str, ...] | None = Field(default=None, min_length=2, max_length=10)
    per: str | None = None
    """The signal that the polynomial is in powers of."""
    label: str = Field(default="", max_length=80)
    resolution: str | None = None
    """Smallest step of display or converter."""
    relative_u: Ratio = 0.0
    """Standard uncertainty of the sensitivity, from the certificate."""
    offset_u: str | None = None
    """Standard uncertainty of the zero, in the channel's quantity."""
    certificate: str = ""
    date: datetime.date | None = None
    """Of the calibration."""

    @model_validator(mode="after")
    def _fits_together(self) -> ChannelOptions:
        if (self.signal is None) != (self.value is None):
            raise ValueError("signal and value together, or neither")
        if (self.polynomial is None) != (self.per is None):
            raise ValueError("polynomial and per together, or neither")
        if self.signal is not None and self.polynomial is not None:
            raise ValueError("either signal and value or polynomial and per, not both")
        if self.relative_u < 0:
            raise ValueError(f"a relative_u that is not below zero, not {self.relative_u:g}")
        self.as_channel("checked", "")
        return self

    def as_channel(self, name: str, address: str, *, loop: bool = False) -> Channel:
        """The channel, with its calibration from raw values to SI."""
        calibration = self.calibration()
        low, high = self.limits()
        return Channel(
            name=name,
            unit=self.shown,
            raw_unit=self.signal_unit().symbol,
            low=low,
            high=high,
            calibration=calibration,
            label=self.label,
            resolution=self._width("resolution", self.resolution),
            loop=loop,
            address=address,
        )

    def calibration(self) -> Calibration:
        """From raw values in `signal_unit` to SI."""
        coefficients = self.line() if self.polynomial is None else self._coefficients(self.polynomial)
        if not all(map(math.isfinite, coefficients)):
            raise ValueError(f"a scaling with finite numbers, not {coefficients}")
        return Calibration(
            coefficients,
            relative_u=self.relative_u,
            offset_u=self._width("offset_u", self.offset_u),
            certificate=self.certificate,
            date=self.date.isoformat() if self.date else "",
        )

    def _coefficients(self, texts: tuple[str, ...]) -> tuple[float, ...]:
        raw_unit = self.signal_unit()
        step = raw_unit.from_si(_parsed("per", self.per or "", raw_unit.dimension))
        if step == 0:
            raise ValueError(f"per as a signal that is not zero, not {self.per!r}")
        constant, *others = texts
        return (
            _parsed("polynomial", constant, self.shown.dimension),
            *(
                _parsed("polynomial", text, self._difference) / step**power
                for power, text in enumerate(others, start=1)
            ),
        )

    def _width(self, key: str, text: str | None) -> float:
        """SI value of a difference that is not negative; 0 where there is none."""
        width = 0.0 if text is None else _parsed(key, text, self._difference)
        if width < 0:
            raise ValueError(f"{key} as nothing below zero, not {text!r}")
        return width

    def _signal_text(self) -> str | None:
        return self.signal[0] if self.signal else self.per

    def _ways(self) -> str:
        return "signal and value (two points) or polynomial and per"


class ValveOptions(Options):
    """One valve on a digital line."""

    opens: Literal["energised", "de-energised"] = "energised"
    """State of its coil in which the valve is open: a normally closed valve opens when it is energised."""
    safe: Literal["open", "closed"]

    def as_output(self, name: str, address: str) -> Output:
        """The valve: SI 1 is open, raw 1 is energised."""
        return Output(
            name=name,
            kind="valve",
            address=address,
            safe=float(self.safe == "open"),
            unit=units.unit(""),
            low=0.0,
            high=1.0,
            calibration=Calibration((0.0, 1.0) if self.opens == "energised" else (1.0, -1.0)),
        )


class RegulatorOptions(_Scaled):
    """One continuous set-point, such as a pressure that an electronic regulator follows."""

    signal: Pair
    value: Pair
    safe: str
    """Set-point to fall back to."""

    @model_validator(mode="after")
    def _fits_together(self) -> RegulatorOptions:
        low, high = self.limits()
        ends = sorted(_parsed("value", text, self.shown.dimension) for text in self.value)
        if not ends[0] <= low < high <= ends[1]:
            raise ValueError(f"a range within the values {self.value[0]!r} to {self.value[1]!r}, not {self.range}")
        if not low <= _parsed("safe", self.safe, self.shown.dimension) <= high:
            raise ValueError(f"a safe set-point within the range, not {self.safe!r}")
        self.line()
        return self

    def as_output(self, name: str, address: str) -> Output:
        """The set-point, with its calibration from SI to raw commands."""
        low, high = self.limits()
        offset, slope = self.line()
        return Output(
            name=name,
            kind="regulator",
            address=address,
            safe=units.parse(self.safe, self.shown.dimension),
            unit=self.shown,
            low=low,
            high=high,
            calibration=Calibration((-offset / slope, 1 / slope)),
        )
