"""The shipped rigs' channels at rest: a sensor that rests at its zero is good."""

from __future__ import annotations

import numpy as np
import pytest

from labrig.config import find_rig, load_rig, shipped_rigs
from labrig.model import judge_raw
from labrig.plant import Plant, load_membrane


@pytest.mark.parametrize("rig", shipped_rigs())
def test_a_resting_sensor_is_good(rig: str) -> None:
    config = load_rig(find_rig(rig))
    simulation = config.file.simulation
    assert simulation is not None
    for seed in range(5):
        plant = Plant(simulation, load_membrane(simulation.membrane), seed)
        plant.advance(10.0)
        for name, channel in config.channels.items():
            if channel.address in {each.address for each in simulation.transmitters}:
                raw = plant.acquire(channel.address, 0, 400, 100.0, 5.0)
                assert not judge_raw(channel, raw).any(), (name, seed, np.ptp(channel.calibration.apply(raw)))


@pytest.mark.parametrize("rig", shipped_rigs())
def test_every_trapped_volume_has_an_interlock_on_its_pressure(rig: str) -> None:
    config = load_rig(find_rig(rig))
    guarded = {interlock.channel for interlock in config.interlocks}

    assert {"feed_pressure", "vessel_pressure"} <= set(config.channel_roles.values())
    assert {config.channel_roles[role] for role in ("feed_pressure", "vessel_pressure")} <= guarded
