"""The Modbus driver against pymodbus' server: registers of every kind, coils, refusals, silence."""

from __future__ import annotations

import math
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from labrig import plugins
from labrig.clock import monotonic
from labrig.errors import InstrumentError, LinkLost, WrongInstrument
from labrig.model import Quality
from labrig.quantities import FROM_FILE
from labrig_instruments.line import LineSettings, Silence
from labrig_instruments.modbus_line import ModbusLine
from labrig_instruments.modbus_registers import Number, Order, Question, Register, number, questions, words_for
from labrig_instruments.modbus_rtu import ModbusRtu
from labrig_instruments.simulated.line import Line
from labrig_instruments.simulated.modbus import ModbusSlaves
from labrig_instruments.simulated.ports import plug
from tests.simulated.test_modbus_face import REGISTERS, Wires

SERVER = Path(__file__).with_name("modbus_server.py")
PRESSURE = {"slave": 1, "register": 2, "type": "float32", "unit": "psi", "reads": "bar", "range": ["0 bar", "10 bar"]}
COUNTS = {"slave": 1, "register": 4, "type": "int32", "unit": "", "range": ["-1000000", "1000000"]}
WATER = {"slave": 1, "register": 6, "unit": "°C", "scale": 0.1, "range": ["0 °C", "50 °C"]}
FROST = WATER | {"register": 7}
FINE = {"slave": 1, "register": 8, "type": "float64", "unit": "V", "range": ["0 V", "1 V"]}
VALVE = {"slave": 1, "coil": 3, "safe": "closed"}
NUMBERS: tuple[Number, ...] = ("int16", "uint16", "int32", "uint32", "float32", "float64")
ORDERS: tuple[Order, ...] = ("ABCD", "CDAB", "BADC", "DCBA")


