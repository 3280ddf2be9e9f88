"""Modbus RTU slaves on one line, as the bus sees them: registers that follow the plant, coils that drive it.

A signal of the plant at ``NAME/SLAVE/TABLE/REGISTER`` (such as ``bus/1/input/2``) is what that register says; other
registers say their ``value``. A coil commands ``NAME/SLAVE/coil/COIL``. A slave that is not there is silent, and so is
every slave to a frame that is not for it or came garbled.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Final, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from labrig import units

_GAP: Final = 0.03
"""Seconds of silence after which a frame is over; more than 3.5 characters at any usual speed."""
_FORMS: Final = {"int16": "h", "uint16": "H", "int32": "i", "uint32": "I", "float32": "f", "float64": "d"}
_TABLES: Final[Mapping[int, str]] = {3: "holding", 4: "input"}
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, FAILURE = 1, 2, 3, 4


class Signals(Protocol):
    """The plant's signals at this device."""

    def has(self, quantity: str) -> bool: ...
    def measure(self, quantity: str, otherwise: float) -> float: ...
    def command(self, quantity: str, value: float) -> None: ...
    def commanded(self, quantity: str) -> float: ...


class Word(BaseModel):
    """One number or text in registers."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    slave: Annotated[int, Field(ge=1, le=247)]
    table: Literal["input", "holding"] = "input"
    at: Annotated[int, Field(ge=0, le=65535)]
    type: Literal["int16", "uint16", "int32", "uint32", "float32", "float64", "text"] = "int16"
    order: Literal["ABCD", "CDAB", "BADC", "DCBA"] = "ABCD"
    unit: str = ""
    """Of what the register says of a signal."""
    scale: float = 1.0
    """What one step of the register is, in that unit."""
    value: float | str = 0.0
    """What it says where the plant has no signal for it."""


class Relay(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    slave: Annotated[int, Field(ge=1, le=247)]
    coil: Annotated[int, Field(ge=0, le=65535)]


class Refused(Exception):
    """An exception of the protocol, by number."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exception {code}")
        self.code = code


