"""The simulated Bronkhorst: the vendor's package understands it, and our driver says what that package would say."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig import plugins
from labrig.clock import monotonic
from labrig.errors import InstrumentError, LinkLost, RigError, WrongInstrument
from labrig.quantities import FROM_FILE
from labrig.units import L_per_min
from labrig_instruments.bronkhorst import BronkhorstController, BronkhorstMeter
from labrig_instruments.line import ScriptedLine, Silence
from labrig_instruments.propar_frames import (
    MEASURE,
    SERIAL_NUMBER,
    SET_POINT,
    Parameter,
    check_status,
    parse_message,
    parse_value,
    reading,
    writing,
)
from labrig_instruments.simulated.control import Control
from labrig_instruments.simulated.propar import Message, MessageReader, Value, obeyed, sent
from tests.simulated.clients import wait
from tests.simulated.conftest import KNOWN, Endpoints, known_process, simulated_rig

__all__ = ["known_process"]
CLIENT = Path(__file__).with_name("propar_client.py")


@pytest.fixture(scope="module")
def rig() -> Iterator[Endpoints]:
    with simulated_rig([str(KNOWN)]) as endpoints:
        yield endpoints


@pytest.fixture
def control(rig: Endpoints) -> Iterator[Control]:
    with Control(rig.control) as port:
        yield port
        port.clear_faults()


def options(port: str, **changes: object) -> dict[str, object]:
    return {
        "port": port,
        "timeout": "0.3 s",
        "channels": {"gas": {"reads": "measure", "unit": "L/min", "range": ["0 L/min", "10 L/min"]}},
        "setpoint_name": "target",
        "setpoint": {"unit": "L/min", "range": ["0 L/min", "8 L/min"], "safe": "0 L/min"},
        **changes,
    }


def made(port: str, **changes: object) -> BronkhorstController:
    model = plugins.options_of(BronkhorstController).model_validate(options(port, **changes), context=FROM_FILE)
    return BronkhorstController("mfc", monotonic, **plugins.keywords(model))


@pytest.fixture
def controller(rig: Endpoints) -> Iterator[BronkhorstController]:
    driver = made(rig.serial["mass_flow"])
    driver.open()
    yield driver
    driver.close()


@pytest.mark.parametrize("form", ["binary", "digits"])
@pytest.mark.parametrize("link", ["pty", "socket"])
def test_the_vendors_package_reads_and_sets_it(rig: Endpoints, known_process: Endpoints, form: str, link: str) -> None:
    url = (known_process if link == "pty" else rig).serial["mass_flow"]
    done = subprocess.run(
        [sys.executable, str(CLIENT), url, form], capture_output=True, text=True, check=False, timeout=90
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)

    assert (told["serial number"], told["capacity"], told["unit"]) == ("M6212345A", 10.0, "ln/min")
    assert (told["took"], told["set-point"], told["steps"]) == (True, 2.5, 8000)
    assert told["read-only"] is False
    flow, warmth, steps = told["several"]
    assert flow == pytest.approx(2.5, rel=0.01)
    assert warmth == pytest.approx(23.0, abs=0.01)
    assert steps == pytest.approx(8000, rel=0.01)
    assert told["zero"] is True


@pytest.mark.parametrize(
    ("parameter", "tag", "manual"),
    [
        (Parameter(1, 0, "integer"), 1, b":06030401210120"),  # 9.17.027, request measure; the manual's own index is 1
        (Parameter(104, 1, "float"), 104, b":06030468416841"),  # the same, request counter value
    ],
)
def test_questions_are_those_of_the_manual(parameter: Parameter, tag: int, manual: bytes) -> None:
    """But for the answer's index in its process, which is ours to choose."""
    asked = reading(3, parameter, tag)

    assert asked[:9] == manual[:9]
    assert asked[11:] == manual[11:]


def test_answers_are_read_as_the_manual_writes_them() -> None:
    counter = parse_message(b":0803026841459CFFAE")
    assert parse_value(counter, Parameter(104, 1, "float")) == pytest.approx(5023.96, abs=0.01)
    assert parse_value(parse_message(b":06030201213E80"), Parameter(1, 1, "integer")) == 16000
    check_status(parse_message(b":040300001C"))
    with pytest.raises(InstrumentError, match=r"refused \(status 4\): it has no such parameter"):
        parse_value(parse_message(b":0403000401"), MEASURE)


@given(noise=st.binary(max_size=40))
def test_noise_is_an_error_and_nothing_else(noise: bytes) -> None:
    for data in (noise, b":" + noise.hex().upper().encode()):
        with suppress(InstrumentError):
            message = parse_message(data)
            for parameter in (MEASURE, SERIAL_NUMBER):
                with suppress(InstrumentError):
                    parse_value(message, parameter)


@given(
    pieces=st.lists(st.binary(max_size=20), max_size=5),
    node=st.integers(0, 255),
    data=st.binary(min_size=1, max_size=40),
    sequence=st.none() | st.integers(0, 255),
)
def test_a_message_is_found_in_whatever_pieces_it_comes(
    pieces: list[bytes], node: int, data: bytes, sequence: int | None
) -> None:
    reader = MessageReader()
    message = Message(sequence, node, data)

    found = [each for byte in sent(message) for each in reader.feed(bytes([byte]))]

    assert found == [message]
    for piece in pieces:
        reader.feed(piece)


