"""The plant's flows meet hand calculations; what leaves the vessel arrives somewhere; steps do not show."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labrig.plant.membrane import Membrane, load_membrane
from labrig.plant.plant import Plant
from labrig.plant.spec import Balance, FeedVessel, Line, Plumbing
from labrig.units import L, celsius, cm, cm_per_min_per_psi, g, g_per_min, minute, mL, mL_per_min, mm, percent, psi
from tests.plant.rigs import DRAIN, FEED, NOTHING, REGULATOR, VENT, bench, ideal, plain, pressurised


@pytest.mark.parametrize(
    ("permeance", "pressure", "flow"),
    [
        *((0.5, 10, 69), (1.2, 10, 166), (3, 10, 415), (30, 1, 415), (4, 10, 553), (0.9, 10, 124), (0.32, 30, 133)),
        *((7.4, 10, 1023), (0.01, 30, 4.15)),
    ],
)
def test_the_examples_flow_as_calculated_by_hand(permeance: float, pressure: float, flow: float) -> None:
    """p·A·ΔP on 13.83 cm² at 25 °C, in mL/min, to the digits given."""
    plant = pressurised(Plant(ideal(), plain(permeance * cm_per_min_per_psi), 0), pressure * psi)

    assert plant.truth()["permeate_flow"] / mL_per_min == pytest.approx(flow, rel=0.005)


def test_cold_water_flows_more_slowly_in_proportion_to_its_viscosity() -> None:
    """At 18 °C a membrane of 4 cm/min/psi at 25 °C shows 4/1.1828 = 3.382."""
    truth = pressurised(Plant(ideal(temperature=celsius(18)), plain(), 0), 10 * psi).truth()

    raw = truth["permeate_flow"] / truth["area"] / truth["transmembrane_pressure"]

    assert raw / cm_per_min_per_psi == pytest.approx(3.382, abs=0.0005)
    assert truth["permeance"] == pytest.approx(4 * cm_per_min_per_psi)


def test_compaction_takes_its_share_at_once_and_gives_it_back() -> None:
    membrane = plain().model_copy(update={"compaction": 0.001 / psi})
    plant = pressurised(Plant(ideal(), membrane, 0), 20 * psi)
    under_pressure = plant.truth()["permeance"]

    plant.command(REGULATOR, 0.0)
    plant.advance(plant.time + 30)

    assert under_pressure / cm_per_min_per_psi == pytest.approx(4 * (1 - 0.020), rel=1e-5)
    assert plant.truth()["permeance"] / cm_per_min_per_psi == pytest.approx(4, rel=1e-4)


def test_creep_goes_on_under_pressure_only_and_stays() -> None:
    membrane = plain().model_copy(update={"creep": 0.05, "creep_time": 100.0})
    plant = Plant(ideal(), membrane, 0)
    plant.advance(1000)
    before = plant.truth()["permeance"]
    pressurised(plant, 10 * psi, seconds=100)
    during = plant.truth()["permeance"]
    plant.command(REGULATOR, 0.0)
    plant.advance(plant.time + 20)
    stopped = plant.truth()["permeance"]
    plant.advance(plant.time + 1000)

    assert before == pytest.approx(membrane.permeance)
    assert during / membrane.permeance == pytest.approx(1 - 0.05 * (1 - math.exp(-1)), rel=2e-4)
    assert plant.truth()["permeance"] == pytest.approx(stopped, rel=1e-4)


def test_the_outlets_height_works_against_the_flow() -> None:
    head = Plumbing(feed=NOTHING, cell=NOTHING, head=10 * cm)
    truth = pressurised(Plant(ideal(plumbing=head), plain(), 0), 10 * psi).truth()

    # 10 cm of water at 25 °C: 997.05·9.80665·0.1 = 977.8 Pa.
    assert truth["feed_pressure"] - truth["transmembrane_pressure"] == pytest.approx(977.8, abs=0.1)


def test_nothing_flows_before_power_and_pressure_come() -> None:
    plant = Plant(ideal(), plain(), 0)
    plant.advance(60)
    truth = plant.truth()

    assert (truth["feed_open"], truth["vent_open"], truth["drain_open"]) == (0, 1, 0)
    assert truth["permeate_flow"] == truth["vessel_pressure"] == truth["delivered_mass"] == 0


def test_valves_move_after_their_delay_and_a_revoked_order_never_shows() -> None:
    plant = Plant(ideal(), plain(), 0)
    plant.command(FEED, 1)
    plant.advance(0.029)
    assert plant.truth()["feed_open"] == 0
    plant.advance(0.031)
    assert plant.truth()["feed_open"] == 1

    plant.command(FEED, 0)
    plant.advance(0.05)
    plant.command(FEED, 1)
    plant.advance(1.0)

    assert plant.readback(FEED) == 1
    assert plant.truth()["feed_open"] == 1


def test_without_power_the_rig_empties_itself_of_pressure() -> None:
    plant = pressurised(Plant(bench("bench-47"), load_membrane("example-v"), 1), 20 * psi)

    for address in (FEED, VENT, DRAIN, REGULATOR):
        plant.command(address, 0)
    plant.advance(plant.time + 10)

    truth = plant.truth()
    assert truth["vessel_pressure"] < 0.01 * psi
    assert truth["feed_pressure"] < 0.1 * psi


def test_a_tight_membrane_keeps_the_cell_under_pressure_until_the_drain_opens() -> None:
    plant = pressurised(Plant(ideal(), plain(0.01 * cm_per_min_per_psi), 0), 30 * psi)
    plant.command(FEED, 0)
    plant.advance(plant.time + 1)
    shut_in = plant.truth()["feed_pressure"]

    plant.command(DRAIN, 1)
    plant.advance(plant.time + 1)

    assert shut_in > 20 * psi
    assert plant.truth()["feed_pressure"] < 0.1 * psi


def test_trapped_gas_drives_out_its_volume_by_boyles_law() -> None:
    """1 mL at the atmosphere gives way by 1 mL·(1 - 1/(1 + 30 psi/14.696 psi)) = 0.671 mL, all into the beaker."""
    plant = pressurised(Plant(ideal(), plain(0.1 * cm_per_min_per_psi), 0), 30 * psi, seconds=30)
    plant.command(FEED, 0)
    plant.advance(plant.time + 0.05)
    before = plant.truth()["delivered_mass"]
    plant.advance(plant.time + 300)

    assert (plant.truth()["delivered_mass"] - before) / g == pytest.approx(0.671 * 0.997, rel=1e-3)


def test_the_feed_runs_empty_and_the_flow_ends_under_pressure() -> None:
    little = FeedVessel(volume=2 * L, level=0.5 * L)
    plant = pressurised(Plant(ideal(vessel=little), plain(), 0), 10 * psi, seconds=50)
    assert plant.truth()["permeate_flow"] > 500 * mL_per_min

    plant.advance(120)

    truth = plant.truth()
    assert truth["level"] == truth["permeate_flow"] == 0
    assert truth["feed_pressure"] == pytest.approx(10 * psi, rel=1e-3)
    assert truth["delivered_mass"] == pytest.approx(0.49838, abs=0.0003)  # 0.5 L less the cell's 0.4 mL, at 25 °C

    plant.refill_vessel()
    plant.advance(150)
    assert plant.truth()["permeate_flow"] > 500 * mL_per_min


def test_the_level_sinks_and_its_head_with_it() -> None:
    vessel = FeedVessel(volume=12 * L, level=10 * L, diameter=20 * cm, level_above_tap=10 * cm)
    plant = Plant(ideal(vessel=vessel), plain(), 0)
    plant.command(FEED, 1)
    plant.advance(1)
    # Gravity alone: 977.8 Pa on the membrane.
    assert plant.truth()["feed_pressure"] == pytest.approx(977.8, rel=0.01)

    pressurised(plant, 10 * psi, seconds=340)

    drawn = plant.truth()["delivered_mass"] / 997.05
    sunk = drawn / (math.pi * (10 * cm) ** 2)
    assert plant.truth()["feed_pressure"] - 10 * psi == pytest.approx(997.05 * 9.80665 * (0.1 - sunk), abs=3)


COMMANDS = st.lists(
    st.tuples(
        st.sampled_from([FEED, VENT, DRAIN, REGULATOR]), st.floats(0, 4), st.floats(0.01, 20), st.sampled_from([0, 1])
    ),
    max_size=15,
)


@settings(max_examples=40)
@given(COMMANDS, st.sampled_from(["example-iv", "example-v", "psed"]))
def test_water_is_neither_made_nor_lost(commands: list[tuple[str, float, float, int]], membrane: str) -> None:
    """Whatever is commanded: level lost = delivered + drained + held by the cell; beaker = delivered - evaporated."""
    balance = Balance(evaporation=1 * g_per_min, vessel_capacity=500 * g, water=20 * g)
    vessel = FeedVessel(volume=3 * L, level=1 * L)
    line = Line(diameter=6 * mm, length=1.0, fittings=4.0)
    spec = ideal(permeate=balance, vessel=vessel, plumbing=Plumbing(feed=line, cell=line))
    plant = Plant(spec, load_membrane(membrane), 0)
    plant.command(VENT, 1)
    plant.command(FEED, 1)
    for address, volts, wait, coil in commands:
        plant.command(address, volts if address == REGULATOR else coil)
        plant.advance(plant.time + wait)

    truth = plant.truth()
    held = 1 * mL * truth["feed_pressure"] / (truth["feed_pressure"] + 101325)
    lost = (1 * L - truth["level"]) * 997.047
    gone = truth["delivered_mass"] + truth["drained_mass"]
    if truth["level"] > 0:
        assert gone == pytest.approx(lost - held * 997.047, abs=0.01 * g, rel=1e-6)
    else:  # gas has taken the place of some of the water that the cell held
        assert lost - 1.1 * g < gone < lost + 0.01 * g
    kept = 20 * g + truth["delivered_mass"] - truth["evaporated_mass"] - truth["spilled_mass"]
    assert truth["beaker_mass"] == pytest.approx(kept, abs=1e-9)
    assert min(truth["permeate_flow"], truth["drain_flow"], truth["level"], truth["feed_pressure"]) >= 0


@settings(max_examples=25)
@given(st.floats(1, 60), st.floats(1, 60))
def test_more_pressure_gives_more_flow(one: float, other: float) -> None:
    low, high = sorted((one, other))
    flows = [
        pressurised(Plant(bench("bench-13"), load_membrane("example-v"), 1), pressure * psi).truth()["permeate_flow"]
        for pressure in (low, high)
    ]

    assert flows[0] <= flows[1] * (1 + 1e-9)


@pytest.mark.parametrize("membrane", ["example-v", "psed"])
def test_long_steps_agree_with_steps_of_a_millisecond(membrane: str) -> None:
    """Pressure steps, vent, drain and shut-off; every pressure to 0.02 psi, every mass to 0.1 %."""
    moves = [(0.0, VENT, 1.0), (0.0, FEED, 1.0), (0.0, REGULATOR, 1.0), (5.0, REGULATOR, 3.0), (9.0, FEED, 0.0)]
    moves += [(11.0, FEED, 1.0), (13.0, VENT, 0.0), (15.0, DRAIN, 1.0)]
    courses = [_course(load_membrane(membrane), moves, until=16.0, step=step) for step in (1e-3, 0.25)]

    for fine, coarse in zip(*courses, strict=True):
        for pressure in ("vessel_pressure", "feed_pressure", "transmembrane_pressure"):
            assert coarse[pressure] == pytest.approx(fine[pressure], abs=0.02 * psi)
        for mass in ("delivered_mass", "drained_mass"):
            assert coarse[mass] == pytest.approx(fine[mass], rel=1e-3, abs=0.5 * 1e-6)


def _course(
    membrane: Membrane, moves: list[tuple[float, str, float]], *, until: float, step: float
) -> list[dict[str, float]]:
    plant, truths, pending = Plant(bench("bench-47"), membrane, 3), [], list(moves)
    for number in range(round(until / step)):
        while pending and pending[0][0] <= number * step + 1e-9:
            _, address, raw = pending.pop(0)
            plant.command(address, raw)
        plant.advance((number + 1) * step)
        if abs((number + 1) * step * 4 - round((number + 1) * step * 4)) < 1e-6:
            truths.append(plant.truth())
    return truths


def test_the_true_permeance_of_a_stretch_is_the_mean_of_the_plants_own() -> None:
    membrane = load_membrane("example-v")
    plant = Plant(ideal(), membrane, 0)
    seen = []
    pressurised(plant, 10 * psi, seconds=20)
    for _ in range(400):
        plant.advance(plant.time + 1)
        seen.append(plant.truth()["permeance"])
    pressurised(plant, 30 * psi, seconds=4 * minute)

    assert plant.true_permeance(20, 420) == pytest.approx(sum(seen) / 400, rel=1e-4)
    assert plant.true_permeance(500, 600) < plant.true_permeance(300, 400) * (1 - 1.5 * percent)
    with pytest.raises(ValueError, match="within"):
        plant.true_permeance(600, 900)


def test_the_same_seed_makes_the_same_rig_and_another_seed_another() -> None:
    def diameter(seed: int) -> float:
        return Plant(bench("bench-25"), plain(), seed).truth()["diameter"]

    assert diameter(7) == diameter(7)
    assert len({diameter(seed) for seed in range(50)}) == 50
    assert max(abs(diameter(seed) - 20.5 * mm) for seed in range(50)) < 0.25 * mm
