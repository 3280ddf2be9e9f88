"""Options and readings that the tests of analog inputs share."""

from __future__ import annotations

import threading

import numpy as np

from labrig.model import Block
from labrig_instruments.ni_analog_input import NiAnalogInput
from labrig_instruments.ni_analog_options import AnalogInput

TENTH_OF_A_PSI = {"unit": "psi", "signal": ("0 V", "10 V"), "value": ("0 psi", "1 psi")}
LOOP = {"unit": "psi", "signal": ("4 mA", "20 mA"), "value": ("0 psi", "100 psi")}
MODULE = "cDAQ1Mod1"


def voltage(terminal: str) -> AnalogInput:
    return AnalogInput.model_validate(TENTH_OF_A_PSI | {"input": terminal})


def pause(seconds: float) -> None:
    threading.Event().wait(seconds)


def read_through(driver: NiAnalogInput, samples: int) -> Block:
    """Blocks until there are that many samples, joined."""
    blocks = [driver.read()]
    while sum(map(len, blocks)) < samples:
        blocks.append(driver.read())
        assert blocks[-1].first == blocks[-2].first + len(blocks[-2])
    return Block(
        blocks[0].source,
        blocks[0].channels,
        blocks[0].first,
        np.concatenate([block.times for block in blocks]),
        np.concatenate([block.values for block in blocks]),
        np.concatenate([block.quality for block in blocks]),
    )


def read_until_it_fails(driver: NiAnalogInput) -> None:
    for _ in range(1000):
        driver.read()