@pytest.fixture(scope="module")
def port() -> Iterator[str]:
    process = subprocess.Popen([sys.executable, str(SERVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield f"socket://127.0.0.1:{int(process.stdout.readline())}"
        process.stdin.close()
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def driver(port: str, **table: Any) -> ModbusRtu:  # noqa: ANN401 - as in a file
    options = plugins.options_of(ModbusRtu).model_validate({"port": port, **table}, context=FROM_FILE)
    return ModbusRtu("bus", monotonic, **plugins.keywords(options))


@pytest.fixture
def bus(port: str) -> Iterator[Callable[..., ModbusRtu]]:
    made: list[ModbusRtu] = []

    def make(**table: Any) -> ModbusRtu:  # noqa: ANN401 - as in a file
        made.append(driver(port, **table))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_registers_of_every_kind_are_read_in_their_units(bus: Callable[..., ModbusRtu]) -> None:
    channels = {"p": PRESSURE, "n": COUNTS, "t": WATER, "f": FROST, "v": FINE}
    device = bus(channels=channels)

    assert "slave 1 answers" in device.open()
    block = device.read()

    assert block.channels == tuple(channels)
    assert block.values[0] == pytest.approx([1.25, -123456, 23.5, -5.0, 2.5e-3], rel=1e-6)
    assert [channel.raw_unit for channel in device.channels] == ["bar", "", "°C", "°C", "V"]
    assert block.quality[0, 3] == Quality.BELOW


def test_registers_that_stand_together_are_asked_for_at_once() -> None:
    registers = [Register.model_validate(table) for table in (PRESSURE, COUNTS, WATER, FROST)]

    assert questions(registers) == (Question(1, "input", 2, 6),)


def test_a_slave_says_who_it_is_by_its_registers(bus: Callable[..., ModbusRtu]) -> None:
    number_ = {"slave": 1, "register": 100, "expect": "4711"}
    name = {"slave": 1, "register": 200, "type": "text", "length": 4}

    assert "slave 1 is LEO5-77X" in bus(channels={"p": PRESSURE}, identities=[number_, name]).open()


@pytest.mark.fault("DEV-04")
def test_another_slave_than_expected_is_refused_before_a_coil_is_touched(bus: Callable[..., ModbusRtu]) -> None:
    device = bus(coils={"feed": VALVE}, identities=[{"slave": 1, "register": 100, "expect": "4712"}])

    with pytest.raises(WrongInstrument, match="expected slave 1 to be 4712, and it says 4711"):
        device.open()


@pytest.mark.parametrize("function", [5, 15])
def test_a_coil_is_a_valve_that_is_read_back(bus: Callable[..., ModbusRtu], function: int) -> None:
    device = bus(coils={"feed": VALVE | {"function": function}, "vent": VALVE | {"coil": 4, "safe": "open"}})
    device.open()
    feed, vent = device.output("feed"), device.output("vent")

    assert (feed.is_open(), vent.is_open()) == (False, True)
    feed.open()
    assert feed.is_open()
    device.make_safe()
    assert (feed.is_open(), vent.is_open()) == (False, True)


@pytest.mark.parametrize(
    ("channel", "words"),
    [
        (PRESSURE | {"register": 5000}, "refused: exception 2: it has no such register. Manuals count from 1"),
        (
            PRESSURE | {"slave": 4, "register": 9000, "type": "uint16"},
            "refused: exception 4: it failed while it answered",
        ),
    ],
)
def test_a_refusal_says_what_it_means(bus: Callable[..., ModbusRtu], channel: dict[str, Any], words: str) -> None:
    with pytest.raises(InstrumentError, match=words):
        bus(channels={"p": channel}).open()


@pytest.mark.fault("DEV-08")
def test_a_slave_that_is_not_there_is_a_silence() -> None:
    """On a bus with another one; pymodbus' server would answer for it."""
    line = Line("bus", ModbusSlaves(Wires(), baud=115200, registers=REGISTERS), plug("socket"), 115200)
    device = driver(line.url, channels={"p": PRESSURE, "q": PRESSURE | {"slave": 9}})
    try:
        with pytest.raises(Silence, match="slave 9, asked for its input registers 2 to 3, did not answer within"):
            device.open()
    finally:
        line.close()


@pytest.mark.fault("DEV-02")
def test_a_line_that_is_gone_is_lost() -> None:
    with pytest.raises(LinkLost):
        driver("socket://127.0.0.1:1", channels={"p": PRESSURE}).open()


class Replying:
    """A bus that answers from a list; an error in it is raised."""

    def __init__(self, *answers: list[int] | InstrumentError) -> None:
        self.answers, self.drained, self.closed = list(answers), 0, False

    def read(self, question: Question) -> list[int]:
        answer = self.answers.pop(0)
        if isinstance(answer, InstrumentError):
            raise answer
        return answer

    def coil(self, slave: int, address: int) -> bool:
        return bool(self.read(Question(slave, "input", address, 1))[0])

    def write_coil(self, slave: int, address: int, function: int, *, on: bool) -> None:
        """Taken."""

    def drain(self) -> None:
        self.drained += 1

    def close(self) -> None:
        self.closed = True


def on(replying: Replying, **table: Any) -> ModbusRtu:  # noqa: ANN401 - as in a file
    options = plugins.options_of(ModbusRtu).model_validate({"port": "COM1", **table}, context=FROM_FILE)
    return ModbusRtu("bus", monotonic, lambda _: replying, **plugins.keywords(options))


@pytest.mark.fault("DEV-08")
def test_after_a_silence_the_line_is_drained_and_the_slave_asked_anew() -> None:
    replying = Replying([1], Silence("quiet"), [0], [235])
    device = on(replying, channels={"t": WATER})
    device.open()
    with pytest.raises(Silence):
        device.read()

    assert device.read().values[0, 0] == pytest.approx(23.5)
    assert replying.drained == 1


@pytest.mark.fault("DEV-10")
def test_a_relay_board_that_lost_its_power_is_told_and_not_switched_again() -> None:
    closed, is_open = [0], [1]
    replying = Replying(closed, closed, is_open, Silence("quiet"), closed, closed)
    device = on(replying, coils={"feed": VALVE})
    device.open()
    device.output("feed").open()
    with pytest.raises(Silence):
        device.read()

    with pytest.raises(InstrumentError, match=r"feed \(COM1/1/coil/3\) was told to be open and is closed"):
        device.read()


def test_what_a_register_says_for_no_value_is_missing() -> None:
    device = on(Replying([1], [0x7FFF]), channels={"t": WATER | {"missing": 32767}})
    device.open()

    block = device.read()

    assert math.isnan(block.values[0, 0])
    assert block.quality[0, 0] == Quality.MISSING


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"register": 65535, "type": "float32"}, "a register below 65535 for a float32"),
        ({"slave": 0}, "greater than or equal to 1"),
        ({"scale": 0}, "a scale that is not zero"),
        ({"type": "float32", "missing": 1}, "a float says it by NaN"),
        ({"unit": "psi"}, "to turn a temperature into a pressure"),
        ({"table": "coils"}, "'input' or 'holding'"),
    ],
)
def test_a_wrong_register_is_refused_in_words(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Register.model_validate(WATER | {"reads": "°C"} | change)


@given(st.sampled_from(NUMBERS), st.sampled_from(ORDERS), st.floats(-30000, 30000))
def test_a_number_survives_its_words_in_every_order(kind: Number, order: Order, value: float) -> None:
    held = value if kind.startswith("float") else float(abs(round(value)))
    words = words_for(held, kind, order)

    expected = struct.unpack(">f", struct.pack(">f", held))[0] if kind == "float32" else held
    assert number(words, kind, order) == expected


@pytest.mark.parametrize(
    ("order", "words"),
    [("ABCD", [0x3FA0, 0]), ("CDAB", [0, 0x3FA0]), ("BADC", [0xA03F, 0]), ("DCBA", [0, 0xA03F])],
)
def test_word_orders_are_those_of_the_manuals(order: Order, words: list[int]) -> None:
    """1.25 is 3F A0 00 00 as IEEE 754 writes it."""
    assert number(words, "float32", order) == 1.25


def test_the_line_closes_after_the_other_end_hung_up(port: str) -> None:
    line = ModbusLine(LineSettings(port, timeout=0.3))
    line.close()

    with pytest.raises(LinkLost):
        line.read(Question(1, "input", 2, 2))
