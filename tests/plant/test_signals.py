"""Transmitters and converters deliver what their data sheets promise, whatever the pieces they are read in."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labrig.model import Floats
from labrig.plant.membrane import load_membrane
from labrig.plant.plant import Plant
from labrig.plant.spec import PlantSpec
from labrig.plant.transmitters import Transmitter
from labrig.units import celsius, cm_per_min_per_psi, mA, mL_per_min, mV, percent, psi
from tests.plant.rigs import (
    FEED,
    FLOW,
    LOW_PRESSURE,
    PRESSURE,
    REGULATOR,
    TEMPERATURE,
    VENT,
    VESSEL_PRESSURE,
    bench,
    exact,
    ideal,
    plain,
    pressurised,
)

LSB = 21 / 2**16  # of a 16-bit converter from -10.5 V to 10.5 V


def with_transmitter(transmitter: Transmitter) -> PlantSpec:
    return ideal().model_copy(update={"transmitters": (transmitter,)})


@pytest.fixture(scope="module")
def busy() -> Plant:
    """Half a minute in which everything moves."""
    plant = Plant(bench("bench-25"), load_membrane("example-v"), 5)
    plant.command(VENT, 1)
    plant.command(FEED, 1)
    for second in range(30):
        if second % 6 == 0:
            plant.command(REGULATOR, 1 + second / 10)
        plant.advance(second + 1)
    return plant


@settings(max_examples=30)
@given(st.data())
def test_samples_are_the_same_in_whatever_pieces_they_are_read(busy: Plant, data: st.DataObject) -> None:
    rate = data.draw(st.sampled_from([100.0, 333.0, 5000.0]))
    address = data.draw(st.sampled_from([PRESSURE, LOW_PRESSURE, FLOW, TEMPERATURE, "cDAQ1Mod1/ai15"]))
    start = data.draw(st.floats(0, 5))
    total = data.draw(st.integers(1, int((30 - start) * rate)))
    cuts = sorted(data.draw(st.lists(st.integers(0, total), max_size=6)))
    whole = busy.acquire(address, 0, total, rate, start)

    pieces = [
        busy.acquire(address, first, last - first, rate, start)
        for first, last in zip([0, *cuts], [*cuts, total], strict=True)
    ]

    assert np.array_equal(np.concatenate(pieces), whole)


def test_samples_do_not_depend_on_when_they_are_read() -> None:
    def deliver(early: bool) -> Floats:
        plant = Plant(bench("bench-25"), load_membrane("example-v"), 5)
        pieces = []
        plant.command(VENT, 1)
        plant.command(FEED, 1)
        plant.command(REGULATOR, 2.0)
        for second in range(10):
            plant.advance(second + 1)
            if early:
                pieces.append(plant.acquire(PRESSURE, 100 * second, 100, 100.0, 0.0))
        return np.concatenate(pieces) if early else plant.acquire(PRESSURE, 0, 1000, 100.0, 0.0)

    assert np.array_equal(deliver(early=True), deliver(early=False))


def test_the_same_seed_delivers_the_same_samples_and_another_seed_others() -> None:
    def deliver(seed: int) -> Floats:
        return pressurised(Plant(bench("bench-47"), plain(), seed), 10 * psi).acquire(FLOW, 0, 1400, 100.0, 0.0)

    assert np.array_equal(deliver(1), deliver(1))
    assert not np.array_equal(deliver(1), deliver(2))


def test_a_pressure_reads_as_its_share_of_the_span() -> None:
    plant = pressurised(Plant(ideal(), plain(), 0), 30 * psi)

    (volts,) = plant.signal(PRESSURE, np.array([14.0]))

    assert volts == pytest.approx(3.0, abs=1e-4)
    (delivered,) = plant.acquire(PRESSURE, 1400, 1, 100.0, 0.0)
    assert abs(delivered - volts) <= LSB / 2


def test_flow_and_temperature_are_currents_with_a_live_zero() -> None:
    plant = Plant(ideal(), plain(), 0)
    plant.advance(1)
    still = plant.signal(FLOW, np.array([0.5]))[0]
    pressurised(plant, 10 * psi)

    # 553 of 1000 mL/min; 25 of 50 °C.
    assert still == pytest.approx(4 * mA)
    assert plant.signal(FLOW, np.array([15.0]))[0] == pytest.approx((4 + 16 * 0.553) * mA, rel=1e-3)
    assert plant.signal(TEMPERATURE, np.array([15.0]))[0] == pytest.approx(12 * mA)


def test_a_small_gauge_saturates_and_recovers() -> None:
    plant = pressurised(Plant(ideal(), plain(), 0), 30 * psi)
    over = plant.signal(LOW_PRESSURE, np.array([14.0]))[0]
    delivered = plant.acquire(LOW_PRESSURE, 1400, 1, 100.0, 0.0)[0]
    plant.command(REGULATOR, 0.2)
    plant.advance(40)

    assert over == 10.5
    assert 10.49 < delivered < 10.5
    assert plant.signal(LOW_PRESSURE, np.array([39.0]))[0] == pytest.approx(4.0, abs=2e-3)


def test_a_loop_saturates_where_namur_says() -> None:
    plant = pressurised(Plant(ideal(), plain(), 0), 30 * psi)

    assert plant.signal(FLOW, np.array([14.0]))[0] == pytest.approx(20.5 * mA)


def test_a_lag_answers_a_step_with_its_exponential() -> None:
    """The feed shuts and a membrane of 300 cm/min/psi empties the cell within milliseconds."""
    slow = exact("feed_pressure", PRESSURE, lag=0.5)
    plant = pressurised(Plant(with_transmitter(slow), plain(300 * cm_per_min_per_psi), 0), 50 * psi, 10)
    plant.command(FEED, 0)
    plant.advance(15)
    shut = 10.05

    after = plant.signal(PRESSURE, shut + np.array([0.5, 1.0, 2.0]))

    assert after == pytest.approx(5 * np.exp([-1.0, -2.0, -4.0]), rel=0.01)


def test_a_flow_below_the_cut_off_reads_as_none() -> None:
    meter = exact("permeate_flow", FLOW, cut_off=2 * percent)
    below, above = (
        pressurised(Plant(with_transmitter(meter), plain(), 3), pressure * psi).signal(FLOW, np.array([14.0]))[0]
        for pressure in (0.3, 0.5)  # 16.6 and 27.7 mL/min
    )

    assert below == 4 * mA
    assert above == pytest.approx((4 + 16 * 0.0277) * mA, rel=0.01)


def test_hysteresis_separates_rising_from_falling_by_its_band() -> None:
    plant = Plant(with_transmitter(exact("feed_pressure", PRESSURE, hysteresis=0.5 * percent)), plain(), 0)
    pressurised(plant, 10 * psi, seconds=30)
    pressurised(plant, 60 * psi, seconds=30)
    plant.command(REGULATOR, 3.0)
    plant.advance(90)
    falling = plant.signal(PRESSURE, np.array([89.0]))[0]

    # 0.5 % of 10 V apart; after the undershoot of the step the reading sits within the band.
    assert abs(falling - 3.0) <= 0.025 + 1e-4
    assert abs(falling - 3.0) > 0.02


def test_noise_is_what_transmitter_and_converter_add_together() -> None:
    plant = Plant(bench("bench-47"), plain(), 11)
    plant.advance(100)
    samples = plant.acquire(PRESSURE, 0, 90_000, 1000.0, 1.0)

    # 0.01 % of 10 V and 0.3 mV; rounding to steps of 0.32 mV adds its twelfth.
    expected = math.sqrt((1 * mV) ** 2 + (0.3 * mV) ** 2 + LSB**2 / 12)
    assert samples.std() == pytest.approx(expected, rel=0.02)
    lag_one = np.corrcoef(samples[:-1], samples[1:])[0, 1]
    assert abs(lag_one) < 0.02


def test_samples_come_in_steps_of_the_converter() -> None:
    plant = Plant(bench("bench-47"), plain(), 11)
    plant.advance(2)

    codes = plant.acquire(PRESSURE, 0, 1000, 1000.0, 0.5) / LSB

    assert np.abs(codes - np.rint(codes)).max() < 1e-6


def test_an_unwired_terminal_reads_noise_about_zero() -> None:
    plant = Plant(bench("bench-47"), plain(), 11)

    samples = plant.acquire("cDAQ1Mod1/ai15", 0, 10_000, 50e3, 0.0)

    assert abs(samples.mean()) < 0.02 * mV
    assert samples.std() == pytest.approx(0.3 * mV, rel=0.1)


def test_errors_of_gain_and_offset_are_drawn_as_specified() -> None:
    def zero_and_gain(seed: int) -> tuple[float, float]:
        plant = Plant(bench("bench-47"), plain(), seed)
        plant.advance(1)
        zero = plant.signal(PRESSURE, np.array([0.5]))[0]
        truth = pressurised(plant, 10 * psi, seconds=12).truth()["feed_pressure"] / (10 * psi)
        return zero, (plant.signal(PRESSURE, np.array([plant.time]))[0] - zero) / truth - 1

    zeros, gains = np.array([zero_and_gain(seed) for seed in range(150)]).T

    # 0.05 % of 10 V; 0.1 % of the reading (with 0.02 % of hysteresis).
    assert zeros.std() == pytest.approx(5 * mV, rel=0.2)
    assert gains.std() == pytest.approx(0.1 * percent, rel=0.25)
    assert abs(zeros.mean()) < 1.5 * mV


def test_the_plant_says_what_is_wired_where() -> None:
    addresses = Plant(bench("bench-25"), plain(), 0).addresses

    assert addresses[PRESSURE] == addresses[LOW_PRESSURE] == addresses[VESSEL_PRESSURE] == "analog voltage"
    assert addresses[FLOW] == addresses[TEMPERATURE] == "analog current"
    assert addresses[FEED] == "digital output"
    assert addresses[REGULATOR] == "analog output"
    assert addresses["balance"] == "balance"


def test_an_unwired_output_remembers_its_command_and_moves_nothing() -> None:
    plant = Plant(ideal(), plain(), 0)

    plant.command("cDAQ1Mod3/port0/line7", 1)
    plant.advance(1)

    assert plant.readback("cDAQ1Mod3/port0/line7") == 1
    assert plant.truth()["feed_open"] == 0


def test_the_future_and_the_distant_past_are_not_delivered(busy: Plant) -> None:
    with pytest.raises(ValueError, match="advance it first"):
        busy.acquire(PRESSURE, 0, 100, 10.0, 25.0)

    plant = Plant(ideal(), plain(), 0)
    for second in range(4000):
        plant.advance(second / 4)
    assert plant.signal(PRESSURE, np.array([plant.time - 120])).shape == (1,)
    with pytest.raises(ValueError, match="remembers"):
        plant.signal(PRESSURE, np.array([100.0]))


def test_plateau_signals_give_back_the_membranes_permeance() -> None:
    """Mean pressure and mass gained, worked up by hand as a technician would, meet the plant's own truth."""
    spec = bench("bench-25")
    plant = pressurised(Plant(spec, load_membrane("example-v"), 21), 10 * psi, seconds=10)
    begun = plant.weigh("balance", 10.0).grams
    plant.advance(70)
    grams = plant.weigh("balance", 70.0).grams - begun + 0.01  # evaporation of a minute
    zero = Plant(spec, load_membrane("example-v"), 21)
    zero.advance(6)
    volts = plant.acquire(PRESSURE, 1000, 6000, 100.0, 0.0).mean() - zero.acquire(PRESSURE, 0, 600, 100.0, 0.0).mean()

    pressure = volts / 10 * 100 * psi - 997.8 * 9.80665 * 0.03
    flow = grams / 997.8 / 60 * 1e-3
    area = plant.truth()["area"]  # not what the drawing says
    p25 = flow / area / pressure * (0.9544 / 0.8900)  # at 22 °C

    assert p25 == pytest.approx(plant.true_permeance(10, 70), rel=0.005)


def test_the_flow_meter_and_the_balance_agree() -> None:
    plant = pressurised(Plant(ideal(), plain(), 2), 10 * psi, seconds=70)

    metered = (plant.acquire(FLOW, 1000, 6000, 100.0, 0.0).mean() - 4 * mA) / (16 * mA) * 1000 * mL_per_min
    weighed = (plant.weigh("balance", 70.0).grams - plant.weigh("balance", 10.0).grams) / 997.05 / 60 * 1e-3

    assert metered == pytest.approx(weighed, rel=2e-3)


def test_a_thermometer_follows_a_drifting_water() -> None:
    spec = bench("bench-25")
    spec = spec.model_copy(update={"water": spec.water.model_copy(update={"drift": 1.0, "wander": 0.0})})
    plant = Plant(spec, plain(), 0)
    plant.advance(3600)

    assert plant.truth()["temperature"] == pytest.approx(celsius(23))
    read = plant.acquire(TEMPERATURE, 0, 100, 100.0, 3590.0).mean()
    assert celsius((read - 4 * mA) / (16 * mA) * 50) == pytest.approx(celsius(23), abs=0.4)
