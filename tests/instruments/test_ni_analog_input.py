"""Analog inputs, driven through NI's own nidaqmx package against the simulated NI server."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from labrig.clock import SECOND, monotonic
from labrig.errors import SamplesLost
from labrig.model import Quality
from labrig_instruments.ni_analog_input import NiAnalogInput
from labrig_instruments.ni_analog_options import AnalogInput
from labrig_instruments.simulated.control import Control
from tests.instruments.analog_inputs import (
    LOOP,
    MODULE,
    pause,
    read_through,
)
from tests.instruments.ni_proxy import NiProxy
from tests.simulated.conftest import Endpoints
from tests.simulated.known import CLOCK, RAMP, WRAP, known


def test_every_sample_arrives_once_and_in_order(inputs: Callable[..., NiAnalogInput]) -> None:
    driver = inputs("ai0", "ai3", rate=1000.0)
    identity = driver.open()
    driver.start()

    block = read_through(driver, RAMP + 200)

    index = np.arange(len(block), dtype=float)
    assert identity.startswith("NI 9205, serial number ")
    assert (block.source, block.channels, block.first) == ("inputs", ("channel_ai0", "channel_ai3"), 0)
    assert block.values[:, 0] == pytest.approx(known(f"{MODULE}/ai0", index))
    assert block.values[:, 1] == pytest.approx(known(f"{MODULE}/ai3", index))
    assert block.values.flags.c_contiguous
    assert not block.quality.any()


def test_the_rate_is_the_one_that_the_hardware_makes(inputs: Callable[..., NiAnalogInput]) -> None:
    """80 MHz divided by a whole number: 300 000 / s is asked for, 80 MHz / 266 is the next one upward."""
    driver = inputs(rate=240_100.0)

    driver.open()

    assert driver.rate == pytest.approx(80e6 / 333)


def test_samples_carry_the_time_at_which_they_were_taken(
    inputs: Callable[..., NiAnalogInput], known_process: Endpoints
) -> None:
    """One terminal of the known plant delivers the plant's own time; the control port lays that onto our clock.

    The start command is known to a few milliseconds, on a busy machine to some more.
    """
    driver = inputs(CLOCK, rate=1000.0)
    driver.open()
    driver.start()
    block = read_through(driver, 300)
    with Control(known_process.control) as control:
        plant, ours = control.time()

    truth = (plant - (ours - block.times) / SECOND) % WRAP
    error = (block.values[:, 0] - truth + WRAP / 2) % WRAP - WRAP / 2

    assert np.abs(error).max() < 0.025
    assert np.ptp(error) < 1e-4


def test_a_block_is_twenty_milliseconds_unless_the_reader_is_behind(inputs: Callable[..., NiAnalogInput]) -> None:
    driver = inputs(rate=1000.0)
    driver.open()
    driver.start()
    first = driver.read()
    pause(0.5)

    driver.read()
    behind = driver.read()

    assert len(first) == 20
    assert 300 < len(behind) <= 1000
    assert len(read_through(driver, 100)) < 400


@pytest.mark.fault("DEV-11")
def test_an_overrun_is_told_once_with_its_exact_length(inputs: Callable[..., NiAnalogInput]) -> None:
    """The buffer holds 0.3 s and nobody reads for 1 s: what is missing is what the clock says is missing."""
    driver = inputs(rate=1000.0, buffer=0.3)
    driver.open()
    driver.start()
    before = read_through(driver, 100)
    pause(1.0)

    began = monotonic()
    with pytest.raises(
        SamplesLost, match=f"inputs: \\d+ samples lost after sample {len(before) - 1}; acquisition"
    ) as loss:
        driver.read()
    restarted = monotonic() - began
    after = driver.read()

    missing = (after.times[0] - before.times[-1]) / SECOND * 1000.0 - 1
    assert loss.value.count == pytest.approx(missing, abs=0.6)
    assert after.first == before.first + len(before) + (loss.value.count or 0)
    assert after.quality[:, 0].tolist() == [int(Quality.AFTER_GAP)] + [0] * (len(after) - 1)
    assert restarted < SECOND
    assert driver.read().first == after.first + len(after)


def test_indices_never_restart(inputs: Callable[..., NiAnalogInput]) -> None:
    driver = inputs(rate=1000.0)
    driver.open()
    driver.start()
    before = driver.read()
    driver.stop()
    pause(0.1)
    driver.start()

    after = driver.read()

    assert after.first - before.first == pytest.approx((after.times[0] - before.times[0]) / SECOND * 1000.0, abs=0.6)
    assert after.quality[0, 0] == Quality.AFTER_GAP


def test_one_block_is_one_call(inputs: Callable[..., NiAnalogInput], proxy: NiProxy) -> None:
    """The client's own read would take four calls and more for each."""
    driver = inputs(server=proxy.address, rate=100.0)
    driver.open()
    driver.start()
    driver.read()
    before = len(proxy.calls)

    driver.read()

    assert [name for name, _ in proxy.calls[before:]] == ["ReadAnalogF64"]


def test_a_current_is_read_in_amperes_and_is_a_loop_when_it_starts_at_four(
    inputs: Callable[..., NiAnalogInput],
) -> None:
    channels = {"flow": AnalogInput.model_validate(LOOP | {"input": "ai0"})}
    driver = inputs(device="cDAQ1Mod2", channels=channels)
    driver.open()
    driver.start()

    block = driver.read()

    assert driver.channels[0].loop
    assert driver.channels[0].raw_unit == "A"
    assert block.values[:, 0] == pytest.approx(known("cDAQ1Mod2/ai0", np.arange(len(block), dtype=float)))
