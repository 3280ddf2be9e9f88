"""The regulator lags, overshoots and droops as the spec says; the vent lets the pressure go."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig.plant.gas import Headspace
from labrig.plant.spec import PressureRegulator
from labrig.units import L, L_per_min, psi


def headspace(overshoot: float = 0.03, lag: float = 0.4, droop: float = 0.0) -> Headspace:
    spec = PressureRegulator(lag=lag, overshoot=overshoot, droop=droop, gain_sd=0.0, offset_sd=0.0)
    return Headspace(spec, 0, vent_time=0.3)


def course(gas: Headspace, seconds: float, step: float = 0.01, *, vented: bool = False) -> list[float]:
    pressures = []
    for _ in range(round(seconds / step)):
        gas.step(step, flow=0.0, vented=vented, headspace=5 * L)
        pressures.append(gas.pressure)
    return pressures


@pytest.mark.parametrize("overshoot", [0.02, 0.03, 0.05])
def test_a_step_overshoots_by_the_specified_share_and_settles(overshoot: float) -> None:
    gas = headspace(overshoot)
    gas.set(2.0)

    pressures = course(gas, 10.0)

    assert max(pressures) / (20 * psi) == pytest.approx(1 + overshoot, abs=2e-4)
    assert pressures[-1] == pytest.approx(20 * psi, rel=1e-6)


def test_the_envelope_closes_with_the_specified_time_constant() -> None:
    """Without overshoot the error is that of a critically damped system: (1 + t/τ)·exp(-t/τ)."""
    gas = headspace(overshoot=0.0)
    gas.set(1.0)

    (pressure,) = course(gas, 0.4, step=0.4)

    assert 1 - pressure / (10 * psi) == pytest.approx(2 / math.e, rel=0.02)


@given(st.lists(st.floats(0.001, 0.5), min_size=1, max_size=20))
def test_the_course_does_not_depend_on_the_steps(steps: list[float]) -> None:
    whole, pieces = headspace(), headspace()
    whole.set(3.0)
    pieces.set(3.0)

    whole.step(sum(steps), flow=0.0, vented=False, headspace=5 * L)
    for step in steps:
        pieces.step(step, flow=0.0, vented=False, headspace=5 * L)

    assert pieces.pressure == pytest.approx(whole.pressure, abs=1e-3)
    assert pieces.rate == pytest.approx(whole.rate, abs=1e-2)


def test_flow_makes_the_pressure_droop_in_proportion() -> None:
    gas = headspace(droop=0.5 * psi)
    gas.set(1.0)

    assert gas.target(0.0) == pytest.approx(10 * psi)
    assert gas.target(1 * L_per_min) == pytest.approx(9.75 * psi)
    assert gas.target(2 * L_per_min) == pytest.approx(9.5 * psi)


def test_the_vent_lets_the_pressure_go_with_its_time_constant() -> None:
    gas = headspace()
    gas.set(5.0)
    course(gas, 20.0)
    gas.set(0.0)

    pressures = np.array(course(gas, 3.0, vented=True))

    assert pressures[29] / (50 * psi) == pytest.approx(math.exp(-1), rel=1e-3)
    assert pressures[-1] < 0.01 * psi


@given(st.floats(-5, 20))
def test_no_command_asks_for_more_than_the_regulators_range(volts: float) -> None:
    gas = headspace()

    gas.set(volts)

    assert 0 <= gas.setpoint <= 100 * psi * (1 + 1e-12)
