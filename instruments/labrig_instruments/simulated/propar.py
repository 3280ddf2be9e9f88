"""ProPar as an instrument has it, in both its forms: binary frames with a sequence number, and lines of digits."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

BYTE, INTEGER, FLOAT, TEXT = 0x00, 0x20, 0x40, 0x60
NO_COMMAND, NO_PARAMETER, WRONG_TYPE, BAD_VALUE, READ_ONLY, BROKEN = 2, 4, 5, 6, 13, 34
_BINARY: Final = re.compile(rb"\x10\x02((?:[^\x10]|\x10\x10)*)\x10\x03", re.DOTALL)
_ASCII: Final = re.compile(rb":((?:[0-9A-Fa-f]{2}){3,})\r\n")
_LONGEST: Final = 1200


@dataclass(frozen=True, slots=True)
class Message:
    """For one node; ``sequence`` is None in the form of digits."""

    sequence: int | None
    node: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Value:
    """A parameter of an instrument: how it is asked for, and set where it can be."""

    kind: int
    get: Callable[[], float | str]
    set: Callable[[float], bool] | None = None
    """Whether the value is allowed, and taken then."""


class Refused(Exception):
    """The status that an instrument answers with."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class MessageReader:
    """Cuts what comes over a line into messages; what fits no form is dropped."""

    def __init__(self) -> None:
        self._begun = b""

    def feed(self, received: bytes) -> list[Message]:
        data, messages, end = self._begun + received, list[Message](), 0
        for found in sorted([*_BINARY.finditer(data), *_ASCII.finditer(data)], key=lambda each: each.start()):
            if found.start() >= end and (message := _message(found)) is not None:
                messages.append(message)
                end = found.end()
        self._begun = data[end:][-_LONGEST:]
        return messages


def _message(found: re.Match[bytes]) -> Message | None:
    if found[0].startswith(b":"):
        digits = bytes.fromhex(found[1].decode())
        return Message(None, digits[1], digits[2:]) if digits[0] == len(digits) - 1 else None
    body = found[1].replace(b"\x10\x10", b"\x10")
    return Message(body[0], body[1], body[3:]) if len(body) > 3 and body[2] == len(body) - 3 else None


def sent(message: Message) -> bytes:
    """The bytes of a message, in the form that its sequence number implies."""
    if message.sequence is None:
        return b":" + bytes([len(message.data) + 1, message.node, *message.data]).hex().upper().encode() + b"\r\n"
    body = bytes([message.sequence, message.node, len(message.data)]) + message.data
    return b"\x10\x02" + body.replace(b"\x10", b"\x10\x10") + b"\x10\x03"


def obeyed(data: bytes, values: dict[tuple[int, int], Value]) -> bytes:
    """The answer to a command: values, or a status. Empty for what is not answered."""
    try:
        match data[0]:
            case 4:
                return b"\x02" + _read(data[1:], values)
            case 1 | 2:
                written = _write(data[1:], values)
                return bytes([0, 0, written]) if data[0] == 1 else b""
            case _:
                return bytes([0, NO_COMMAND, 0])
    except Refused as refusal:
        return bytes([0, refusal.status, 0])
    except (IndexError, struct.error, ValueError):
        return bytes([0, BROKEN, 0])


def _read(data: bytes, values: dict[tuple[int, int], Value]) -> bytes:
    """The chain of values that is asked for, each under the numbers that the question gives it."""
    answer, at, more = b"", 0, True
    while more:
        answer, at, more = answer + data[at : at + 1], at + 1, bool(data[at] & 0x80)
        chained = True
        while chained:
            index, process, typed = data[at], data[at + 1], data[at + 2]
            at, chained = at + 3, bool(index & 0x80)
            length = 0
            if typed & TEXT == TEXT:
                length, at = data[at], at + 1
            value = values.get((process & 0x7F, typed & 0x1F))
            if value is None:
                raise Refused(NO_PARAMETER)
            if value.kind != typed & TEXT:
                raise Refused(WRONG_TYPE)
            answer += bytes([index]) + _packed(value, length)
    return answer


def _packed(value: Value, length: int) -> bytes:
    now = value.get()
    if isinstance(now, str):
        text = now.encode()
        return bytes([length]) + (text.ljust(length)[:length] if length else text + b"\0")
    return struct.pack({BYTE: ">B", INTEGER: ">h", FLOAT: ">f"}[value.kind], now if value.kind == FLOAT else round(now))


def _write(data: bytes, values: dict[tuple[int, int], Value]) -> int:
    """Set one parameter; returns how far the command was understood."""
    process, typed = data[0], data[1]
    value = values.get((process & 0x7F, typed & 0x1F))
    if value is None or typed & 0x80 or process & 0x80:
        raise Refused(NO_PARAMETER)
    if value.set is None:
        raise Refused(READ_ONLY)
    forms = {BYTE: ">B", INTEGER: ">h", FLOAT: ">f"}
    if value.kind != typed & TEXT or value.kind not in forms:
        raise Refused(WRONG_TYPE)
    (number,) = struct.unpack(forms[value.kind], data[2:])
    if not value.set(float(number)):
        raise Refused(BAD_VALUE)
    return len(data) + 1
