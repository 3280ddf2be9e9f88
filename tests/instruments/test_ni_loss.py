"""Analog inputs whose device or server is another one, refuses, falls silent or is gone."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable

import numpy as np
import pytest
from nidaqmx._stubs import nidaqmx_pb2 as pb
from nidaqmx.errors import DaqError, DaqNotFoundError, Error

from labrig.clock import SECOND, monotonic
from labrig.errors import InstrumentError, LinkLost, SamplesLost, WrongInstrument
from labrig.model import Quality
from labrig_instruments.ni import Daq, Wanted, explained
from labrig_instruments.ni_analog_input import NiAnalogInput
from tests.instruments.analog_inputs import (
    MODULE,
    read_until_it_fails,
    voltage,
)
from tests.instruments.ni_proxy import NiProxy
from tests.simulated.conftest import Endpoints


def test_a_device_is_not_set_up_before_it_is_known(inputs: Callable[..., NiAnalogInput], proxy: NiProxy) -> None:
    driver = inputs(server=proxy.address, product="NI 9239")

    with pytest.raises(WrongInstrument, match=r"cDAQ1Mod1: expected NI 9239, found NI 9205. Not connected\."):
        driver.open()

    assert not proxy.requests("CreateTask")


@pytest.mark.fault("DEV-04")
def test_another_serial_number_is_refused(inputs: Callable[..., NiAnalogInput]) -> None:
    driver = inputs()
    number = driver.open().split()[-2]
    driver.close()
    driver = inputs(serial_number=number.lower())
    driver.open()
    driver.close()

    with pytest.raises(WrongInstrument, match=f"the NI 9205 with serial number 0BADF00D, found {number}"):
        inputs(serial_number="0badf00d").open()


def test_a_device_that_is_not_there_is_a_lost_link(inputs: Callable[..., NiAnalogInput]) -> None:
    with pytest.raises(LinkLost, match=r"inputs \(cDAQ9Mod9\): the device is gone \(.*-200220\)\. Check its cable"):
        inputs(device="cDAQ9Mod9").open()


@pytest.mark.fault("DEV-05")
def test_a_module_that_another_program_samples_is_refused(inputs: Callable[..., NiAnalogInput]) -> None:
    first, second = inputs(), inputs("ai1")
    first.open()
    first.start()

    with pytest.raises(InstrumentError, match=r"inputs \(cDAQ1Mod1\) is in use by another program or instrument"):
        second.open()

    assert len(first.read())


@pytest.mark.fault("DEV-12")
@pytest.mark.parametrize("code", [-201003, -200324, -88709, -50405])
def test_a_removed_device_is_a_lost_link(inputs: Callable[..., NiAnalogInput], proxy: NiProxy, code: int) -> None:
    driver = inputs(server=proxy.address)
    driver.open()
    driver.start()
    proxy.faults["ReadAnalogF64"] = proxy.refuse(code)

    for _ in range(2):  # and again: nothing is restarted by itself
        with pytest.raises(LinkLost, match=rf"the device is gone \(refused by the test, {code}\)"):
            driver.read()

    assert len(proxy.requests("StartTask")) == 1


@pytest.mark.parametrize("code", [-200361, -200222])
def test_an_overflow_on_the_device_is_an_overrun_too(
    inputs: Callable[..., NiAnalogInput], proxy: NiProxy, code: int
) -> None:
    driver = inputs(server=proxy.address, rate=1000.0)
    driver.open()
    driver.start()
    driver.read()
    proxy.faults["ReadAnalogF64"] = proxy.refuse(code, times=1)

    def stop_and_complain(_: bytes, forward: Callable[[], bytes]) -> bytes:
        forward()
        return proxy.refuse(code)(b"", forward)

    proxy.faults["StopTask"] = stop_and_complain

    with pytest.raises(SamplesLost):
        driver.read()

    assert driver.read().quality[0, 0] == Quality.AFTER_GAP


def test_samples_that_came_before_a_time_out_are_kept(inputs: Callable[..., NiAnalogInput], proxy: NiProxy) -> None:
    """NI's server answers -200284 with the samples that there are, in an array that is as long as asked for."""
    driver = inputs("ai0", "ai1", server=proxy.address, rate=1000.0)
    driver.open()
    driver.start()
    driver.read()

    def seven(request: bytes, _: Callable[[], bytes]) -> bytes:
        asked = pb.ReadAnalogF64Request.FromString(request)
        rows = np.zeros((2, asked.num_samps_per_chan))
        rows[:, :7] = [[1.5] * 7, [2.5] * 7]
        return bytes(
            pb.ReadAnalogF64Response(status=-200284, samps_per_chan_read=7, read_array=rows.ravel()).SerializeToString()
        )

    proxy.faults["ReadAnalogF64"] = seven
    block = driver.read()

    assert block.values.tolist() == [[1.5, 2.5]] * 7
    assert block.first == 20


