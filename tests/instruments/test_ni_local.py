"""A card in this computer: every NI driver through the other half of NI's package, the one that calls its C library."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from labrig import plugins
from labrig.clock import monotonic
from labrig.conformance import CHECKS, Check, Subject
from labrig.errors import InstrumentError, LinkLost
from labrig_instruments.ni_analog_input import NiAnalogInput
from labrig_instruments.simulated.control import Control
from tests.instruments.analog_inputs import read_until_it_fails, voltage
from tests.instruments.ni_library import installed
from tests.instruments.test_conformance import CASES
from tests.simulated.conftest import Endpoints

KINDS = sorted(kind for kind in CASES if kind.startswith("ni-"))


@pytest.fixture
def library(known_process: Endpoints) -> Iterator[None]:
    with installed(known_process.ni):
        yield


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("kind", KINDS)
def test_a_local_card_is_as_good_as_a_server(kind: str, check: Check, known_process: Endpoints, library: None) -> None:
    table: dict[str, Any] = CASES[kind](known_process)
    check(Subject(plugins.load(plugins.INSTRUMENTS, kind), {key: table[key] for key in table if key != "server"}))


def inputs(device: str) -> NiAnalogInput:
    return NiAnalogInput("inputs", monotonic, device=device, rate=1000.0, channels={"feed": voltage("ai0")})


def test_a_device_that_is_not_there_is_told_in_words(library: None) -> None:
    with pytest.raises(LinkLost, match=r"inputs \(cDAQ1Mod77\): the device is gone"):
        inputs("cDAQ1Mod77").open()


def test_a_card_that_is_in_use_is_told_in_words(library: None) -> None:
    first, second = inputs("cDAQ1Mod5"), inputs("cDAQ1Mod5")
    try:
        first.open()
        first.start()
        with pytest.raises(InstrumentError, match="is in use by another program or instrument"):
            second.open()
    finally:
        first.close()
        second.close()


@pytest.mark.fault("DEV-11")
def test_an_overrun_is_told_and_sampling_goes_on(library: None, known_process: Endpoints) -> None:
    driver = inputs("cDAQ1Mod7")
    with Control(known_process.control) as control:
        try:
            driver.open()
            driver.start()
            before = driver.read()
            control.set_fault("overrun", device="cDAQ1Mod7")
            with pytest.raises(InstrumentError, match="samples lost after sample"):
                read_until_it_fails(driver)
            assert driver.read().first > before.first
        finally:
            driver.close()


def test_without_the_library_it_says_what_to_install() -> None:
    with pytest.raises(InstrumentError, match="NI-DAQmx is not installed on this computer"):
        inputs("Dev1").open()
