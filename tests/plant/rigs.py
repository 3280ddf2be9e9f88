"""Simulated rigs for these tests: without errors and without plumbing where a hand calculation is the judge."""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter

from labrig.config import find_rig, load_rig
from labrig.outside import read_toml, validate
from labrig.plant.membrane import Membrane
from labrig.plant.plant import Plant
from labrig.plant.spec import (
    Balance,
    Cell,
    FeedVessel,
    Line,
    PlantSpec,
    Plumbing,
    PressureRegulator,
    Water,
)
from labrig.plant.transmitters import Converter, Transmitter
from labrig.units import L, celsius, cm_per_min_per_psi, mL, mm, psi

FEED, VENT, DRAIN = "cDAQ1Mod3/port0/line0", "cDAQ1Mod3/port0/line1", "cDAQ1Mod3/port0/line2"
REGULATOR = "cDAQ1Mod4/ao0"
PRESSURE, LOW_PRESSURE, VESSEL_PRESSURE = "cDAQ1Mod1/ai0", "cDAQ1Mod1/ai1", "cDAQ1Mod1/ai2"
FLOW, TEMPERATURE = "cDAQ1Mod2/ai0", "cDAQ1Mod2/ai1"
NOTHING = Line(diameter=1.0, length=0.0)
SILENT = Converter(voltage_noise=0.0, current_noise=0.0)
_TRANSMITTER: TypeAdapter[Transmitter] = TypeAdapter(Transmitter)


def exact(quantity: str, address: str, **changes: object) -> Transmitter:
    """A transmitter without errors, but for the ``changes``."""
    truthful = {"gain_sd": 0.0, "offset_sd": 0.0, "noise": 0.0, "hysteresis": 0.0, "converter": SILENT}
    return _TRANSMITTER.validate_python({"quantity": quantity, "address": address, **truthful, **changes})


def exact_balance(**changes: object) -> Balance:
    """A balance without errors and a beaker that loses nothing, but for the ``changes``."""
    return Balance.model_validate(
        {"repeatability": 0.0, "gain_sd": 0.0, "evaporation": 0.0, "air_density": 0.0, **changes}
    )


def ideal(
    *,
    temperature: float = celsius(25),
    plumbing: Plumbing | None = None,
    permeate: Balance | None = None,
    vessel: FeedVessel | None = None,
    trapped_gas: float = 1 * mL,
) -> PlantSpec:
    """A 47 mm cell with 13.83 cm² and nothing but the membrane in the way; every instrument tells the truth."""
    return PlantSpec(
        cell=Cell(name="47 mm", exposed_diameter=41.963 * mm, diameter_sd=0.0, trapped_gas=trapped_gas),
        vessel=vessel or FeedVessel(volume=1000 * L, level=900 * L, diameter=20.0),
        regulator=PressureRegulator(droop=0.0, gain_sd=0.0, offset_sd=0.0),
        plumbing=plumbing or Plumbing(feed=NOTHING, cell=NOTHING),
        water=Water(temperature=temperature, drift=0.0, wander=0.0),
        permeate=permeate
        or Balance(evaporation=0.0, repeatability=0.0, gain_sd=0.0, capacity=1e4, vessel_capacity=1e4),
        transmitters=tuple(
            exact(quantity, address, **changes)
            for quantity, address, changes in (
                ("feed_pressure", PRESSURE, {}),
                ("membrane_pressure", LOW_PRESSURE, {"span": (0.0, 5 * psi)}),
                ("vessel_pressure", VESSEL_PRESSURE, {}),
                ("permeate_flow", FLOW, {}),
                ("water_temperature", TEMPERATURE, {}),
            )
        ),
    )


def plain(permeance: float = 4 * cm_per_min_per_psi) -> Membrane:
    """A membrane that pressure does not change."""
    return Membrane(name="plain", source="test", family="symmetric", permeance=permeance, thickness=1e-4)


def pressurised(plant: Plant, pressure: float, seconds: float = 15.0) -> Plant:
    """The plant with its feed on at ``pressure``, ``seconds`` later."""
    plant.command(VENT, 1)
    plant.command(FEED, 1)
    plant.command(REGULATOR, 10 * pressure / plant.spec.regulator.pressure[1])
    plant.advance(plant.time + seconds)
    return plant


def bench(name: str) -> PlantSpec:
    """The simulated side of a shipped rig."""
    simulation = load_rig(find_rig(name)).file.simulation
    assert simulation is not None
    return simulation


def bench_file(path: Path) -> PlantSpec:
    document, _ = read_toml(path)
    return validate(PlantSpec, document["simulation"], path, "simulation")
