"""Water's properties agree with the check values that IAPWS publishes, and are refused outside their range."""

from __future__ import annotations

import numpy as np
import pytest

from labrig.analysis import water
from labrig.errors import AnalysisError
from labrig.units import celsius

# IAPWS SR6-08(2011), table 8: T in K, density in kg/m³, viscosity in µPa·s.
TABLE_8 = ((260.0, 997.068360, 3058.36075), (298.15, 997.047013, 889.996774), (375.0, 957.009710, 276.207245))


@pytest.mark.parametrize(("kelvin", "density", "viscosity"), TABLE_8)
def test_density_and_viscosity_meet_the_published_check_values_to_their_last_digit(
    kelvin: float, density: float, viscosity: float
) -> None:
    assert water.density(kelvin) == pytest.approx(density, abs=0.6e-6)
    assert water.viscosity(kelvin) * 1e6 == pytest.approx(viscosity, rel=1e-8)


@pytest.mark.parametrize(("kelvin", "tension"), [(300.0, 0.0716859625), (450.0, 0.0428914992)])
def test_surface_tension_meets_the_published_check_values(kelvin: float, tension: float) -> None:
    assert water.surface_tension(kelvin) == pytest.approx(tension, abs=0.6e-10)


@pytest.mark.parametrize(
    ("degrees", "viscosity", "tension"),
    [
        (5, 1.5182, 74.942),
        (10, 1.3059, 74.221),
        (15, 1.1375, 73.486),
        (20, 1.0016, 72.736),
        (25, 0.8900, 71.972),
        (30, 0.7972, 71.194),
        (40, 0.6527, 69.596),
    ],
)
def test_handbook_values_between_5_and_40_celsius_are_met_to_their_last_digit(
    degrees: float, viscosity: float, tension: float
) -> None:
    assert water.viscosity(celsius(degrees)) * 1e3 == pytest.approx(viscosity, abs=6e-5)
    assert water.surface_tension(celsius(degrees)) * 1e3 == pytest.approx(tension, abs=6e-4)


@pytest.mark.parametrize("degrees", [0.0, 10.0, 15.0, 18.0, 22.0, 25.0, 30.0, 40.0])
def test_the_viscosity_ratio_agrees_with_kestin_within_the_stated_uncertainty(degrees: float) -> None:
    """Kestin, Sokolov and Wakeham (1978), eq. 15: log10 of the ratio to 20 °C, an independent correlation."""
    below = 20 - degrees
    kestin = 10 ** (below / (degrees + 96) * (1.2364 - 1.37e-3 * below + 5.7e-6 * below**2))

    ratio = water.viscosity(celsius(degrees)) / water.viscosity(celsius(20))

    assert ratio == pytest.approx(kestin, rel=2 * water.VISCOSITY_RATIO_RELATIVE_U)


def test_arrays_give_arrays_of_the_same_shape_and_the_values_of_the_scalars() -> None:
    kelvin = np.array([[280.0, 290.0], [300.0, 310.0]])

    for formula in (water.viscosity, water.density, water.surface_tension):
        result = formula(kelvin)

        assert result.shape == kelvin.shape
        assert result[1, 0] == formula(300.0)
        assert isinstance(formula(300.0), float)


@pytest.mark.parametrize("kelvin", [25.0, 253.0, 383.2, float("nan"), float("inf")])
def test_a_temperature_outside_the_valid_range_is_refused_in_words(kelvin: float) -> None:
    """25 is what a temperature in degrees Celsius looks like when somebody forgot to convert it."""
    for formula in (water.viscosity, water.density):
        with pytest.raises(AnalysisError, match=r"is known from 253\.15 K to 383\.15 K"):
            formula(kelvin)


def test_one_temperature_out_of_many_outside_the_range_is_refused() -> None:
    with pytest.raises(AnalysisError, match="not at 500 K"):
        water.density(np.array([300.0, 500.0]))


@pytest.mark.parametrize("kelvin", [240.0, 650.0, float("nan")])
def test_surface_tension_ends_at_the_critical_point(kelvin: float) -> None:
    with pytest.raises(AnalysisError, match="surface tension"):
        water.surface_tension(kelvin)


def test_the_viscosity_ratio_to_itself_is_certain_and_gets_worse_away_from_room_temperature() -> None:
    reference = celsius(25)

    assert water.viscosity_ratio_relative_u(reference, reference) == 0
    assert water.viscosity_ratio_relative_u(celsius(24), reference) == pytest.approx(0.0001)
    assert water.viscosity_ratio_relative_u(celsius(15), reference) == 0.0005
    assert water.viscosity_ratio_relative_u(celsius(60), reference) == 0.002
