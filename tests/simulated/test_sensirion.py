"""The simulated Sensirion sensor: its maker's package understands it, and our driver reads the plant's flow."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sensirion_shdlc_driver import ShdlcConnection, ShdlcDevice, ShdlcSerialPort
from sensirion_shdlc_driver.command import ShdlcCommand
from sensirion_shdlc_driver.serial_frame_builder import ShdlcSerialMosiFrameBuilder

from labrig import plugins
from labrig.clock import monotonic
from labrig.errors import InstrumentError, LinkLost, WrongInstrument
from labrig.model import Quality
from labrig.quantities import FROM_FILE
from labrig_instruments.line import ScriptedLine
from labrig_instruments.sensirion_scc1 import SensirionScc1, parse_measurement, parse_scale, parse_sensor
from labrig_instruments.shdlc import parse_frame
from labrig_instruments.simulated.control import Control
from labrig_instruments.simulated.live import LivePlant
from labrig_instruments.simulated.sensirion_scc1 import SensirionScc1 as Face
from labrig_instruments.simulated.shdlc import FrameReader, stuffed, unstuffed
from labrig_instruments.simulated.terminal import Terminal
from tests.simulated.clients import wait
from tests.simulated.conftest import KNOWN, Endpoints, known_process, simulated_rig
from tests.simulated.known import KnownPlant

__all__ = ["known_process"]
CHANNELS = {
    "flow": {"reads": "flow", "unit": "mL/min", "range": ["-600 mL/min", "600 mL/min"]},
    "warmth": {"reads": "temperature", "unit": "°C", "range": ["0 °C", "50 °C"]},
}


@pytest.fixture(scope="module")
def rig() -> Iterator[Endpoints]:
    with simulated_rig([str(KNOWN)]) as endpoints:
        yield endpoints


@pytest.fixture
def control(rig: Endpoints) -> Iterator[Control]:
    with Control(rig.control) as port:
        yield port
        port.clear_faults()


def made(port: str, **changes: object) -> SensirionScc1:
    table = {"port": port, "timeout": "0.3 s", "channels": CHANNELS, **changes}
    model = plugins.options_of(SensirionScc1).model_validate(table, context=FROM_FILE)
    return SensirionScc1("flow", monotonic, **plugins.keywords(model))


@pytest.fixture
def sensor(rig: Endpoints) -> Iterator[SensirionScc1]:
    driver = made(rig.serial["flow_meter"])
    driver.open()
    driver.start()
    wait(0.2)
    yield driver
    driver.close()


def test_sensirions_own_driver_talks_to_it(known_process: Endpoints) -> None:
    with ShdlcSerialPort(known_process.serial["flow_meter"], 115200) as port:
        device = ShdlcDevice(ShdlcConnection(port), 0)

        assert device.get_product_name() == "SCC1-USB"
        assert device.get_version().firmware.major == 1
        assert device.execute(ShdlcCommand(0x24, b"", 0.1)) == b"\x03"
        scale = device.execute(ShdlcCommand(0x53, b"\x36\x08", 0.1))
        assert struct.unpack(">HHH", scale) == (32, 0x0845, 0)


def test_its_driver_reads_the_plants_flow_and_says_who_it_is(sensor: SensirionScc1) -> None:
    block = sensor.read()

    assert block.values[0].tolist() == [125.0, 23.0]
    assert not block.quality.any()
    sensor.close()
    assert sensor.open() == "Sensirion SLF3S-4000B, serial number 2215000042"


@pytest.mark.fault("DEV-04")
def test_another_sensor_is_refused_before_a_measurement_is_started(rig: Endpoints) -> None:
    with pytest.raises(WrongInstrument, match="expected the sensor with serial number 7, found 2215000042"):
        made(rig.serial["flow_meter"], serial_number="7").open()
    with pytest.raises(InstrumentError, match="did not answer"):
        made(rig.serial["flow_meter"], address=5).open()


def face() -> tuple[Face, KnownPlant]:
    plant = KnownPlant()
    return Face(Terminal(LivePlant(plant), "flow_meter")), plant


def asked(device: Face, command: int, data: bytes = b"", now: float = 0.0) -> tuple[int, bytes]:
    """State and data of the answer."""
    frame = device.exchange(ShdlcSerialMosiFrameBuilder(0, command, data).to_bytes(), now)
    _, _, state, answer = parse_frame(frame[1:-1])
    return state, answer


def test_buffered_samples_are_each_told_once_and_the_lost_are_counted() -> None:
    device, _ = face()
    asked(device, 0x33, struct.pack(">HH", 10, 0x3608), now=0.0)
    told = []
    for now in (0.105, 0.2, 0.31):
        _, data = asked(device, 0x36, b"\x03", now=now)
        lost, remaining, signals = struct.unpack(">IHH", data[:8])
        assert (lost, remaining, signals) == (0, 0, 3)
        told.append(len(data[8:]) // 6)
    assert told == [10, 10, 11]

    _, data = asked(device, 0x36, b"\x03", now=10.31)

    assert struct.unpack(">IHH", data[:8]) == (500 * 6, 470 * 6, 3)


def test_while_it_measures_it_does_not_tell_who_it_is_and_an_unknown_command_is_refused() -> None:
    device, _ = face()
    asked(device, 0x33, struct.pack(">HH", 10, 0x3608))

    assert asked(device, 0x50)[0] == 0x43
    assert asked(device, 0x99)[0] == 0x02
    assert asked(device, 0x53, b"\x00\x01")[0] == 0x43
    assert asked(device, 0x35, b"\x03", now=0.001) == (0, b"")


@given(data=st.binary(max_size=60))
def test_stuffing_is_undone(data: bytes) -> None:
    assert unstuffed(stuffed(data)) == data
    assert not set(stuffed(data)) & {0x7E, 0x11, 0x13}


@given(pieces=st.lists(st.binary(max_size=40), max_size=8), address=st.integers(0, 255), data=st.binary(max_size=50))
def test_a_request_is_found_behind_any_noise_and_in_any_pieces(pieces: list[bytes], address: int, data: bytes) -> None:
    reader = FrameReader()
    for piece in pieces:
        reader.feed(piece)
    reader.feed(b"\x7e\x7e")
    frame = bytes(ShdlcSerialMosiFrameBuilder(address, 0x35, data).to_bytes())

    (request,) = [found for byte in frame for found in reader.feed(bytes([byte]))]

    assert (request.address, request.command, request.data) == (address, 0x35, data)


@given(noise=st.binary(max_size=40))
def test_noise_is_an_error_and_nothing_else(noise: bytes) -> None:
    for read in (parse_frame, parse_sensor, parse_scale, parse_measurement):
        with suppress(InstrumentError):
            read(noise)


@pytest.mark.parametrize(
    ("data", "per_ml"),
    [("000a 0844 0000", 10e3), ("01f4 0845 0000", 500.0), ("0020 0845 0000", 32.0), ("0020 0835 0000", 32 / 60)],
)
def test_the_scale_is_the_sensors_own(data: str, per_ml: float) -> None:
    """SLF3S-0600F: 10 to a µL/min; SLF3S-1300F: 500 to a mL/min; SLF3S-4000B: 32; and one that counts in seconds."""
    assert parse_scale(bytes.fromhex(data)) == pytest.approx(per_ml)
    with pytest.raises(InstrumentError, match="a unit that labrig does not know"):
        parse_scale(bytes.fromhex("0020 0045 0000"))


def scripted(*answers: tuple[bytes, bytes]) -> tuple[SensirionScc1, ScriptedLine]:
    """A sensor that answers as written, in hexadecimal digits of address, command, state, data."""

    def framed(text: bytes, *, reply: bool) -> bytes:
        head, data = bytes.fromhex(text.decode()), b""
        size = 3 if reply else 2
        head, data = head[:size], head[size:]
        frame = head + bytes([len(data)]) + data
        return stuffed(frame + bytes([~sum(frame) & 0xFF]))

    talk: list[tuple[bytes, bytes | InstrumentError]] = []
    for request, reply in answers:
        talk += [(b"\x7e" + framed(request, reply=False), b""), (b"", framed(reply, reply=True))]
    line = ScriptedLine(talk)
    model = plugins.options_of(SensirionScc1).model_validate({"port": "COM4", "channels": CHANNELS}, context=FROM_FILE)
    return SensirionScc1("flow", lambda: 0, lambda _: line, **plugins.keywords(model)), line


OPENING = (
    (b"00 34", b"00 34 00"),
    (b"00 50", b"00 50 00" + b"07030202".hex().encode() + b"000000000000002A".hex().encode() + b"00"),
    (b"00 24", b"00 24 00 03"),
    (b"00 53 3608", b"00 53 00 01F4 0845 0000"),
)


@pytest.mark.parametrize(
    ("answer", "flow", "quality"),
    [
        (b"0064 1130 0000", 0.2, Quality.GOOD),
        (b"FF9C 1130 0020", -0.2, Quality.GOOD),
        (b"7FFF 1130 0002", 65.534, Quality.ABOVE),
        (b"0064 1130 0001", np.nan, Quality.MISSING),
        (b"", np.nan, Quality.MISSING),
    ],
)
def test_the_sensors_flags_are_the_quality(answer: bytes, flow: float, quality: Quality) -> None:
    driver, line = scripted(*OPENING, (b"00 35 03", b"00 35 00" + answer))
    assert driver.open() == "Sensirion SLF3S-1300F, serial number 42"

    block = driver.read()

    assert block.values[0, 0] == pytest.approx(flow, nan_ok=True)
    assert int(block.quality[0, 0]) & ~int(Quality.ABOVE if flow > 0 else 0) == int(quality) & ~int(
        Quality.ABOVE if flow > 0 else 0
    )
    assert not answer or block.values[0, 1] == 22.0
    assert line.finished()


@pytest.mark.fault("DEV-02")
@pytest.mark.fault("DEV-06")
@pytest.mark.fault("DEV-07")
@pytest.mark.fault("DEV-08")
def test_a_bad_line_never_becomes_a_number(control: Control, sensor: SensirionScc1) -> None:
    place = {"address": "flow_meter"}
    for fault in ("silence", "garbage", "partial"):
        control.set_fault(fault, **place)
        for _ in range(2):
            with pytest.raises(InstrumentError):
                sensor.read()
        control.clear_fault(fault)
        sensor.read()  # asks who it is, and starts it anew
        wait(0.2)
        assert sensor.read().values[0, 0] == 125.0
    control.set_fault("unplugged", **place)
    with pytest.raises(LinkLost):
        sensor.read()
    control.clear_fault("unplugged")


def test_a_flow_that_is_too_fast_says_so(control: Control, sensor: SensirionScc1) -> None:
    control.set_fault("overload", address="flow_meter")

    assert int(sensor.read().quality[0, 0]) & Quality.ABOVE
