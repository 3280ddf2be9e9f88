"""Faults of the simulated DAQ and of what is wired to it, as real drivers meet them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from nidaqmx.system import Device

from labrig.clock import SECOND, monotonic
from labrig.errors import LinkLost, SamplesLost
from labrig.model import Block, Quality, calibrated
from labrig.roles import Source
from labrig.safety import Breach, Interlock, Watch
from labrig.units import psi
from labrig_instruments.ni_analog_input import NiAnalogInput
from labrig_instruments.ni_analog_options import AnalogInput
from labrig_instruments.ni_digital_output import DigitalLine, NiDigitalOutput
from labrig_instruments.simulated.control import Control
from tests.simulated.clients import client, wait
from tests.simulated.conftest import Endpoints

FEED, FLOW = "cDAQ1Mod1/ai0", "cDAQ1Mod2/ai0"


@pytest.fixture
def pressure(ailing_rig: Endpoints) -> Iterator[NiAnalogInput]:
    table = {"unit": "psi", "signal": ("0 V", "10 V"), "value": ("0 psi", "100 psi"), "range": ("-1 psi", "102 psi")}
    yield from sampling(ailing_rig, "cDAQ1Mod1", {"p": AnalogInput.model_validate({"input": "ai0", **table})})


@pytest.fixture
def flow(ailing_rig: Endpoints) -> Iterator[NiAnalogInput]:
    table = {"unit": "mL/min", "signal": ("4 mA", "20 mA"), "value": ("0 mL/min", "500 mL/min")}
    channel = AnalogInput.model_validate({"input": "ai0", "range": ("-5 mL/min", "515 mL/min"), **table})
    yield from sampling(ailing_rig, "cDAQ1Mod2", {"q": channel})


def sampling(ailing_rig: Endpoints, device: str, channels: dict[str, AnalogInput]) -> Iterator[NiAnalogInput]:
    driver = NiAnalogInput("inputs", monotonic, device=device, server=ailing_rig.ni, channels=channels)
    driver.open()
    driver.start()
    yield driver
    driver.close()


def newest(source: Source, samples: int = 20) -> Block:
    """A block that was taken whole after this call."""
    now = monotonic()
    while True:
        block = source.read()
        if len(block) and block.times[0] > now and samples <= 0:
            return block
        if len(block) and block.times[0] > now:
            samples -= len(block)


def read_on(source: Source, blocks: list[Block]) -> None:
    """Until a read fails, or for a second."""
    for _ in range(50):
        blocks.append(source.read())  # noqa: PERF401 - those before the failure count


def votes(block: Block, source: Source, limit: float) -> list[Breach]:
    """What an interlock makes of a block."""
    broken: list[Breach] = []
    channel = source.channels[0]
    Watch([Interlock("limit", channel.name, high=limit)], {channel.name: channel}, broken.append)(block)
    return broken


@pytest.mark.fault("SIG-02")
@pytest.mark.parametrize("current", ["0 mA", "22 mA"])
def test_an_open_loop_is_no_value_and_breaks_an_interlock(ailing: Control, flow: NiAnalogInput, current: str) -> None:
    ailing.set_fault("open loop", address=FLOW, current=current)
    block = newest(flow)

    assert set(block.quality[:, 0]) == {int(Quality.OPEN_LOOP)}
    assert np.isnan(calibrated(block, {"q": flow.channels[0]})).all()
    assert votes(block, flow, 1.0)[0].reason == "limit: q has no valid value (open loop or failed read)"
    ailing.clear_fault("open loop", FLOW)
    assert not newest(flow).quality.any()


@pytest.mark.fault("SIG-01")
def test_a_stuck_signal_keeps_its_value_without_any_noise(ailing: Control, pressure: NiAnalogInput) -> None:
    assert np.ptp(newest(pressure).values) > 0
    ailing.set_fault("stuck", address=FEED)

    assert np.ptp(newest(pressure).values) == 0
    assert not newest(pressure).quality.any()


@pytest.mark.fault("SIG-06")
def test_a_drift_grows_with_the_plants_time(ailing: Control, pressure: NiAnalogInput) -> None:
    before = float(newest(pressure).values.mean())
    ailing.set_fault("drift", address=FEED, rate=1.0)
    set_at = monotonic()
    block = newest(pressure)

    expected = (block.times.mean() - set_at) / SECOND
    assert float(block.values.mean()) - before == pytest.approx(expected, abs=0.1)


@pytest.mark.fault("SIG-04")
def test_a_nan_is_missing_and_breaks_an_interlock(ailing: Control, pressure: NiAnalogInput) -> None:
    ailing.set_fault("nan", address=FEED)
    block = newest(pressure)

    assert set(block.quality[:, 0]) == {int(Quality.MISSING)}
    assert votes(block, pressure, 1 * psi)


@pytest.mark.fault("SIG-05")
@pytest.mark.parametrize(("samples", "broken"), [(1, False), (3, True)])
def test_one_wild_sample_is_recorded_and_trips_nothing(
    ailing: Control, pressure: NiAnalogInput, samples: int, broken: bool
) -> None:
    newest(pressure)
    ailing.set_fault("spike", address=FEED, height=9.0, samples=samples)
    wild, lost = 0, list[Breach]()
    watch = Watch([Interlock("limit", "p", high=50 * psi)], {"p": pressure.channels[0]}, lost.append)
    for _ in range(25):
        block = pressure.read()
        watch(block)
        wild += int((block.values > 8).sum())

    assert wild == samples
    assert bool(lost) == broken


@pytest.mark.fault("DEV-11")
def test_an_overrun_is_a_gap_of_exactly_the_samples_that_are_missing(ailing: Control, pressure: NiAnalogInput) -> None:
    blocks = [newest(pressure)]
    ailing.set_fault("overrun", device="cDAQ1Mod1")
    wait(0.3)
    with pytest.raises(SamplesLost) as lost:
        read_on(pressure, blocks)
    after = pressure.read()
    last = blocks[-1]

    assert lost.value.after == last.first + len(last) - 1
    assert lost.value.count == after.first - (last.first + len(last))
    missing = (after.times[0] - last.times[-1]) / SECOND * pressure.rate - 1
    assert lost.value.count == pytest.approx(missing, abs=1)
    assert lost.value.count >= 25
    assert after.quality[0, 0] & Quality.AFTER_GAP


@pytest.mark.fault("DEV-12")
@pytest.mark.parametrize("code", [-201003, -200220])
@pytest.mark.parametrize("device", ["cDAQ1Mod1", "cDAQ1"])
def test_a_device_that_is_pulled_out_is_lost_and_comes_back_to_who_opens_it_anew(
    ailing: Control, pressure: NiAnalogInput, device: str, code: int
) -> None:
    newest(pressure)
    ailing.set_fault("removed", device=device, code=code)
    with pytest.raises(LinkLost, match=r"the device is gone"):
        read_on(pressure, [])
    with pytest.raises(LinkLost, match=str(code)):
        pressure.open()
    ailing.clear_fault("removed", device)
    pressure.open()
    pressure.start()

    assert not (newest(pressure).quality & ~np.uint8(Quality.AFTER_GAP)).any()


@pytest.mark.fault("DEV-12")
def test_outputs_of_a_device_without_power_fall_and_come_back_safe(ailing: Control, ailing_rig: Endpoints) -> None:
    line = DigitalLine(line="port0/line2", opens="energised", safe="closed")
    valves = NiDigitalOutput("valves", monotonic, device="cDAQ1Mod3", server=ailing_rig.ni, lines={"drain": line})
    valves.open()
    valves.output("drain").open()
    ailing.set_fault("removed", device="cDAQ1Mod3", power_lost=True)

    assert ailing.outputs()["cDAQ1Mod3/port0/line2"] == 0
    with pytest.raises(LinkLost):
        valves.make_safe()
    ailing.clear_fault("removed")
    with pytest.raises(LinkLost):  # the task stays lost
        valves.make_safe()
    valves.open()
    valves.make_safe()
    valves.close()


@pytest.mark.fault("DEV-16")
def test_a_silent_server_is_given_up_and_carries_out_nothing_afterwards(ailing: Control, ailing_rig: Endpoints) -> None:
    line = DigitalLine(line="port0/line2", opens="energised", safe="closed")
    valves = NiDigitalOutput("valves", monotonic, device="cDAQ1Mod3", server=ailing_rig.ni, lines={"drain": line})
    valves.open()
    ailing.set_fault("server silence", lasts="4 s")
    began = monotonic()
    with pytest.raises(LinkLost, match="does not answer"):
        valves.output("drain").open()

    assert (monotonic() - began) / SECOND < 3.5
    wait(0.5)  # the server hears of it a moment later than the client
    ailing.clear_fault("server silence")
    wait(0.2)
    assert ailing.outputs()["cDAQ1Mod3/port0/line2"] == 0
    valves.output("drain").open()
    valves.make_safe()
    valves.close()


@pytest.mark.fault("DEV-12")
def test_an_acquisition_that_a_reset_ended_is_lost_and_not_started_by_the_next_read(
    ailing_rig: Endpoints, pressure: NiAnalogInput
) -> None:
    newest(pressure)
    with client(ailing_rig.ni) as options:
        Device("cDAQ1Mod1", grpc_options=options).reset_device()

    with pytest.raises(LinkLost):
        read_on(pressure, [])
    with pytest.raises(LinkLost, match=r"ended from outside, as by a reset of the device \(-200473\)"):
        pressure.read()
