"""The simulated Modbus slaves, asked by pymodbus' client."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ModbusIOException
from pymodbus.framer import FramerType

from labrig.units import bar, celsius
from labrig_instruments.simulated.line import Line
from labrig_instruments.simulated.modbus import ModbusSlaves, Relay, Word, crc
from labrig_instruments.simulated.ports import plug

Type = Any  # pymodbus' DATATYPE, a class attribute of its client
SIGNALS = {"1/input/2": 1.25 * bar, "1/input/4": celsius(23.5)}
REGISTERS = (
    Word(slave=1, at=2, type="float32", unit="bar"),
    Word(slave=1, at=4, unit="°C", scale=0.1),
    Word(slave=1, table="holding", at=100, type="uint32", order="CDAB", value=4711),
    Word(slave=1, table="holding", at=200, type="text", value="LEO5"),
)


class Wires:
    """Signals that do not change, and what was commanded."""

    def __init__(self) -> None:
        self.commands: dict[str, float] = {}

    def has(self, quantity: str) -> bool:
        return quantity in SIGNALS

    def measure(self, quantity: str, otherwise: float) -> float:
        return SIGNALS.get(quantity, otherwise)

    def command(self, quantity: str, value: float) -> None:
        self.commands[quantity] = value

    def commanded(self, quantity: str) -> float:
        return self.commands.get(quantity, 0.0)


def slaves(wires: Wires) -> ModbusSlaves:
    coils = tuple(Relay(slave=17, coil=k) for k in range(3))
    return ModbusSlaves(wires, baud=115200, registers=REGISTERS, coils=coils, failing=(4,))


@pytest.fixture
def wires() -> Wires:
    return Wires()


@pytest.fixture
def client(wires: Wires) -> Iterator[ModbusTcpClient]:
    line = Line("bus", slaves(wires), plug("socket"), 115200)
    asking = ModbusTcpClient(
        "127.0.0.1", port=int(line.url.rpartition(":")[2]), framer=FramerType.RTU, timeout=1, retries=0
    )
    assert asking.connect()  # type: ignore[no-untyped-call]
    yield asking
    asking.close()  # type: ignore[no-untyped-call]
    line.close()


def test_registers_say_what_the_plant_says(client: ModbusTcpClient) -> None:
    types = client.DATATYPE
    pressure = client.read_input_registers(2, count=2, device_id=1).registers
    water = client.read_input_registers(4, count=1, device_id=1).registers
    number = client.read_holding_registers(100, count=2, device_id=1).registers
    name = client.read_holding_registers(200, count=2, device_id=1).registers

    assert client.convert_from_registers(pressure, types.FLOAT32) == 1.25
    assert client.convert_from_registers(water, types.INT16) == 235
    assert client.convert_from_registers(number, types.UINT32, word_order="little") == 4711
    assert client.convert_from_registers(name, types.STRING) == "LEO5"


def test_coils_drive_the_plant_and_are_read_back(client: ModbusTcpClient, wires: Wires) -> None:
    assert not client.write_coil(1, True, device_id=17).isError()

    assert wires.commands == {"17/coil/1": 1.0}
    assert client.read_coils(0, count=3, device_id=17).bits[:3] == [False, True, False]
    assert not client.write_coils(0, [True, False, True], device_id=17).isError()
    assert client.read_coils(0, count=3, device_id=17).bits[:3] == [True, False, True]


def test_holding_registers_keep_what_is_written_until_the_power_goes(client: ModbusTcpClient) -> None:
    client.write_registers(100, [1, 2], device_id=1)

    assert client.read_holding_registers(100, count=2, device_id=1).registers == [1, 2]


Call = Literal["address", "function", "value", "failing"]


@pytest.mark.parametrize(("call", "code"), [("function", 1), ("address", 2), ("failing", 4)])
def test_what_cannot_be_is_refused_by_its_number(client: ModbusTcpClient, call: Call, code: int) -> None:
    answer = {
        "function": lambda: client.read_discrete_inputs(0, count=1, device_id=1),
        "address": lambda: client.read_input_registers(50, count=1, device_id=1),
        "failing": lambda: client.read_input_registers(0, count=1, device_id=4),
    }[call]()

    assert answer.exception_code == code


def test_a_wrong_value_is_refused_by_its_number(wires: Wires) -> None:
    half = struct.pack(">BBHH", 17, 5, 0, 0x1234)

    assert slaves(wires).exchange(half + crc(half), 0.0)[1:3] == bytes([0x85, 3])


@pytest.mark.expected_logs("pymodbus")
def test_a_slave_that_is_not_there_is_silent(client: ModbusTcpClient) -> None:
    with pytest.raises(ModbusIOException):
        client.read_input_registers(2, count=2, device_id=9)


def test_a_request_may_come_in_pieces_and_after_rubbish(wires: Wires) -> None:
    face = slaves(wires)
    request = struct.pack(">BBHH", 1, 4, 2, 2)
    request += crc(request)

    assert face.exchange(b"\x00\xff rubbish", 0.0) == b""
    assert face.exchange(request[:3], 1.0) == b""
    assert face.exchange(request[3:], 1.005)[:7] == bytes([1, 4, 4]) + struct.pack(">f", 1.25)


def test_the_checksum_is_the_one_of_the_specification() -> None:
    """Modbus over serial line 1.02, appendix B: 02 07 is followed by 41 12."""
    assert crc(b"\x02\x07") == b"\x41\x12"


@given(st.lists(st.binary(max_size=20), max_size=6))
def test_any_bytes_are_taken(pieces: list[bytes]) -> None:
    face = slaves(Wires())
    for k, piece in enumerate(pieces):
        assert isinstance(face.exchange(piece, k * 0.01), bytes)


def test_a_power_cut_drops_the_coils(wires: Wires) -> None:
    face = slaves(wires)
    wires.command("17/coil/0", 1.0)

    face.restart()

    assert wires.commanded("17/coil/0") == 0.0
