"""The balance shows what lies on its pan, late, filtered, rounded, and says when it cannot."""

from __future__ import annotations

from itertools import pairwise

import pytest

from labrig.plant.plant import Plant
from labrig.plant.spec import Balance
from labrig.units import cm_per_min_per_psi, g, g_per_min, minute, psi
from tests.plant.rigs import FEED, bench, exact_balance, ideal, plain, pressurised


def weighed(plant: Plant, at: float) -> float:
    return plant.weigh("balance", at).grams


def test_a_quiet_balance_shows_the_beakers_water_and_is_settled() -> None:
    plant = Plant(ideal(permeate=exact_balance(water=50 * g)), plain(), 0)
    plant.advance(5)

    weighing = plant.weigh("balance", 4.0)

    assert (weighing.grams, weighing.settled, weighing.load) == (50.0, True, "in range")


def test_a_reading_is_late_by_latency_and_filter() -> None:
    """At a steady inflow a first-order filter lags by its time constant: 0.15 s + 0.2 s of 9.19 g/s."""
    plant = pressurised(Plant(ideal(permeate=exact_balance()), plain(), 0), 10 * psi, seconds=20)

    on_pan = plant.truth()["beaker_mass"]
    rate = plant.truth()["permeate_flow"] * 997.05

    assert weighed(plant, 20.0) * g == pytest.approx(on_pan - 0.35 * rate, abs=0.01 * g)
    assert not plant.weigh("balance", 20.0).settled


def test_water_weighs_less_in_air_than_the_steel_that_adjusted_the_balance() -> None:
    """A litre in air of 1.2 kg/m³ shows 1.05 g less than its mass (ISO 8655-6 has Z = 1.00105 cm³/g beside density)."""
    in_air = exact_balance(water=1000 * g, air_density=1.2)
    plant = Plant(ideal(permeate=in_air), plain(), 0)
    plant.advance(10)

    assert 1000 - weighed(plant, 10.0) == pytest.approx(1.05, abs=0.01)


def test_readings_change_at_the_update_rate_only() -> None:
    plant = pressurised(Plant(ideal(permeate=exact_balance(update_rate=5.0)), plain(), 0), 10 * psi, seconds=20)

    assert weighed(plant, 15.21) == weighed(plant, 15.39) < weighed(plant, 15.41)


def test_readings_are_multiples_of_the_readability() -> None:
    plant = pressurised(Plant(bench("bench-13"), plain(), 0), 10 * psi, seconds=20)

    for tenth in range(200):
        grams = weighed(plant, tenth / 10)
        assert grams == round(grams, 3)


def test_an_overfull_pan_stays_at_overload_until_the_beaker_is_emptied() -> None:
    small = exact_balance(capacity=700 * g, vessel_mass=400 * g, water=50 * g, vessel_capacity=5000 * g)
    plant = pressurised(Plant(ideal(permeate=small), plain(), 0), 10 * psi, seconds=60)

    assert plant.weigh("balance", 20.0).load == "in range"
    assert plant.weigh("balance", 60.0).load == "overload"

    plant.command(FEED, 0)
    plant.empty_beaker()
    plant.advance(70)
    assert plant.weigh("balance", 69.0).load == "in range"
    assert weighed(plant, 69.0) < 20


def test_a_lifted_beaker_is_an_underload_and_what_flows_meanwhile_is_lost() -> None:
    plant = pressurised(Plant(ideal(permeate=exact_balance(water=0.0)), plain(), 0), 10 * psi, seconds=20)
    held = plant.truth()["beaker_mass"]

    plant.stand_beaker(on_pan=False)
    plant.advance(30)
    lifted = plant.weigh("balance", 30.0)
    plant.stand_beaker(on_pan=True)
    plant.command(FEED, 0)
    plant.advance(40)

    assert (lifted.load, round(lifted.grams)) == ("underload", -400)
    assert plant.weigh("balance", 40.0).load == "in range"
    assert plant.truth()["spilled_mass"] == pytest.approx(10 * 9.19 * g, rel=0.01)
    assert weighed(plant, 40.0) * g == pytest.approx(held, abs=1.5 * g)  # and what came until the valve shut


def test_a_full_beaker_runs_over_and_gains_no_more() -> None:
    small = exact_balance(vessel_capacity=200 * g, water=50 * g)
    plant = pressurised(Plant(ideal(permeate=small), plain(), 0), 10 * psi, seconds=60)

    assert weighed(plant, 60.0) == 200.0
    truth = plant.truth()
    assert truth["spilled_mass"] == pytest.approx(truth["delivered_mass"] - 150 * g)


def test_without_flow_the_beaker_loses_what_evaporates() -> None:
    plant = Plant(ideal(permeate=exact_balance(evaporation=0.05 * g_per_min)), plain(), 0)
    plant.advance(30)
    start = weighed(plant, 30.0)
    plant.advance(30 + 10 * minute)

    assert start - weighed(plant, 630.0) == pytest.approx(0.5, abs=0.011)


def test_an_empty_beaker_does_not_evaporate() -> None:
    plant = Plant(ideal(permeate=exact_balance(water=0.1 * g, evaporation=0.01 * g_per_min)), plain(), 0)
    plant.advance(1000)

    assert weighed(plant, 1000.0) == 0
    assert plant.truth()["evaporated_mass"] == pytest.approx(0.1 * g)


def test_slow_drops_fall_one_by_one_and_lose_nothing() -> None:
    """4.15 mL/min in drops of 50 mg: one every 0.72 s, steps of 50 mg in between a flat line."""
    dripping = exact_balance(outlet="dripping", drop=0.05 * g, readability=0.001 * g, water=0.0, filter=0.02)
    plant = pressurised(Plant(ideal(permeate=dripping), plain(0.01 * cm_per_min_per_psi), 0), 30 * psi, seconds=100)

    shown = [weighed(plant, 50 + tenth / 10) for tenth in range(500)]

    steps = [b - a for a, b in pairwise(shown)]
    still = sum(abs(step) < 0.0015 for step in steps)
    assert still > 0.75 * len(steps)
    assert shown[-1] - shown[0] == pytest.approx(4.15 / 60 * 49.9 * 0.997, abs=0.051)


def test_drops_that_stream_weigh_as_much_as_a_submerged_outlet() -> None:
    def gained(outlet: str) -> float:
        plant = pressurised(Plant(ideal(permeate=exact_balance(outlet=outlet)), plain(), 0), 10 * psi, 60)
        return weighed(plant, 60.0)

    assert gained("dripping") == pytest.approx(gained("submerged"), abs=0.06)


def test_scatter_is_the_balances_repeatability() -> None:
    plant = Plant(ideal(permeate=Balance(readability=0.001 * g, repeatability=0.02 * g, evaporation=0.0)), plain(), 4)
    plant.advance(100)
    shown = [weighed(plant, tenth / 10) for tenth in range(1000)]

    mean = sum(shown) / len(shown)
    assert (sum((grams - mean) ** 2 for grams in shown) / len(shown)) ** 0.5 == pytest.approx(0.02, rel=0.1)


def test_another_address_is_no_balance() -> None:
    with pytest.raises(ValueError, match="the balance is at"):
        Plant(ideal(), plain(), 0).weigh("COM9", 0.0)
