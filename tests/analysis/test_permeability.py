"""Permeabilities reproduce a commercial instrument's numbers, and their intervals hold the truth."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labrig.analysis import water
from labrig.analysis.permeability import (
    SCATTER,
    Conditions,
    Permeability,
    Plateau,
    Transducer,
    permeability,
)
from labrig.analysis.permeability_validity import linearity
from labrig.analysis.uncertainty import Estimate
from labrig.analysis.validity import judged
from labrig.errors import AnalysisError
from labrig.model import Validity
from labrig.units import LMH_per_bar, celsius, cm, cm_per_min, cm_per_min_per_psi, mL, mm, psi

# Liquid permeability of a flat sheet in a commercial porometer, exposed diameter 4.196 cm: pressure in psi, flow in
# cm³/s. The instrument's own first row is 4.4621 cm/min/psi.
POROMETER_PSI = (
    *(0.43706, 0.45844, 0.47843, 0.49846, 0.51953, 0.54143, 0.56371, 0.5868, 0.61054, 0.63554),
    *(0.65966, 0.68129, 0.7037),
)
POROMETER_FLOW = (
    *(0.44946, 0.52076, 0.49773, 0.52214, 0.54443, 0.56378, 0.56607, 0.60496, 0.59637, 0.66903),
    *(0.73841, 0.73501, 0.79141),
)
EXACT = Conditions(Estimate(41.96 * mm), {"gauge": Transducer(Estimate(0.0))})
REFERENCE = celsius(25)


def _porometer() -> Permeability:
    plateaus = [
        Plateau(
            f"row {i}", "gauge", Estimate(p * psi), Estimate(q * mL * water.density(REFERENCE)), Estimate(REFERENCE)
        )
        for i, (p, q) in enumerate(zip(POROMETER_PSI, POROMETER_FLOW, strict=True))
    ]
    return permeability(plateaus, replace(EXACT, diameter=Estimate(4.196 * cm)))


def test_the_numbers_of_a_commercial_porometer_are_reproduced() -> None:
    result = _porometer()

    assert result.line is not None
    assert result.rows[0].p.value / cm_per_min_per_psi == pytest.approx(4.4621, abs=5e-5)
    assert result.mean_p / cm_per_min_per_psi == pytest.approx(4.58228, abs=5e-6)
    assert result.fit.slope / cm_per_min_per_psi == pytest.approx(4.59778, abs=5e-6)
    assert result.at_reference.value == pytest.approx(result.mean_p)
    assert result.fit.slope_se / cm_per_min_per_psi == pytest.approx(0.0585, abs=5e-5)
    assert result.line.slope / cm_per_min_per_psi == pytest.approx(4.99742, abs=5e-6)
    assert result.line.slope_se / cm_per_min_per_psi == pytest.approx(0.400, abs=5e-4)
    assert result.line.intercept / cm_per_min == pytest.approx(-0.23166, abs=5e-6)
    assert result.line.r2 == pytest.approx(0.93430, abs=5e-6)


def test_those_numbers_scatter_too_much_to_be_valid_and_their_interval_is_that_of_their_scatter() -> None:
    """With inputs that are called exact all of the scatter about a smooth course is unexplained: 13 - 3 dof."""
    result = _porometer()

    validity, reasons = judged(linearity(result))

    p = np.array(POROMETER_FLOW) * 60 / (math.pi / 4 * 4.196**2) / np.array(POROMETER_PSI)
    course = np.column_stack((np.ones(13), POROMETER_PSI, np.arange(13)))
    (left,) = np.linalg.lstsq(course, p, rcond=None)[1]
    assert validity is Validity.INVALID
    assert reasons == ("R² of flux on pressure is 0.9343; at least 0.995 is required",)
    assert result.at_reference.u / cm_per_min_per_psi == pytest.approx(math.sqrt(left / 10 / 13), rel=1e-3)
    assert result.at_reference.coverage_factor == pytest.approx(2.228, abs=1e-3)


def test_a_membrane_that_compacts_has_the_permeability_of_its_mean_pressure() -> None:
    """J = p₀·ΔP·(1 - c·ΔP): over 10, 20 and 30 psi the mean p is that at 20 psi, whatever the slope of J says."""
    c = 0.002 / psi
    flows = [q * (1 - c * q) * 1e-9 for q in (10 * psi, 20 * psi, 30 * psi)]
    plateaus = [
        Plateau(f"{i}", "gauge", Estimate(i * 10 * psi), Estimate(flow), Estimate(REFERENCE))
        for i, flow in enumerate(flows, start=1)
    ]

    result = permeability(plateaus, EXACT)

    assert result.at_reference.value == pytest.approx(result.rows[1].p.value, rel=1e-9)
    assert result.at_reference.definition["transmembrane pressure"] == "20.00 psi on average"
    assert result.fit.slope < result.at_reference.value * 0.99
    assert result.at_reference.u == pytest.approx(0, abs=1e-6 * result.at_reference.value)


def test_each_plateau_counts_by_its_time() -> None:
    plateaus = [
        Plateau("short", "gauge", Estimate(10 * psi), Estimate(1e-4), Estimate(REFERENCE), seconds=10.0),
        Plateau("long", "gauge", Estimate(10 * psi), Estimate(2e-4), Estimate(REFERENCE), seconds=30.0),
    ]

    result = permeability(plateaus, EXACT)

    assert result.at_reference.value == pytest.approx(1.75 * result.rows[0].p.value)


def test_a_flow_that_was_not_weighed_is_a_volume_and_carries_the_meters_uncertainty() -> None:
    flow = 50 * mL / 60
    conditions = replace(EXACT, meter=Transducer(Estimate(0.0), Estimate(1.0, 0.005)))
    plateau = Plateau("plateau", "gauge", Estimate(10 * psi), Estimate(flow), Estimate(celsius(22)), weighed=False)

    result = permeability([plateau], conditions)

    assert result.at_temperature.value / cm_per_min_per_psi == pytest.approx(0.361584, abs=1e-6)
    assert result.at_temperature.u / result.at_temperature.value == pytest.approx(0.005, rel=0.01)


def test_the_loss_of_the_lines_follows_the_viscosity_of_the_water() -> None:
    """At 20 °C water is 1.125 times as viscous as at 25 °C: a blank run at 25 °C loses so much more pressure."""
    flow = 1e-5 * water.density(celsius(20))
    plateau = Plateau("plateau", "gauge", Estimate(10 * psi), Estimate(flow), Estimate(celsius(20)))
    conditions = replace(EXACT, blank_a=1e9)

    as_it_was, scaled = (
        permeability([plateau], replace(conditions, blank_temperature=kelvin)).rows[0].blank_share
        for kelvin in (None, celsius(25))
    )

    assert scaled / as_it_was == pytest.approx(1.1254, abs=1e-4)


def _weighed(pressure_u: float = 0.0, flow_u: float = 0.0) -> Plateau:
    """50 mL in 60 s at 10 psi and 22 °C."""
    flow = 50 * mL * water.density(celsius(22)) / 60
    return Plateau(
        "plateau", "gauge", Estimate(10 * psi, pressure_u), Estimate(flow, flow_u * flow), Estimate(celsius(22))
    )


def test_one_plateau_gives_the_permeability_at_its_temperature_and_at_25_celsius() -> None:
    result = permeability([_weighed()], EXACT)

    assert result.at_temperature.value / cm_per_min_per_psi == pytest.approx(0.361584, abs=1e-6)
    assert result.at_reference.value / cm_per_min_per_psi == pytest.approx(0.387736, abs=1e-6)
    assert result.permeance.value / LMH_per_bar == pytest.approx(0.387736 * 8702.264, abs=0.01)
    assert result.at_reference.symbol == "p25"
    assert result.at_reference.definition["reference temperature"] == "25 °C"
    assert "reference temperature" not in result.at_temperature.definition
    assert result.line is None
    assert math.isnan(result.birge)


def test_its_expanded_uncertainty_is_that_of_the_worked_example() -> None:
    """Relative 0.040 and 0.167 % of mass and time in one slope, 0.477 %, 0.300 %, 0.476 %: 0.0059 with k = 2."""
    conditions = replace(EXACT, diameter=Estimate(41.96 * mm, 0.10 * mm), thermometer=Estimate(0.0, 0.2))

    result = permeability([_weighed(0.03 * psi, math.hypot(0.0004, 0.00167))], conditions)

    assert round(2 * result.at_reference.u / cm_per_min_per_psi, 4) == 0.0059


def test_the_thermometer_hardly_matters_to_the_uncorrected_permeability() -> None:
    result = permeability([_weighed()], replace(EXACT, thermometer=Estimate(0.0, 0.2)))

    assert result.at_temperature.u / result.at_temperature.value < 1e-4
    assert result.at_reference.u / result.at_reference.value == pytest.approx(0.0047, abs=1e-4)


def test_the_resistance_is_that_of_the_viscosity_and_the_permeability() -> None:
    """R_m = 1/(μ·p) of a membrane of 4 cm/min/psi is 1.162e10 1/m."""
    p = 4 * cm_per_min_per_psi
    flow = p * 10 * psi * math.pi / 4 * (41.96 * mm) ** 2 * water.density(REFERENCE)
    plateau = Plateau("plateau", "gauge", Estimate(10 * psi), Estimate(flow), Estimate(REFERENCE))

    resistance = permeability([plateau], EXACT).resistance

    assert resistance is not None
    assert resistance.value == pytest.approx(1.162e10, rel=1e-3)
    assert resistance.u / resistance.value == pytest.approx(water.VISCOSITY_RELATIVE_U, rel=0.02)


def test_zero_head_blank_evaporation_and_gain_are_each_corrected_with_their_sign() -> None:
    """The outlet stands 10 cm above the tap (978 Pa), the lines take a·Q + b·Q², 0.05 g/min evaporates."""
    p, a, b, head, zero, lost = 4 * cm_per_min_per_psi, 1e9, 1e14, 978.0, 300.0, 0.05e-3 / 60
    dps = np.array([5.0, 10.0, 15.0]) * psi
    flows = p * dps * math.pi / 4 * (41.96 * mm) ** 2
    reads = (dps + a * flows + b * flows**2 + head) / 1.002 + zero
    masses = (flows * water.density(REFERENCE) - lost) / 1.001
    plateaus = [
        Plateau(f"plateau {i}", "gauge", Estimate(float(read)), Estimate(float(mass)), Estimate(REFERENCE - 0.5))
        for i, (read, mass) in enumerate(zip(reads, masses, strict=True))
    ]
    conditions = replace(
        EXACT,
        transducers={"gauge": Transducer(Estimate(zero), Estimate(1.002))},
        balance=Estimate(1.001),
        evaporation=Estimate(lost),
        thermometer=Estimate(0.5),
        head=Estimate(head),
        blank_a=a,
        blank_b=b,
    )

    result = permeability(plateaus, conditions)

    assert result.at_reference.value == pytest.approx(p, rel=1e-9)
    assert [row.dp.value for row in result.rows] == pytest.approx(list(dps), rel=1e-9)
    assert result.rows[1].blank_share == pytest.approx(
        (a * flows[1] + b * flows[1] ** 2) / (reads[1] - zero) / 1.002, rel=0.1
    )


@settings(max_examples=30)
@given(factor=st.floats(1e-3, 1e3), count=st.integers(1, 6))
def test_twice_the_flow_is_twice_the_permeability_with_the_same_relative_uncertainty(factor: float, count: int) -> None:
    conditions = replace(EXACT, diameter=Estimate(41.96 * mm, 0.05 * mm))

    def result(scale: float) -> Permeability:
        return permeability(
            [
                Plateau(f"{i}", "gauge", Estimate(i * psi, 50.0, 7), Estimate(scale * i * 1e-4), Estimate(celsius(21)))
                for i in range(1, count + 1)
            ],
            conditions,
        )

    one, scaled = result(1.0).at_reference, result(factor).at_reference

    assert scaled.value / one.value == pytest.approx(factor)
    assert scaled.u / scaled.value == pytest.approx(one.u / one.value)


def test_no_plateau_is_an_error_in_words() -> None:
    with pytest.raises(AnalysisError, match="one plateau at least"):
        permeability([], EXACT)


def test_a_pressure_that_the_corrections_use_up_is_an_error_in_words() -> None:
    with pytest.raises(AnalysisError, match="check the zero, the static head and the blank run"):
        permeability([_weighed()], replace(EXACT, head=Estimate(11 * psi)))


def _drawn(
    rng: np.random.Generator, steps: tuple[float, ...], compaction: float, scatter: float
) -> tuple[float, Permeability]:
    """The truth and the result of one simulated coupon: every input drawn about its stated estimate."""
    p = float(10 ** rng.uniform(math.log10(0.3), 1)) * cm_per_min_per_psi
    kelvin, d = celsius(rng.uniform(18, 26)), 41.96 * mm
    true_d, gain, zero = d + 5e-5 * rng.normal(), 1 + 1e-3 * rng.normal(), 140 + 20 * rng.normal()
    thermometer, blank, softening = 0.1 * rng.normal(), 1 + 0.1 * rng.normal(), compaction * rng.uniform()
    truths, plateaus = [], []
    for index, step in enumerate(steps):
        dp = step * psi * (1 + 0.02 * rng.normal())
        here = p * (1 - softening * dp)
        flow = (
            here
            * (1 + scatter * rng.normal())
            * dp
            * water.viscosity(REFERENCE)
            / water.viscosity(kelvin)
            * math.pi
            / 4
            * true_d**2
        )
        read = (dp + blank * (1e8 * flow + 1e12 * flow**2)) / gain + zero
        mass = flow * water.density(kelvin)
        # Noise of the plateau's own mean and slope, whose size is known with six degrees of freedom only.
        u_mass, u_read = (u * math.sqrt(rng.chisquare(6) / 6) for u in (0.002 * mass, 20.0))
        plateaus.append(
            Plateau(
                f"plateau {index}",
                "gauge",
                Estimate(read + 20 * rng.normal(), u_read, 6),
                Estimate(mass * (1 + 0.002 * rng.normal()), u_mass, 6),
                Estimate(kelvin - thermometer, 0.005, 6),
            )
        )
        truths.append(here)
    conditions = Conditions(
        Estimate(d, 5e-5),
        {"gauge": Transducer(Estimate(140.0, 20.0), Estimate(1.0, 1e-3))},
        thermometer=Estimate(0.0, 0.1),
        blank_a=1e8,
        blank_b=1e12,
        blank=Estimate(1.0, 0.1),
    )
    return float(np.mean(truths)), permeability(plateaus, conditions)


LADDER = (10.0, 20.0, 30.0, 40.0, 50.0, 25.0, 10.0)


@pytest.mark.parametrize(
    ("steps", "compaction", "scatter", "widest"),
    [
        ((10.0,), 0.0, 0.0, 1.15),
        ((10.0, 20.0), 0.0, 0.0, 1.15),
        ((10.0, 20.0, 30.0), 0.0, 0.0, 1.15),
        ((10.0, 20.0, 30.0), 0.002 / psi, 0.0, 1.6),
        ((10.0, 15.0, 20.0, 25.0, 30.0), 0.0, 0.01, 1.6),
        (LADDER, 0.0, 0.0, 1.15),
        (LADDER, 0.001 / psi, 0.0, 1.3),
        (LADDER, 0.0, 0.01, 1.3),
    ],
)
def test_the_interval_holds_the_truth_as_often_as_it_says_and_is_not_wider_than_it_must_be(
    steps: tuple[float, ...], compaction: float, scatter: float, widest: float
) -> None:
    """``widest`` is U over the 95th percentile of the errors that were made; 1 would be an interval that just fits."""
    rng = np.random.default_rng(8)
    within = []
    for _ in range(200):
        truth, result = _drawn(rng, steps, compaction, scatter)
        within.append(abs(result.at_reference.value - truth) / result.at_reference.U)

    assert np.mean(np.array(within) <= 1) >= 0.90
    assert max(within) <= 2
    assert 1 / np.quantile(within, 0.95) <= widest


def test_scatter_that_the_inputs_explain_adds_nothing_and_scatter_beyond_them_adds_itself() -> None:
    def result(off: float, known: float) -> Permeability:
        flows = 1e-4 * np.array([1 + off, 2.0, 3 * (1 - off / 9)])
        return permeability(
            [
                Plateau(f"{i}", "gauge", Estimate(i * 10 * psi), Estimate(float(q), known * q), Estimate(REFERENCE))
                for i, q in enumerate(flows, start=1)
            ],
            EXACT,
        )

    explained, unexplained = result(0.01, 0.02), result(0.01, 0.0001)

    assert {line.source for line in explained.at_reference.budget}.isdisjoint({SCATTER})
    assert explained.birge < 1 < unexplained.birge
    assert unexplained.at_reference.budget[0].source == SCATTER
