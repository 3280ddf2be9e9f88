"""What the plant does when something in it is wrong."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from labrig.plant import Disturbance, Plant, PlantSpec, load_membrane
from labrig.plant.spec import Cell
from labrig.units import mL_per_min, psi

SPEC = PlantSpec(cell=Cell(name="25 mm", exposed_diameter=20.5e-3))
FEED, VENT, DRAIN = (valve.address for valve in (SPEC.valves.feed, SPEC.valves.vent, SPEC.valves.drain))
REGULATOR = SPEC.regulator.address


def running(volts: float = 2.0) -> Plant:
    """Twenty pounds of pressure on a membrane, settled."""
    plant = Plant(SPEC, load_membrane("example-v"), seed=1)
    plant.command(VENT, 1)
    plant.command(FEED, 1)
    plant.command(REGULATOR, volts)
    plant.advance(20.0)
    return plant


def after(plant: Plant, seconds: float, disturbance: Disturbance | None = None) -> Mapping[str, float]:
    if disturbance is not None:
        plant.disturb(disturbance)
    plant.advance(plant.time + seconds)
    return plant.truth()


def test_a_sound_rig_stays_as_it_is() -> None:
    plant, untouched = running(), running()

    assert after(plant, 5.0, Disturbance()) == pytest.approx(after(untouched, 5.0), rel=1e-6)


@pytest.mark.fault("PRO-07")
def test_a_leak_takes_water_that_the_balance_never_sees() -> None:
    plant = running()
    before = plant.truth()
    leaking = after(plant, 10.0, Disturbance(leak=30 * mL_per_min / (10 * psi)))

    assert leaking["drain_flow"] == pytest.approx(3 * leaking["feed_pressure"] / psi * mL_per_min, rel=1e-6)
    assert leaking["feed_pressure"] < before["feed_pressure"]
    lost = before["level"] - leaking["level"]
    received = (leaking["delivered_mass"] - before["delivered_mass"]) / 998
    assert lost - received == pytest.approx((leaking["drained_mass"] - before["drained_mass"]) / 998, rel=0.01)


@pytest.mark.fault("PRO-07")
def test_a_shut_off_cell_that_leaks_loses_its_pressure_faster() -> None:
    sound, leaky = running(), running()
    for plant in (sound, leaky):
        plant.command(FEED, 0)
        plant.advance(plant.time + 0.06)  # the valve takes its time
    leak = Disturbance(leak=500 * mL_per_min / (10 * psi))

    assert after(leaky, 0.05, leak)["feed_pressure"] < after(sound, 0.05)["feed_pressure"]


def test_a_clogged_line_takes_ten_times_the_pressure_at_the_same_flow() -> None:
    plant = running()
    head = SPEC.plumbing.head
    assert head == 0
    before = plant.truth()
    clogged = after(plant, 10.0, Disturbance(clogs={"cell": 10.0}))

    def lost(state: Mapping[str, float]) -> float:
        return (state["feed_pressure"] - state["transmembrane_pressure"]) / state["permeate_flow"]

    assert clogged["permeate_flow"] < before["permeate_flow"]
    assert lost(clogged) > 5 * lost(before)


@pytest.mark.fault("PRO-03")
def test_a_valve_that_is_stuck_closed_lets_nothing_through() -> None:
    plant = running()
    assert after(plant, 10.0, Disturbance(stuck={"feed": False}))["permeate_flow"] < 0.01 * mL_per_min
    plant.command(FEED, 0)
    plant.command(FEED, 1)
    assert after(plant, 1.0)["feed_open"] == 0
    assert after(plant, 1.0, Disturbance())["feed_open"] == 1


@pytest.mark.fault("PRO-04")
def test_a_vent_that_is_stuck_keeps_the_vessel_under_pressure() -> None:
    plant = running()
    plant.disturb(Disturbance(stuck={"vent": False}))
    for address in (FEED, VENT):
        plant.command(address, 0)

    assert after(plant, 10.0)["vessel_pressure"] > 19 * psi
    assert after(plant, 10.0, Disturbance())["vessel_pressure"] < 1 * psi


@pytest.mark.fault("PRO-05")
def test_a_valve_that_is_stuck_open_ignores_the_command_to_close() -> None:
    plant = running()
    plant.disturb(Disturbance(stuck={"feed": True}))
    plant.command(FEED, 0)

    assert after(plant, 5.0)["feed_pressure"] > 15 * psi


@pytest.mark.fault("SIG-14")
def test_an_air_bubble_takes_its_share_of_the_flow() -> None:
    plant = running(volts=0.2)  # so little flow that the lines take next to nothing
    before = plant.truth()["permeate_flow"]

    assert after(plant, 5.0, Disturbance(air=0.4))["permeate_flow"] == pytest.approx(0.6 * before, rel=0.02)


@pytest.mark.fault("PRO-02")
def test_a_regulator_that_runs_away_ignores_its_set_point() -> None:
    plant = running()
    plant.disturb(Disturbance(runaway=90 * psi))
    plant.command(REGULATOR, 0.0)

    assert after(plant, 5.0)["vessel_pressure"] == pytest.approx(90 * psi, rel=0.01)


@pytest.mark.fault("SIG-14")
def test_an_empty_vessel_gives_no_water_until_it_is_refilled() -> None:
    plant = running()
    plant.empty_vessel()

    assert after(plant, 2.0)["permeate_flow"] == 0
    plant.refill_vessel()
    assert after(plant, 10.0)["permeate_flow"] > 1 * mL_per_min
