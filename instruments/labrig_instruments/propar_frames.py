"""Bronkhorst's ProPar in its ASCII form, as text: ``:06030401210120`` asks node 3 for parameter 0 of process 1.

After the manual of the RS232 interface, 9.17.027: a colon, then in hexadecimal digits how many bytes follow, the node,
the command (0 status, 1 write with answer, 2 value, 4 read) and its data. Who asks chooses under which process number
the answer comes: that is a number that goes up with each question, so that a late answer shows.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import Final, Literal

from labrig.errors import InstrumentError

Kind = Literal["byte", "integer", "float", "text"]
_TYPES: Final[dict[Kind, int]] = {"byte": 0x00, "integer": 0x20, "float": 0x40, "text": 0x60}
_MESSAGE: Final = re.compile(rb":(?P<digits>(?:[0-9A-F]{2}){3,})")
STATUS, WRITE, VALUE, READ = 0, 1, 2, 4
TAGS: Final = 0x7F
"""Process numbers that an answer may come under: one less than a byte's upper half."""
_STATUSES: Final = {
    **{1: "its process is claimed by somebody else", 2: "it does not know the command", 3: "it has no such process"},
    **{4: "it has no such parameter", 5: "the parameter has another type", 6: "the value is not allowed"},
    **{7: "its network is not active", 13: "the parameter is read-only"},
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an instrument, as the manual numbers it."""

    process: int
    number: int
    kind: Kind

    @property
    def typed(self) -> int:
        """Number and type in a byte."""
        return self.number | _TYPES[self.kind]


SERIAL_NUMBER: Final = Parameter(113, 3, "text")
MODEL: Final = Parameter(113, 2, "text")
CAPACITY_UNIT: Final = Parameter(1, 31, "text")
CAPACITY: Final = Parameter(1, 13, "float")
CONTROL_MODE: Final = Parameter(1, 4, "byte")
MEASURE: Final = Parameter(33, 0, "float")
SET_POINT: Final = Parameter(33, 3, "float")
TEMPERATURE: Final = Parameter(33, 7, "float")


@dataclass(frozen=True, slots=True)
class Message:
    """What stands between the colon and the end of the line."""

    node: int
    command: int
    data: bytes


def reading(node: int, parameter: Parameter, tag: int) -> bytes:
    """The question for a parameter, to be answered under ``tag`` (1 to 127)."""
    length = b"\0" if parameter.kind == "text" else b""  # of a text: as long as it is
    return _written(node, bytes([READ, tag, parameter.typed, parameter.process, parameter.typed]) + length)


def writing(node: int, parameter: Parameter, value: float) -> bytes:
    """The command to set a parameter of type float, to be answered by a status."""
    return _written(node, bytes([WRITE, parameter.process, parameter.typed]) + struct.pack(">f", value))


def parse_message(reply: bytes) -> Message:
    """A message; raises `InstrumentError` for anything that is not exactly one."""
    found = _MESSAGE.fullmatch(reply)
    data = bytes.fromhex(found["digits"].decode()) if found else b""
    if not data or data[0] != len(data) - 1:
        raise InstrumentError(f"the instrument answered {bytes(reply[:60])!r}, which is no ProPar message")
    return Message(data[1], data[2], data[3:])


def is_answer(message: Message, tag: int) -> bool:
    """Whether this is the value that was asked for under that number, or a status, which comes instead of one."""
    return message.command == STATUS or (message.command == VALUE and message.data[:1] == bytes([tag]))


def parse_value(message: Message, parameter: Parameter) -> float | str:
    """The value in an answer; raises `InstrumentError` for a status that says why there is none, or another type."""
    if message.command == STATUS:
        check_status(message)
        raise InstrumentError("the instrument answered a question by saying that all is well")
    data = message.data[2:]
    if len(message.data) < 2 or message.data[1] != parameter.typed:
        raise InstrumentError(f"the instrument answered with another parameter: {message.data.hex()}")
    if parameter.kind == "text":
        length = data[0] if data else 0
        text = data[1:].split(b"\0")[0] if length == 0 else data[1 : 1 + length]
        if not data or (length and len(data) != 1 + length):
            raise InstrumentError(f"the instrument answered with a text that is cut off: {message.data.hex()}")
        return text.decode("ascii", "replace").strip()
    form = {"byte": ">B", "integer": ">h", "float": ">f"}[parameter.kind]
    if len(data) != struct.calcsize(form):
        raise InstrumentError(f"the instrument answered with a value of {len(data)} bytes: {message.data.hex()}")
    return float(struct.unpack(form, data)[0])


def check_status(message: Message) -> None:
    """Raises `InstrumentError` unless the message is a status that says that all is well."""
    if message.command != STATUS or not message.data:
        raise InstrumentError(f"the instrument did not say whether it took the value: {message.data.hex()}")
    if message.data[0]:
        why = _STATUSES.get(message.data[0], "see its manual")
        raise InstrumentError(f"the instrument refused (status {message.data[0]}): {why}")


def _written(node: int, data: bytes) -> bytes:
    return b":" + bytes([len(data) + 1, node, *data]).hex().upper().encode()
