"""Modbus registers as a rig file describes them, and what their words say."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from labrig.drivers import Options, ValveOptions
from labrig.errors import InstrumentError
from labrig_instruments.number import NumberOptions

Number = Literal["int16", "uint16", "int32", "uint32", "float32", "float64"]
Order = Literal["ABCD", "CDAB", "BADC", "DCBA"]
"""Bytes of a number of two words as they come; the same for four words."""
Table = Literal["input", "holding"]
Slave = Annotated[int, Field(ge=1, le=247)]
Address = Annotated[int, Field(ge=0, le=65535)]
"""As the protocol counts, from 0: what manuals call 40001 is holding register 0, 30001 input register 0."""
MOST: Final = 120
"""Words of one question; the protocol allows 125."""
_FORMS: Final[Mapping[Number, str]] = {
    "int16": ">h",
    "uint16": ">H",
    "int32": ">i",
    "uint32": ">I",
    "float32": ">f",
    "float64": ">d",
}


class Register(NumberOptions):
    """A quantity in one or more registers of a slave."""

    slave: Slave
    table: Table = "input"
    register_: Address = Field(alias="register")
    type: Number = "int16"
    order: Order = "ABCD"
    scale: float = Field(default=1.0, allow_inf_nan=False)
    """The number in ``reads`` is the register's times this: 0.1 where 235 means 23.5 °C."""
    missing: int | None = None
    """What the register says where the device has no value, as with a broken sensor."""

    @model_validator(mode="after")
    def _is_one(self) -> Register:
        if self.scale == 0:
            raise ValueError("a scale that is not zero")
        if self.register_ + self.words > 65536:
            raise ValueError(f"a register below {65537 - self.words} for a {self.type}, not {self.register_}")
        if self.missing is not None and self.type.startswith("float"):
            raise ValueError("missing for whole numbers only; a float says it by NaN")
        return self

    @property
    def words(self) -> int:
        return words_of(self.type)


class Coil(ValveOptions):
    """A relay of a board, read back after each write."""

    slave: Slave
    coil: Address
    function: Literal[5, 15] = 5
    """Write one coil (5), or a list with one in it (15), for boards that know only that."""


class SlaveIdentity(Options):
    """What a slave must say of itself before anything is written."""

    slave: Slave
    table: Table = "holding"
    register_: Address = Field(alias="register")
    type: Literal["uint16", "uint32", "text"] = "uint32"
    order: Order = "ABCD"
    length: Annotated[int, Field(ge=1, le=60)] = 8
    """Registers of a text, two characters each."""
    expect: str | None = None
    """Unset, whatever it says is recorded."""

    @property
    def words(self) -> int:
        return self.length if self.type == "text" else words_of(self.type)

    def said(self, words: Sequence[int]) -> str:
        """A text's characters without what fills it up, or a number in decimals."""
        if self.type == "text":
            return b"".join(struct.pack(">H", word) for word in words).decode("ascii", "replace").strip("\0 ")
        return f"{number(words, self.type, self.order):.0f}"


def words_of(kind: Number) -> int:
    return struct.calcsize(_FORMS[kind]) // 2


def number(words: Sequence[int], kind: Number, order: Order) -> float:
    """The number in as many words (0 to 65535) as its type has; NaN stays NaN."""
    ordered = list(words) if order in {"ABCD", "BADC"} else list(words)[::-1]
    each = ">H" if order in {"ABCD", "CDAB"} else "<H"
    if len(ordered) == 1:
        each = ">H"
    (value,) = struct.unpack(_FORMS[kind], b"".join(struct.pack(each, word) for word in ordered))
    return float(value)


def words_for(value: float, kind: Number, order: Order) -> list[int]:
    """The reverse of `number`; raises `InstrumentError` for a number that the type cannot hold."""
    try:
        packed = struct.pack(_FORMS[kind], value if kind.startswith("float") else round(value))
    except (struct.error, OverflowError, ValueError) as error:
        raise InstrumentError(f"{value:g} does not fit into {kind}: {error}") from None
    words = [int.from_bytes(packed[k : k + 2], "big") for k in range(0, len(packed), 2)]
    if len(words) > 1:
        words = [word if order in {"ABCD", "CDAB"} else (word & 0xFF) << 8 | word >> 8 for word in words]
        words = words if order in {"ABCD", "BADC"} else words[::-1]
    return words


@dataclass(frozen=True, slots=True)
class Question:
    """Registers that stand together and are asked for at once, so that they are of one moment."""

    slave: int
    table: Table
    first: int
    count: int


def questions(registers: Sequence[Register]) -> tuple[Question, ...]:
    """As few questions as ask for these registers and for no other."""
    spans = sorted({(r.slave, r.table, r.register_, r.register_ + r.words) for r in registers})
    found: list[Question] = []
    for slave, table, start, end in spans:
        last = found[-1] if found else None
        if last and (last.slave, last.table) == (slave, table) and start <= last.first + last.count:
            stop = max(end, last.first + last.count)
            if stop - last.first <= MOST:
                found[-1] = Question(slave, table, last.first, stop - last.first)
                continue
        found.append(Question(slave, table, start, end - start))
    return tuple(found)
