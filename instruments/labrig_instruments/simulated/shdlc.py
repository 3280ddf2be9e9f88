"""SHDLC as a device has it: frames out of bytes, and frames for answers; after Sensirion's description."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FLAG: Final = 0x7E
_ESCAPE: Final = 0x7D
_STUFFED: Final = frozenset({FLAG, _ESCAPE, 0x11, 0x13})
_LONGEST: Final = 600


@dataclass(frozen=True, slots=True)
class Request:
    """One command that came whole, with a sound checksum."""

    address: int
    command: int
    data: bytes


class FrameReader:
    """Cuts what comes over a line into requests; what is garbled is dropped, as a device does that was not meant."""

    def __init__(self) -> None:
        self._begun = b""

    def feed(self, received: bytes) -> list[Request]:
        *bodies, rest = (self._begun + received).split(bytes([FLAG]))
        self._begun = rest[-_LONGEST:]
        return [request for body in bodies if (request := parsed(unstuffed(body))) is not None]


def parsed(frame: bytes) -> Request | None:
    """The request in an unstuffed frame; None for what is none."""
    if len(frame) < 4 or checksum(frame[:-1]) != frame[-1] or frame[2] != len(frame) - 4:
        return None
    return Request(frame[0], frame[1], frame[3:-1])


def answered(request: Request, data: bytes, error: int = 0) -> bytes:
    """The frame that answers a request."""
    frame = bytes([request.address, request.command, error, len(data)]) + data
    return bytes([FLAG]) + stuffed(frame + bytes([checksum(frame)])) + bytes([FLAG])


def checksum(frame: bytes) -> int:
    return ~sum(frame) & 0xFF


def stuffed(data: bytes) -> bytes:
    """With each byte that has a meaning of its own replaced by two."""
    return b"".join(bytes([_ESCAPE, byte ^ 0x20]) if byte in _STUFFED else bytes([byte]) for byte in data)


def unstuffed(data: bytes) -> bytes:
    result, escaped = bytearray(), False
    for byte in data:
        if byte == _ESCAPE and not escaped:
            escaped = True
        else:
            result.append(byte ^ 0x20 if escaped else byte)
            escaped = False
    return bytes(result)
