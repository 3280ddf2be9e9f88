"""Analog inputs, driven through NI's own nidaqmx package against the simulated NI server."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from nidaqmx._stubs import nidaqmx_pb2 as pb
from nidaqmx.errors import DaqError, DaqNotFoundError, Error
from pydantic import TypeAdapter, ValidationError

from labrig.clock import SECOND, monotonic
from labrig.errors import InstrumentError, LinkLost, SamplesLost, WrongInstrument
from labrig.model import Block, Quality
from labrig.plugins import options_of
from labrig.quantities import FROM_FILE
from labrig_instruments.ni import Daq, Wanted, explained
from labrig_instruments.ni_analog_input import AnalogInput, NiAnalogInput, judged
from labrig_instruments.simulated.control import Control
from tests.simulated.known import CLOCK, RAMP, WRAP, known

if TYPE_CHECKING:
    from tests.instruments.conftest import NiProxy
    from tests.simulated.conftest import Endpoints

TENTH_OF_A_PSI = {"unit": "psi", "signal": ("0 V", "10 V"), "value": ("0 psi", "1 psi")}
LOOP = {"unit": "psi", "signal": ("4 mA", "20 mA"), "value": ("0 psi", "100 psi")}
MODULE = "cDAQ1Mod1"


def voltage(terminal: str) -> AnalogInput:
    return AnalogInput.model_validate(TENTH_OF_A_PSI | {"input": terminal})


@pytest.fixture
def inputs(known_process: Endpoints, proxy: NiProxy) -> Iterator[Callable[..., NiAnalogInput]]:
    """Makes drivers of the known plant's inputs, closed before the proxy that they may go through."""
    made: list[NiAnalogInput] = []

    def make(*terminals: str, device: str = MODULE, server: str = "", **options: Any) -> NiAnalogInput:  # noqa: ANN401 - whatever the driver takes
        channels = {f"channel_{terminal}": voltage(terminal) for terminal in terminals or ("ai0",)}
        options = {"channels": channels} | options
        made.append(NiAnalogInput("inputs", monotonic, device=device, server=server or known_process.ni, **options))
        return made[-1]

    yield make
    for driver in made:
        driver.close()


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


def test_one_block_is_one_call(inputs: Callable[..., NiAnalogInput], proxy: NiProxy) -> None:
    """The client's own read would take four calls and more for each."""
    driver = inputs(server=proxy.address, rate=100.0)
    driver.open()
    driver.start()
    driver.read()
    before = len(proxy.calls)

    driver.read()

    assert [name for name, _ in proxy.calls[before:]] == ["ReadAnalogF64"]


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


def read_until_it_fails(driver: NiAnalogInput) -> None:
    for _ in range(1000):
        driver.read()


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


@pytest.mark.fault("SIG-02")
@pytest.mark.fault("SIG-03")
@pytest.mark.parametrize(
    ("milliamperes", "quality"),
    [
        (0.0, Quality.OPEN_LOOP),
        (3.59, Quality.OPEN_LOOP),
        (3.9, Quality.BELOW),
        (4.1, Quality.GOOD),
        (12.0, Quality.GOOD),
        (19.9, Quality.GOOD),
        (20.5, Quality.ABOVE),
        (21.1, Quality.OPEN_LOOP),
        (22.0, Quality.OPEN_LOOP),
        (float("nan"), Quality.MISSING),
    ],
)
def test_a_loop_is_judged_by_its_current(milliamperes: float, quality: Quality) -> None:
    channel = AnalogInput.model_validate(LOOP | {"input": "ai0"}).as_channel("p", "Mod2/ai0", loop=True)

    (flags,) = judged(np.array([[milliamperes * 1e-3]]), [channel], after_gap=False)

    assert Quality(int(flags[0])) & ~(Quality.BELOW | Quality.ABOVE if quality is Quality.OPEN_LOOP else 0) == quality


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


@pytest.mark.parametrize(
    ("table", "loop"),
    [
        (LOOP, True),
        (LOOP | {"signal": ("0 mA", "20 mA")}, False),
        (LOOP | {"signal": ("20 mA", "4 mA")}, True),
        (LOOP | {"live_zero": False}, False),
        (TENTH_OF_A_PSI, False),
    ],
)
def test_which_channel_is_a_loop(table: dict[str, object], loop: bool) -> None:
    assert AnalogInput.model_validate(table | {"input": "ai0"}).is_loop() is loop


OPTIONS = {"device": MODULE, "rate": "100 Hz", "channels": {"feed": TENTH_OF_A_PSI | {"input": "ai0"}}}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"server": "192.168.0.7:31763"},
            "a server on this computer, such as '127.0.0.1:31763', not '192.168.0.7:31763'",
        ),
        ({"rate": "0.1 Hz"}, "a rate of at least 1 Hz, not 0.1 Hz"),
        ({"rate": 100}, "a frequency with its unit"),
        ({"block": "60 ms"}, "a block of 50 ms at most, not 60 ms"),
        ({"serial_number": "one"}, "a serial number as printed on the device"),
        ({"channels": {"Feed": TENTH_OF_A_PSI | {"input": "ai0"}}}, "a name of small letters"),
        ({"channels": {"feed": TENTH_OF_A_PSI | {"input": "Dev1/ai0"}}}, "a terminal such as 'ai0', not 'Dev1/ai0'"),
        ({"channels": {"feed": TENTH_OF_A_PSI | {"input": "ai0", "live_zero": True}}}, "live_zero for a current only"),
        ({"channels": {"feed": TENTH_OF_A_PSI | {"input": "ai0", "input_range": ("0 V", "1 A")}}}, "input_range as"),
        (
            {"channels": {n: TENTH_OF_A_PSI | {"input": "ai0"} for n in ("a", "b")}},
            "another input for each, not ai0 twice",
        ),
    ],
)
def test_a_wrong_rig_file_is_refused_in_words(change: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(options_of(NiAnalogInput)).validate_python(OPTIONS | change, context=FROM_FILE)

    assert words in str(refused.value)
