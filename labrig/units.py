"""SI factors for code (``10 * psi``), parsing for files (``"10 psi"``), printing for people.

Inside labrig every quantity is an SI float; a factor is multiplied on the way in and divided on the way out.
Absolute temperature is the exception: kelvin inside, ``celsius()`` and ``to_celsius()`` at the edges, because
degrees Celsius are no factor.

Conventional factors are exact by definition: the inch 0.0254 m, the pound-force 4.4482216152605 N (so 1 psi =
6894.757293168 Pa), the standard atmosphere 101325 Pa, the millimetre of mercury 133.322387415 Pa, the inch of
water at 4 °C 249.08891 Pa (NIST SP 811, appendix B).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

from labrig.errors import UnitError

# length, area, volume
m: Final = 1.0
cm: Final = 1e-2
mm: Final = 1e-3
um: Final = 1e-6
nm: Final = 1e-9
inch: Final = 0.0254
mil: Final = 2.54e-5
m2: Final = 1.0
cm2: Final = 1e-4
mm2: Final = 1e-6
m3: Final = 1.0
L: Final = 1e-3
mL: Final = 1e-6
# time, frequency
s: Final = 1.0
ms: Final = 1e-3
minute: Final = 60.0
hour: Final = 3600.0
day: Final = 86400.0
Hz: Final = 1.0
kHz: Final = 1e3
# mass, force, pressure
kg: Final = 1.0
g: Final = 1e-3
mg: Final = 1e-6
N: Final = 1.0
kN: Final = 1e3
mN: Final = 1e-3
kgf: Final = 9.80665
lbf: Final = 4.4482216152605
Pa: Final = 1.0
hPa: Final = 1e2
mbar: Final = 1e2
kPa: Final = 1e3
MPa: Final = 1e6
GPa: Final = 1e9
bar: Final = 1e5
psi: Final = lbf / inch**2
atm: Final = 101325.0
mmHg: Final = 133.322387415
cmHg: Final = 1333.22387415
inH2O: Final = 249.08891
kgf_per_cm2: Final = kgf / cm2
# electrical
V: Final = 1.0
mV: Final = 1e-3
A: Final = 1.0
mA: Final = 1e-3
# temperature difference, ratio
K: Final = 1.0
percent: Final = 1e-2
ppm: Final = 1e-6
# flow, flux, permeance
mL_per_min: Final = mL / minute
g_per_min: Final = g / minute
L_per_min: Final = L / minute
cm_per_min: Final = cm / minute
LMH: Final = L / hour
cm_per_min_per_psi: Final = cm_per_min / psi
LMH_per_bar: Final = LMH / bar
# viscosity, surface tension, density, concentration
mPas: Final = 1e-3
mN_per_m: Final = 1e-3
g_per_cm3: Final = 1e3

ZERO_CELSIUS: Final = 273.15
TEMPERATURE_DIFFERENCE: Final = "temperature difference"
"""Dimension of a difference: read in kelvin only, because "0.2 °C" could mean 273.35 K."""


def celsius(temperature: float) -> float:
    """Kelvin from degrees Celsius."""
    return temperature + ZERO_CELSIUS


def to_celsius(temperature: float) -> float:
    """Degrees Celsius from kelvin."""
    return temperature - ZERO_CELSIUS


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit to read and to print in: ``si = value * factor + offset``.

    ``dimension`` names the quantity, not a product of powers: labrig compares it to refuse ``"10 mm"`` where a
    pressure is expected; it never multiplies dimensions.
    """

    symbol: str
    factor: float
    dimension: str
    offset: float = 0.0

    def to_si(self, value: float) -> float:
        return value * self.factor + self.offset

    def from_si(self, value: float) -> float:
        return (value - self.offset) / self.factor

    def show(self, value: float, digits: int = 4) -> str:
        """``value`` (SI) with ``digits`` significant digits and the symbol; ``"no value"`` for NaN."""
        if not math.isfinite(value):
            return "no value"
        shown = self.from_si(value)
        return f"{round_significant(shown, digits)} {self.symbol}".rstrip()