@given(data=st.binary(min_size=1, max_size=40))
def test_any_command_has_an_answer_or_none(data: bytes) -> None:
    values = {(33, 0): Value(0x40, lambda: 1.0), (33, 3): Value(0x40, lambda: 1.0, lambda _: True)}

    assert isinstance(obeyed(data, values), bytes)


def test_its_driver_sets_reads_back_and_says_who_it_is(controller: BronkhorstController) -> None:
    assert controller.open() == "Bronkhorst F-201CV-10K-AGD, serial number M6212345A"
    controller.set(5 * L_per_min)
    assert controller.setpoint() == pytest.approx(5 * L_per_min)
    wait(3.0)
    assert controller.read().values[0, 0] == pytest.approx(5.0, rel=0.02)
    with pytest.raises(RigError, match="nothing was sent"):
        controller.set(9 * L_per_min)
    controller.make_safe()
    assert controller.setpoint() == 0.0


@pytest.mark.fault("DEV-04")
def test_another_instrument_or_one_that_obeys_others_is_refused(rig: Endpoints) -> None:
    with pytest.raises(WrongInstrument, match="serial number X, found M6212345A"):
        made(rig.serial["mass_flow"], serial_number="X").open()
    with pytest.raises(InstrumentError, match=r"refused \(status 6\): the value is not allowed"):
        made(rig.serial["normal_flow"]).open()
    with pytest.raises(InstrumentError, match="did not answer"):
        made(rig.serial["mass_flow"], node=9).open()


ANSWERS = {
    SERIAL_NUMBER: "6300" + b"M1\0".hex(),
    Parameter(113, 2, "text"): "6200" + b"F-201CV\0".hex(),
    Parameter(1, 31, "text"): "7F07" + b"ml/min ".hex(),
    Parameter(1, 13, "float"): "4D42C80000",
}


def scripted(*talk: tuple[bytes, bytes | InstrumentError]) -> tuple[BronkhorstMeter, ScriptedLine]:
    opening: list[tuple[bytes, bytes | InstrumentError]] = []
    for tag, (parameter, value) in enumerate(ANSWERS.items(), 1):
        opening.append((reading(128, parameter, tag), answer(tag, value)))
    line = ScriptedLine([*opening, *talk])
    keys = {key: value for key, value in options("COM4").items() if not key.startswith("setpoint")}
    model = plugins.options_of(BronkhorstMeter).model_validate(keys, context=FROM_FILE)
    return BronkhorstMeter("meter", lambda: 0, lambda _: line, **plugins.keywords(model)), line


def answer(tag: int, value: str) -> bytes:
    body = f"8002{tag:02X}{value}".upper()
    return f":{len(body) // 2:02X}{body}".encode()


@pytest.mark.fault("DEV-08")
def test_a_late_answer_is_known_by_its_number() -> None:
    meter, line = scripted(
        (reading(128, MEASURE, 5), Silence("quiet")),
        (reading(128, SERIAL_NUMBER, 6), answer(5, "4041200000")),
        (b"", answer(6, ANSWERS[SERIAL_NUMBER])),
        (reading(128, MEASURE, 7), answer(7, "4042480000")),
    )
    meter.open()
    with pytest.raises(Silence):
        meter.read()

    assert meter.read().values[0, 0] == pytest.approx(0.05)  # 50 mL/min
    assert line.finished()


@pytest.mark.fault("DEV-02")
@pytest.mark.fault("DEV-06")
@pytest.mark.fault("DEV-07")
@pytest.mark.fault("DEV-08")
def test_a_bad_line_never_becomes_a_number(control: Control, controller: BronkhorstController) -> None:
    place = {"address": "mass_flow"}
    actions: tuple[Callable[[], Any], ...] = (controller.read, lambda: controller.set(1 * L_per_min))
    for fault in ("silence", "garbage", "partial"):
        control.set_fault(fault, **place)
        for action in actions:
            with pytest.raises(InstrumentError):
                action()
        control.clear_fault(fault)
        controller.set(2 * L_per_min)
        assert controller.setpoint() == pytest.approx(2 * L_per_min)
    control.set_fault("silence", **place)
    with pytest.raises(InstrumentError):
        controller.read()
    control.clear_fault("silence")
    control.set_fault("wrong identity", serial_number="M999", **place)
    with pytest.raises(WrongInstrument, match="found M999"):
        controller.set(0.0)
    control.clear_fault("wrong identity")
    control.set_fault("unplugged", **place)
    with pytest.raises(LinkLost):
        controller.read()


def test_what_is_written_arrives_at_the_parameter() -> None:
    taken: list[float] = []

    def take(value: float) -> bool:
        taken.append(value)
        return True

    values = {(33, 3): Value(0x40, lambda: taken[-1], take)}
    (message,) = MessageReader().feed(writing(3, SET_POINT, 1.5) + b"\r\n")

    assert obeyed(message.data, values)[:2] == b"\0\0"
    assert taken == [1.5]
