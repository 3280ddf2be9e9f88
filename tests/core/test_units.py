"""Units: conversions against published definitions, reading, printing."""

from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig import units
from labrig.errors import UnitError
from labrig.units import UNITS, parse, round_significant


@pytest.mark.parametrize(
    ("text", "dimension", "si"),
    [
        ("1 psi", "pressure", 6894.757293168),
        ("30 kgf/cm2", "pressure", 2.941995e6),
        ("1 atm", "pressure", 101325.0),
        ("1 inH2O", "pressure", 249.08891),
        ("1 mil", "length", 25.4e-6),
        ("5 um", "length", 5e-6),
        ("1 mL/min", "flow", 1e-6 / 60),
        ("1 cm/min", "flux", 600 / 3.6e6),
        ("25 °C", "temperature", 298.15),
        ("25 degC", "temperature", 298.15),
        ("-3.5e1 kPa", "pressure", -35000.0),
        ("12 %", "ratio", 0.12),
        ("0.5", "ratio", 0.5),
        ("0.2 K", "temperature difference", 0.2),
        ("0.05 g/min", "mass flow", 0.05e-3 / 60),
    ],
)
def test_texts_with_units_become_si(text: str, dimension: str, si: float) -> None:
    assert parse(text, dimension) == pytest.approx(si, rel=1e-9)


def test_760_conventional_millimetres_of_mercury_are_an_atmosphere_to_a_part_in_five_million() -> None:
    assert parse("760 mmHg", "pressure") == pytest.approx(101325.0, rel=2e-7)


def test_a_permeance_reads_the_same_in_the_units_of_three_trades() -> None:
    """1 cm/min/psi is 2.417296e-8 m/s/Pa and 8702.264 L/m²/h/bar."""
    one = parse("1 cm/min/psi", "permeance")

    assert one == pytest.approx(2.417296e-8, rel=1e-6)
    assert UNITS["L/m²/h/bar"].from_si(one) == pytest.approx(8702.264, rel=1e-6)


@pytest.mark.parametrize(
    ("text", "dimension"),
    [
        ("10", "pressure"),
        ("10 mm", "pressure"),
        ("psi", "pressure"),
        ("ten psi", "pressure"),
        ("1e999 psi", "pressure"),
        ("nan psi", "pressure"),
        ("10 psi psi", "pressure"),
        ("٣ psi", "pressure"),
        ("0.2 °C", "temperature difference"),
        ("", "length"),
    ],
)
def test_what_is_no_such_quantity_is_refused(text: str, dimension: str) -> None:
    with pytest.raises(UnitError):
        parse(text, dimension)


@given(st.text(max_size=30), st.sampled_from(sorted({u.dimension for u in UNITS.values()})))
def test_any_text_is_a_finite_number_or_a_unit_error(text: str, dimension: str) -> None:
    with contextlib.suppress(UnitError):
        assert math.isfinite(parse(text, dimension))


@given(st.floats(-1e9, 1e9), st.sampled_from([u for u in UNITS.values() if u.symbol]))
def test_a_printed_value_reads_back(value: float, unit: units.Unit) -> None:
    shown = f"{value!r} {unit.symbol}"

    assert unit.from_si(parse(shown, unit.dimension)) == pytest.approx(value, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("value", "digits", "shown"),
    [(3.98123, 3, "3.98"), (0.0, 4, "0"), (9.996, 3, "10.0"), (-0.00012349, 2, "-0.00012"), (1.5e9, 3, "1.50e+09")],
)
def test_rounding_keeps_significant_digits(value: float, digits: int, shown: str) -> None:
    assert round_significant(value, digits) == shown


def test_no_number_is_shown_where_there_is_none() -> None:
    assert UNITS["psi"].show(math.nan) == "no value"