def round_significant(value: float, digits: int) -> str:
    """``value`` to ``digits`` significant digits, as plain decimals between 1e-4 and 1e7, else in e-notation."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    exponent = math.floor(math.log10(abs(float(f"{value:.{digits - 1}e}"))))
    if -4 <= exponent < 7:
        return f"{value:.{max(0, digits - 1 - exponent)}f}"
    return f"{value:.{digits - 1}e}"


def _table() -> dict[str, Unit]:
    units = (
        *(Unit(n, f, "length") for n, f in (("m", m), ("cm", cm), ("mm", mm), ("µm", um), ("nm", nm), ("in", inch))),
        Unit("mil", mil, "length"),
        *(Unit(n, f, "area") for n, f in (("m²", m2), ("cm²", cm2), ("mm²", mm2))),
        *(Unit(n, f, "volume") for n, f in (("m³", m3), ("L", L), ("mL", mL), ("cm³", mL))),
        *(Unit(n, f, "time") for n, f in (("s", s), ("ms", ms), ("min", minute), ("h", hour), ("d", day))),
        *(Unit(n, f, "frequency") for n, f in (("Hz", Hz), ("kHz", kHz))),
        *(Unit(n, f, "mass") for n, f in (("kg", kg), ("g", g), ("mg", mg))),
        *(Unit(n, f, "force") for n, f in (("N", N), ("kN", kN), ("mN", mN), ("kgf", kgf), ("lbf", lbf))),
        *(
            Unit(n, f, "pressure")
            for n, f in (
                *(("Pa", Pa), ("hPa", hPa), ("mbar", mbar), ("kPa", kPa), ("MPa", MPa), ("GPa", GPa), ("bar", bar)),
                *(("psi", psi), ("atm", atm), ("mmHg", mmHg), ("cmHg", cmHg), ("inH2O", inH2O)),
                ("kgf/cm²", kgf_per_cm2),
            )
        ),
        *(Unit(n, f, "voltage") for n, f in (("V", V), ("mV", mV))),
        *(Unit(n, f, "current") for n, f in (("A", A), ("mA", mA))),
        *(Unit(n, f, "bridge ratio") for n, f in (("V/V", 1.0), ("mV/V", mV))),
        *(Unit(n, f, "electrical resistance") for n, f in (("Ω", 1.0), ("kΩ", 1e3))),
        Unit("K", 1.0, "temperature"),
        Unit("°C", 1.0, "temperature", ZERO_CELSIUS),
        Unit("", 1.0, "ratio"),
        Unit("%", percent, "ratio"),
        Unit("ppm", ppm, "ratio"),
        *(Unit(n, f, "flow") for n, f in (("m³/s", 1.0), ("mL/min", mL_per_min), ("L/min", L_per_min))),
        *(Unit(n, f, "mass flow") for n, f in (("kg/s", 1.0), ("g/min", g_per_min), ("g/h", g / hour))),
        *(Unit(n, f, "flux") for n, f in (("m/s", 1.0), ("cm/min", cm_per_min), ("L/m²/h", LMH))),
        Unit("m/s/Pa", 1.0, "permeance"),
        Unit("cm/min/psi", cm_per_min_per_psi, "permeance"),
        Unit("L/m²/h/bar", LMH_per_bar, "permeance"),
        Unit("cm/min/psi/m", cm_per_min_per_psi, "permeance per length"),
        Unit("1/m", 1.0, "membrane resistance"),
        Unit("1/Pa", 1.0, "compressibility"),
        Unit("1/psi", 1.0 / psi, "compressibility"),
        *(Unit(n, f, "viscosity") for n, f in (("Pa·s", 1.0), ("mPa·s", mPas))),
        Unit("mN/m", mN_per_m, "surface tension"),
        *(Unit(n, f, "density") for n, f in (("kg/m³", 1.0), ("g/cm³", g_per_cm3))),
    )
    return {unit.symbol: unit for unit in units}


UNITS: Final = _table()
_SPELLINGS: Final = {
    "um": "µm",
    "μm": "µm",
    "inch": "in",
    "cm2": "cm²",
    "mm2": "mm²",
    "m2": "m²",
    "m3": "m³",
    "cm3": "cm³",
    "ml": "mL",
    "l": "L",
    "sec": "s",
    "minute": "min",
    "hour": "h",
    "day": "d",
    "psig": "psi",
    "kgf/cm2": "kgf/cm²",
    "degC": "°C",
    "C": "°C",
    "percent": "%",
    "ml/min": "mL/min",
    "cm3/min": "mL/min",
    "l/min": "L/min",
    "LMH": "L/m²/h",
    "L/m2/h": "L/m²/h",
    "LMH/bar": "L/m²/h/bar",
    "L/m2/h/bar": "L/m²/h/bar",
    "g/cm3": "g/cm³",
    "kg/m3": "kg/m³",
    "Pa.s": "Pa·s",
    "mPa.s": "mPa·s",
    "ohm": "Ω",
    "Ohm": "Ω",
    "kohm": "kΩ",
    "1": "",
}
_QUANTITY: Final = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(.*?)\s*", re.ASCII)


def unit(symbol: str) -> Unit:
    """The unit of that symbol or common ASCII spelling; raises `UnitError` where there is none."""
    known = UNITS.get(_SPELLINGS.get(symbol, symbol))
    if known is None:
        raise UnitError(f"unknown unit {symbol!r}; known are {', '.join(u for u in UNITS if u)}")
    return known


def unit_in(text: object) -> Unit | None:
    """The unit that a text such as ``"10 psi"`` names; None for anything else."""
    found = _QUANTITY.fullmatch(text) if isinstance(text, str) else None
    return UNITS.get(_SPELLINGS.get(found[2], found[2])) if found else None


def parse(text: str, dimension: str) -> float:
    """The SI value of a text such as ``"10 psi"``.

    Raises `UnitError` for a text that is no number with a unit, for a value that is not finite, and for a unit of
    another dimension. A bare number is accepted only for a ratio.
    """
    if not isinstance(text, str):
        raise UnitError(f"a {dimension} with its unit, such as {_example(dimension)!r}, not {text!r}")
    found = _QUANTITY.fullmatch(text)
    if found is None:
        raise UnitError(f"a {dimension} with its unit, such as {_example(dimension)!r}, not {text!r}")
    its_unit = unit(found[2])
    if its_unit.dimension != dimension and not (dimension == TEMPERATURE_DIFFERENCE and its_unit.symbol == "K"):
        raise UnitError(f"a {dimension} such as {_example(dimension)!r}; {text!r} is a {its_unit.dimension}")
    value = its_unit.to_si(float(found[1]))
    if not math.isfinite(value):
        raise UnitError(f"a finite {dimension}, not {text!r}")
    return value


def _example(dimension: str) -> str:
    favourites = {
        **{"length": "µm", "pressure": "psi", "flow": "mL/min", "time": "s", "mass": "g", "temperature": "°C"},
        **{
            TEMPERATURE_DIFFERENCE: "K",
            "permeance": "cm/min/psi",
            "ratio": "%",
            "volume": "mL",
            "area": "cm²",
            "flux": "cm/min",
        },
    }
    symbol = favourites.get(dimension) or next(u.symbol for u in UNITS.values() if u.dimension == dimension)
    return f"10 {symbol}"
