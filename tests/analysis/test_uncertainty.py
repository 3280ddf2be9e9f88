"""Budgets agree with the worked examples of the GUM and with Monte Carlo, and share what is shared."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest

from labrig.analysis import water
from labrig.analysis.uncertainty import Budget, Estimate, Uncertain, coverage_factor, through, total
from labrig.errors import AnalysisError
from labrig.model import Measured
from labrig.units import celsius, cm_per_min_per_psi, mL, mm, psi


def _measured(budget: Budget, result: Uncertain) -> Measured:
    return budget.measured(result, name="x", symbol="x", unit="", definition={})


def test_the_end_gauge_of_the_gum_has_its_published_uncertainty_and_degrees_of_freedom() -> None:
    """JCGM 100, H.1: 25 nm (18), 9.7 nm (25.6), 2.9 nm (50), 16.6 nm (2) make 32 nm with 16 degrees of freedom."""
    budget = Budget()
    parts = [
        budget.input("standard", Estimate(50_000_623.0, 25.0, 18)),
        budget.input("difference", Estimate(215.0, 9.7, 25.6)),
        budget.input("expansion", Estimate(0.0, 2.9, 50)),
        budget.input("temperature difference", Estimate(0.0, 16.6, 2)),
    ]

    length = _measured(budget, total(parts))

    assert length.value == 50_000_838
    assert round(length.u) == 32
    assert int(length.dof) == 16
    assert [line.source for line in length.budget][:2] == ["standard", "temperature difference"]


@pytest.mark.parametrize(
    ("dof", "factor"), [(1, 12.71), (2, 4.30), (6, 2.45), (16, 2.12), (50, 2.01), (math.inf, 1.96)]
)
def test_the_coverage_factor_is_that_of_the_gums_table(dof: float, factor: float) -> None:
    """JCGM 100, table G.2, 95 %."""
    assert coverage_factor(dof) == pytest.approx(factor, abs=0.005)


def test_a_weighed_permeability_has_the_components_of_the_worked_example() -> None:
    """50 mL in 60 s through 41.96 mm at 10 psi and 22 °C; 0.02 g, 0.1 s, 0.10 mm, 0.03 psi, 0.2 K."""
    budget = Budget()
    volume = budget.input("mass", Estimate(50 * mL, 0.02 * mL))
    time = budget.input("time", Estimate(60.0, 0.1))
    diameter = budget.input("diameter", Estimate(41.96 * mm, 0.10 * mm))
    pressure = budget.input("pressure", Estimate(10 * psi, 0.03 * psi))
    temperature = budget.input("temperature", Estimate(celsius(22), 0.2))
    raw = volume / (time * diameter * diameter * (math.pi / 4) * pressure)

    p = _measured(budget, raw * through(water.viscosity, temperature) / water.viscosity(celsius(25)))

    assert raw.x / cm_per_min_per_psi == pytest.approx(0.361584, abs=1e-6)
    assert p.value / cm_per_min_per_psi == pytest.approx(0.387736, abs=1e-6)
    components = {line.source: round(100 * line.contribution / p.value, 3) for line in p.budget}
    assert components == {"mass": 0.040, "time": 0.167, "diameter": 0.477, "pressure": 0.300, "temperature": 0.476}
    assert round(2 * p.u / cm_per_min_per_psi, 4) == 0.0059


def test_the_propagation_agrees_with_monte_carlo() -> None:
    """The distribution of 200 000 draws (JCGM 101) has the standard deviation of the budget within its own noise."""
    rng = np.random.default_rng(3)
    draws = 200_000
    flow, diameter, pressure, kelvin = (
        rng.normal(value, u, draws)
        for value, u in ((8.3e-7, 4e-9), (0.042, 1e-4), (69_000.0, 300.0), (celsius(22), 0.3))
    )
    sample = flow / (math.pi / 4 * diameter**2 * pressure) * water.viscosity(kelvin)
    budget = Budget()
    q, d, dp, t = (
        budget.input(name, Estimate(value, u))
        for name, value, u in (
            ("q", 8.3e-7, 4e-9),
            ("d", 0.042, 1e-4),
            ("dp", 69_000.0, 300.0),
            ("t", celsius(22), 0.3),
        )
    )

    result = _measured(budget, q / (d * d * (math.pi / 4) * dp) * through(water.viscosity, t))

    assert result.value == pytest.approx(float(sample.mean()), rel=1e-3)
    assert result.u == pytest.approx(float(sample.std()), rel=0.01)


def test_what_two_terms_have_in_common_cancels_in_their_difference() -> None:
    budget = Budget()
    zero = budget.input("zero", Estimate(5.0, 2.0))
    first, second = (budget.input(name, Estimate(10.0, 0.3)) - zero for name in ("first", "second"))

    difference = _measured(budget, first - second)

    assert difference.u == pytest.approx(0.3 * math.sqrt(2))
    assert {line.source for line in difference.budget} == {"first", "second"}


def test_what_two_terms_have_in_common_adds_in_their_sum() -> None:
    budget = Budget()
    gain = budget.input("gain", Estimate(1.0, 0.01))

    assert _measured(budget, gain * 3 + gain * 4).u == pytest.approx(0.07)


def test_a_result_without_uncertain_inputs_is_certain() -> None:
    budget = Budget()

    exact = _measured(budget, budget.input("length", Estimate(2.0)) * 3)

    assert (exact.value, exact.u, exact.U) == (6.0, 0.0, 0.0)
    assert exact.budget == ()


@pytest.mark.parametrize(
    "estimate",
    [Estimate(math.nan), Estimate(1.0, math.nan), Estimate(1.0, -1.0), Estimate(math.inf), Estimate(1.0, 1.0, 0.0)],
)
def test_an_input_that_is_no_estimate_is_refused_by_name(estimate: Estimate) -> None:
    with pytest.raises(AnalysisError, match="zero of the gauge"):
        Budget().input("zero of the gauge", estimate)


def test_reading_the_formulas_does_not_load_the_library_behind_them() -> None:
    """It takes a second; processes that only describe or record must not pay for it."""
    code = "import sys, labrig.analysis.permeability, labrig.analysis.steady; print('GTC' in sys.modules)"

    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert printed.strip() == "False"
