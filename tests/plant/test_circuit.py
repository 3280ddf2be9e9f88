"""Lines take the pressure that the textbook says; membrane and lines agree on one flow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig.plant.circuit import Liquid, Resistance, Sheet, WaterTable, churchill, permeate_flow
from labrig.plant.spec import Line
from labrig.units import celsius, cm2, cm_per_min_per_psi, mL_per_min, mm, mPas, psi

WATER = Liquid(viscosity=0.89e-3, density=997.05)
LINES = st.builds(
    Line, diameter=st.floats(0.5 * mm, 20 * mm), length=st.floats(0.01, 3), fittings=st.floats(0, 20)
).map(Resistance)
FLOWS = st.floats(0.01 * mL_per_min, 2000 * mL_per_min)


def test_a_long_thin_line_takes_what_hagen_and_poiseuille_say() -> None:
    # 128·μ·L·Q/(π·D⁴) for 1 m of 4 mm at 100 mL/min and 0.89 mPa·s, by hand.
    line = Resistance(Line(diameter=4 * mm, length=1.0))

    assert line.drop(100 * mL_per_min, WATER) == pytest.approx(236.08, rel=1e-4)


def test_fittings_take_their_coefficient_of_the_dynamic_pressure() -> None:
    # K·ρ·v²/2 with K = 4 at 1 m/s, by hand.
    line = Resistance(Line(diameter=10 * mm, length=0.0, fittings=4.0))
    metre_per_second = 78.5398e-6

    assert line.drop(metre_per_second, WATER) == pytest.approx(1994.1, rel=1e-5)


@pytest.mark.parametrize(("reynolds", "moody"), [(1000, 0.064), (4000, 0.0399), (1e4, 0.0309), (1e5, 0.0180)])
def test_friction_in_a_smooth_tube_is_moodys(reynolds: float, moody: float) -> None:
    assert churchill(reynolds) == pytest.approx(moody, rel=0.02)


@given(LINES, FLOWS, FLOWS)
def test_more_flow_takes_more_pressure(line: Resistance, one: float, other: float) -> None:
    low, high = sorted((one, other))

    assert line.drop(low, WATER) <= line.drop(high, WATER)


@given(LINES, FLOWS)
def test_the_flow_of_a_pressure_is_the_one_that_takes_it(line: Resistance, flow: float) -> None:
    assert line.flow(line.drop(flow, WATER), WATER) == pytest.approx(flow, rel=1e-6)


@given(LINES, st.floats(10, 700_000), st.floats(1e-13, 1e-8), st.floats(0, 3e-7), st.floats(0, 1e6))
def test_membrane_and_lines_share_the_pressure_without_rest(
    line: Resistance, driving: float, conductance: float, compaction: float, guess: float
) -> None:
    sheet = Sheet(conductance, compaction)

    across = permeate_flow(sheet, driving, (line, line), WATER, guess)

    assert across + 2 * line.drop(sheet.flow(across), WATER) == pytest.approx(driving, rel=1e-8)


@pytest.mark.parametrize("driving", [1 * psi, 2 * psi, 5 * psi])
def test_a_metre_of_thin_tube_takes_most_of_the_pressure_from_example_iv(driving: float) -> None:
    """30 cm/min/psi on 13.83 cm² through 1 m of 1.6 mm tube with its two ends (K = 1.5)."""
    sheet = Sheet(30 * cm_per_min_per_psi * 13.83 * cm2, 0.0)

    across = permeate_flow(sheet, driving, (Resistance(Line(diameter=1.6 * mm, length=1.0, fittings=1.5)),), WATER, 0)

    assert 1 - across / driving >= 0.85


@pytest.mark.parametrize(
    ("temperature", "viscosity"), [(5, 1.5182), (18, 1.0526), (20, 1.0016), (25, 0.8900), (40, 0.6527)]
)
def test_the_table_of_water_keeps_the_published_viscosity(temperature: float, viscosity: float) -> None:
    assert WaterTable().at(celsius(temperature)).viscosity / mPas == pytest.approx(viscosity, abs=6e-5)


@given(st.floats(celsius(1), celsius(90)))
def test_between_its_knots_the_table_is_smooth(temperature: float) -> None:
    table = WaterTable()

    slope = (table.at(temperature + 0.01).viscosity / table.at(temperature).viscosity - 1) / 0.01

    assert -0.04 < slope < -0.009  # water thins by 0.9 to 4 % a kelvin
