"""Frequencies at counters and bridges, through NI's own package against the simulated server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from labrig import plugins
from labrig.clock import SECOND, monotonic
from labrig.errors import InstrumentError, LinkLost
from labrig.model import calibrated
from labrig.quantities import FROM_FILE
from labrig.units import mL_per_min, psi
from labrig_instruments.ni_analog_input import NiAnalogInput
from labrig_instruments.ni_analog_options import AnalogInput
from labrig_instruments.ni_counter_input import NiCounterInput
from labrig_instruments.simulated.control import Control
from tests.instruments.ni_proxy import NiProxy
from tests.simulated.conftest import Endpoints
from tests.simulated.known import BRIDGE, PULSES

TURBINE = {"unit": "mL/min", "signal": ["0 Hz", "1 kHz"], "value": ["0 mL/min", "500 mL/min"]}
CELL = {"unit": "psi", "signal": ["0 mV/V", "2 mV/V"], "value": ["0 psi", "100 psi"]}


def counters(server: str, **table: Any) -> NiCounterInput:  # noqa: ANN401 - as in a file
    channels = {f"flow_{k}": TURBINE | {"counter": f"ctr{k}"} for k in range(2)}
    whole = {"server": server, "device": "cDAQ1Mod8", "channels": channels, "slowest": "20 Hz"} | table
    options = plugins.options_of(NiCounterInput).model_validate(whole, context=FROM_FILE)
    return NiCounterInput("meters", monotonic, **plugins.keywords(options))


@pytest.fixture
def meters(known_process: Endpoints) -> Iterator[NiCounterInput]:
    driver = counters(known_process.ni)
    driver.open()
    yield driver
    driver.close()


def test_pulses_are_a_frequency_and_the_frequency_a_flow(meters: NiCounterInput) -> None:
    before = monotonic()
    block = meters.read()

    assert block.values[0].tolist() == [PULSES, 0.0]
    flows = calibrated(block, {channel.name: channel for channel in meters.channels})
    assert flows[0, 0] == pytest.approx(PULSES / 2 * mL_per_min)
    assert before < block.times[0] < monotonic()


def test_a_meter_that_stands_still_reads_zero_once_the_slowest_period_is_over(meters: NiCounterInput) -> None:
    began = monotonic()
    blocks = [meters.read() for _ in range(3)]

    assert [block.values[0, 1] for block in blocks] == [0.0] * 3
    assert not any(block.quality.any() for block in blocks)
    assert monotonic() - began > 3 * 2 / 20 * SECOND * 0.9


def test_the_terminal_of_a_signal_can_be_named(known_process: Endpoints) -> None:
    driver = counters(known_process.ni, channels={"flow": TURBINE | {"counter": "ctr0", "source": "PFI3"}})
    try:
        assert "NI 9401" in driver.open()
        assert driver.read().values.tolist() == [[PULSES]]
    finally:
        driver.close()


@pytest.mark.fault("DEV-12")
def test_a_counter_that_is_pulled_out_is_a_lost_link(fresh_process: Endpoints) -> None:
    driver = counters(fresh_process.ni)
    with Control(fresh_process.control) as control:
        driver.open()
        control.set_fault("removed", device="cDAQ1Mod8")
        try:
            with pytest.raises(LinkLost):
                driver.read()
        finally:
            control.clear_faults()
            driver.close()


def test_any_other_error_of_a_counter_is_told(proxy: NiProxy) -> None:
    driver = counters(proxy.address)
    try:
        driver.open()
        proxy.faults["ReadCounterScalarF64"] = proxy.refuse(-200141)
        with pytest.raises(InstrumentError, match=r"-200141"):
            driver.read()
    finally:
        driver.close()


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"channels": {"flow": TURBINE | {"counter": "ai0"}}}, "a terminal such as 'ctr0', not 'ai0'"),
        ({"channels": {"flow": TURBINE | {"counter": "ctr0", "signal": ["0 V", "1 V"]}}}, "a frequency such as"),
        ({"slowest": "20 kHz"}, "slowest below fastest, not 20000 Hz and 10000 Hz"),
    ],
)
def test_a_wrong_table_is_refused_in_words(table: dict[str, Any], words: str) -> None:
    with pytest.raises((ValidationError, InstrumentError), match=words):
        counters("127.0.0.1:1", **table)


def load_cell(server: str | None, **changes: Any) -> NiAnalogInput:  # noqa: ANN401 - as in a file
    channels = {"pressure": AnalogInput.model_validate(CELL | {"input": "ai0"} | changes)}
    return NiAnalogInput("cell", monotonic, device="cDAQ1Mod9", server=server, rate=100.0, channels=channels)


def test_a_bridge_delivers_its_ratio_at_a_rate_that_its_module_has(known_process: Endpoints) -> None:
    driver = load_cell(known_process.ni)
    try:
        assert "NI 9237" in driver.open()
        assert driver.rate == pytest.approx(50e3 / 31)
        driver.start()
        block = driver.read()
    finally:
        driver.close()

    assert driver.channels[0].raw_unit == "V/V"
    assert block.values[:, 0] == pytest.approx(BRIDGE, abs=1e-6)
    assert calibrated(block, {"pressure": driver.channels[0]})[0, 0] == pytest.approx(
        BRIDGE / 2e-3 * 100 * psi, rel=1e-3
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"signal": ["0 V", "10 V"], "bridge": "half"}, "bridge for a bridge only, whose signal is in mV/V"),
        ({"excitation": "0 V"}, "greater than 0"),
        ({"live_zero": True}, "live_zero for a current only"),
    ],
)
def test_a_wrong_bridge_is_refused_in_words(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        load_cell(None, **change)