@pytest.mark.fault("DEV-08")
def test_a_device_that_delivers_nothing_is_an_error_not_a_number(
    inputs: Callable[..., NiAnalogInput], proxy: NiProxy
) -> None:
    driver = inputs(server=proxy.address)
    driver.open()
    driver.start()
    nothing = pb.ReadAnalogF64Response(status=-200284, samps_per_chan_read=0, read_array=[0.0] * 2)
    proxy.faults["ReadAnalogF64"] = lambda request, forward: nothing.SerializeToString()

    with pytest.raises(InstrumentError, match=r"NI-DAQmx refused: .*-200284"):
        driver.read()

    del proxy.faults["ReadAnalogF64"]
    assert driver.read().first == 0


@pytest.mark.fault("DEV-01")
def test_a_server_that_is_gone_is_a_lost_link(inputs: Callable[..., NiAnalogInput], proxy: NiProxy) -> None:
    driver = inputs(server=proxy.address, device="cDAQ1Mod5")
    driver.open()
    driver.start()
    proxy.close()

    with pytest.raises(LinkLost, match=r"the server at 127.0.0.1:\d+ does not answer\. Start it, then reconnect"):
        read_until_it_fails(driver)
    driver.close()
    with pytest.raises(LinkLost, match="does not answer"):
        driver.open()


@pytest.mark.fault("DEV-01")
def test_a_rig_that_ends_is_a_lost_link(fresh_process: Endpoints) -> None:
    driver = NiAnalogInput("inputs", monotonic, device=MODULE, server=fresh_process.ni, channels={"a": voltage("ai0")})
    driver.open()
    driver.start()
    fresh_process.process.terminate()

    with pytest.raises(LinkLost):
        read_until_it_fails(driver)
    driver.close()


if sys.platform != "win32":

    @pytest.mark.fault("DEV-08")
    def test_a_server_that_hangs_is_a_lost_link_in_seconds(fresh_process: Endpoints) -> None:
        """NI's client would wait for ever."""
        channels = {"a": voltage("ai0")}
        driver = NiAnalogInput("inputs", monotonic, device=MODULE, server=fresh_process.ni, channels=channels)
        driver.open()
        driver.start()
        os.kill(fresh_process.pid, signal.SIGSTOP)

        began = monotonic()
        with pytest.raises(LinkLost, match="does not answer"):
            read_until_it_fails(driver)
        waited = monotonic() - began

        os.kill(fresh_process.pid, signal.SIGCONT)
        driver.close()
        assert 2 * SECOND < waited < 5 * SECOND


@pytest.mark.fault("DEV-15")
def test_without_the_driver_one_is_told_what_to_install() -> None:
    """On a computer that has NI-DAQmx after all, it is the device that is missing."""
    driver = NiAnalogInput("inputs", monotonic, device="NoSuchDevice", channels={"a": voltage("ai0")})

    with pytest.raises(
        InstrumentError, match=r"NI-DAQmx is not installed on this computer\. Install it|device is gone"
    ):
        driver.open()


def test_a_simulated_rig_that_does_not_run_is_a_lost_link() -> None:
    driver = NiAnalogInput("inputs", monotonic, device=MODULE, server="sim://ni", channels={"a": voltage("ai0")})

    with pytest.raises(LinkLost, match="the simulated rig is not running"):
        driver.open()


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (DaqError("Resource reserved.\n\nTask Name: x", -50103), InstrumentError, "in use by another program"),
        (DaqError("Device removed.", -88709), LinkLost, "the device is gone (Device removed, -88709)"),
        (DaqError("Bad range.\nProperty: AI.Max", -200077), InstrumentError, "NI-DAQmx refused: Bad range (-200077)"),
        (DaqNotFoundError("no library"), InstrumentError, "NI-DAQmx is not installed on this computer"),
        (Error("strange"), InstrumentError, "NI-DAQmx failed: strange"),
    ],
)
def test_every_error_of_the_package_is_told_in_words(error: Error, kind: type[Exception], words: str) -> None:
    told = explained("inputs", Wanted("Dev1", None, None, None), error)

    assert type(told) is kind
    assert words in str(told)
    assert str(told).startswith("inputs (Dev1)")


def test_a_programming_error_is_not_hidden_by_the_words() -> None:
    daq = Daq("inputs", Wanted("Dev1", "127.0.0.1:1", None, None), patience=1.0)
    daq._is_open = True  # noqa: SLF001 - between open and close

    with pytest.raises(ValueError, match="a mistake"), daq.watched():
        raise ValueError("a mistake")