class ModbusSlaves:
    """All slaves of one line."""

    kept: bytes = b""
    """A garbled frame keeps nothing."""

    def __init__(
        self,
        terminal: Signals,
        *,
        baud: int = 9600,
        registers: tuple[Word, ...] = (),
        coils: tuple[Relay, ...] = (),
        failing: tuple[int, ...] = (),
    ) -> None:
        """``failing``: slaves that answer every question with exception 4."""
        self.baud, self.serial_number = baud, ""
        self._signals, self._coils, self._failing = terminal, coils, failing
        self._words = {(word.slave, word.table, word.at): word for word in registers}
        self._written: dict[tuple[int, str, int], int] = {}
        self._slaves = {word.slave for word in registers} | {relay.slave for relay in coils} | set(failing)
        self._heard, self._last = b"", 0.0
        self._functions: Mapping[int, Callable[[int, int, bytes], bytes]] = {
            **{1: self._read_coils, 3: self._read_words, 4: self._read_words},
            **{5: self._write_coil, 6: self._write_word, 15: self._write_coils, 16: self._write_words},
        }

    def exchange(self, received: bytes, now: float) -> bytes:
        if received:
            self._heard = received if now - self._last > _GAP else self._heard + received
            self._last = now
        said = b""
        while (length := _length(self._heard)) is not None and len(self._heard) >= length:
            frame, self._heard = self._heard[:length], self._heard[length:]
            if crc(frame[:-2]) != frame[-2:]:
                self._heard = b""
                break
            said += self._answer(frame[0], frame[1], frame[2:-2])
        return said

    def due(self) -> float | None:
        return None

    def restart(self) -> None:
        """As after a power cut: coils fall, and what was written is forgotten."""
        self._written.clear()
        for relay in self._coils:
            self._signals.command(f"{relay.slave}/coil/{relay.coil}", 0.0)

    def _answer(self, slave: int, function: int, data: bytes) -> bytes:
        if slave not in self._slaves:
            return b""
        answer = self._fail if slave in self._failing else self._functions.get(function, self._decline)
        try:
            body = bytes([slave, function]) + answer(slave, function, data)
        except Refused as refused:
            body = bytes([slave, function | 0x80, refused.code])
        return body + crc(body)

    def _fail(self, slave: int, function: int, data: bytes) -> bytes:
        raise Refused(FAILURE)

    def _decline(self, slave: int, function: int, data: bytes) -> bytes:
        raise Refused(ILLEGAL_FUNCTION)

    def _read_words(self, slave: int, function: int, data: bytes) -> bytes:
        first, count = struct.unpack(">HH", data)
        if not 1 <= count <= 125:
            raise Refused(ILLEGAL_VALUE)
        there = self._memory(slave, _TABLES[function])
        return bytes([2 * count]) + b"".join(struct.pack(">H", _at(there, k)) for k in range(first, first + count))

    def _write_word(self, slave: int, function: int, data: bytes) -> bytes:
        address, word = struct.unpack(">HH", data)
        self._store(slave, address, [word])
        return data

    def _write_words(self, slave: int, function: int, data: bytes) -> bytes:
        first, count, size = struct.unpack(">HHB", data[:5])
        if not 1 <= count <= 123 or size != 2 * count:
            raise Refused(ILLEGAL_VALUE)
        self._store(slave, first, struct.unpack(f">{count}H", data[5:]))
        return data[:4]

    def _store(self, slave: int, first: int, words: Sequence[int]) -> None:
        there = self._memory(slave, "holding")
        for k in range(len(words)):
            _at(there, first + k)
        self._written |= {(slave, "holding", first + k): word for k, word in enumerate(words)}

    def _memory(self, slave: int, table: str) -> dict[int, int]:
        """Every register of a table, by address."""
        found: dict[int, int] = {}
        for (its_slave, its_table, at), word in self._words.items():
            if (its_slave, its_table) == (slave, table):
                found |= dict(enumerate(_encoded(word, self._said(word)), at))
        written = {at: word for (one, other, at), word in self._written.items() if (one, other) == (slave, table)}
        return found | written

    def _said(self, word: Word) -> float | str:
        quantity = f"{word.slave}/{word.table}/{word.at}"
        if not self._signals.has(quantity):
            return word.value
        return units.unit(word.unit).from_si(self._signals.measure(quantity, 0.0)) / word.scale

    def _read_coils(self, slave: int, function: int, data: bytes) -> bytes:
        first, count = struct.unpack(">HH", data)
        if not 1 <= count <= 2000:
            raise Refused(ILLEGAL_VALUE)
        states = [self._state(slave, k) for k in range(first, first + count)]
        packed = sum(state << k for k, state in enumerate(states)).to_bytes((count + 7) // 8, "little")
        return bytes([len(packed)]) + packed

    def _write_coil(self, slave: int, function: int, data: bytes) -> bytes:
        address, state = struct.unpack(">HH", data)
        self._state(slave, address)
        if state not in {0xFF00, 0}:
            raise Refused(ILLEGAL_VALUE)
        self._signals.command(f"{slave}/coil/{address}", float(state != 0))
        return data

    def _write_coils(self, slave: int, function: int, data: bytes) -> bytes:
        first, count, size = struct.unpack(">HHB", data[:5])
        if not 1 <= count <= 1968 or size != (count + 7) // 8:
            raise Refused(ILLEGAL_VALUE)
        for k in range(count):
            self._state(slave, first + k)
        bits = int.from_bytes(data[5:], "little")
        for k in range(count):
            self._signals.command(f"{slave}/coil/{first + k}", float(bits >> k & 1))
        return data[:4]

    def _state(self, slave: int, address: int) -> bool:
        if not any((relay.slave, relay.coil) == (slave, address) for relay in self._coils):
            raise Refused(ILLEGAL_ADDRESS)
        return self._signals.commanded(f"{slave}/coil/{address}") != 0


def crc(data: bytes) -> bytes:
    """CRC-16 of Modbus (polynomial A001 reflected, start FFFF), low byte first as it is sent."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return struct.pack("<H", value)


def _length(heard: bytes) -> int | None:
    """Bytes of the request that begins so; None where that is not known yet."""
    if len(heard) < 2:
        return None
    if heard[1] in {15, 16}:
        return 9 + heard[6] if len(heard) > 6 else None
    return 8


def _at(there: Mapping[int, int], address: int) -> int:
    if address not in there:
        raise Refused(ILLEGAL_ADDRESS)
    return there[address]


def _encoded(word: Word, value: float | str) -> list[int]:
    if isinstance(value, str) or word.type == "text":
        text = str(value).encode("ascii", "replace")
        packed = text + b"\0" * (len(text) % 2)
    else:
        form = _FORMS[word.type]
        packed = struct.pack(f">{form}", value if form in "fd" else _whole(value, form))
    pairs = [packed[k : k + 2] for k in range(0, len(packed), 2)]
    if word.type not in {"int16", "uint16", "text"}:
        pairs = pairs[::-1] if word.order in {"CDAB", "DCBA"} else pairs
        pairs = [pair[::-1] for pair in pairs] if word.order in {"BADC", "DCBA"} else pairs
    return [int.from_bytes(pair, "big") for pair in pairs]


def _whole(value: float, form: str) -> int:
    """The nearest number that the register can hold."""
    bits = 8 * struct.calcsize(form)
    low, high = (0, (1 << bits) - 1) if form.isupper() else (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
    return round(min(max(value, low), high))
