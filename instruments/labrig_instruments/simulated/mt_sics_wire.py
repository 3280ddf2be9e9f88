"""MT-SICS as text: what a balance is sent and what it answers, after Mettler-Toledo's reference manual 11780711."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CRLF: Final = b"\r\n"
LONGEST: Final = 80
"""Bytes of a command that a balance takes in; what is longer it cannot execute."""

NOT_UNDERSTOOD: Final = "ES"
"""Syntax error: the command is unknown."""
NOT_RECEIVED: Final = "ET"
"""Transmission error: what came is no text, as after a parity error."""
NOT_EXECUTABLE: Final = "EL"
"""Logical error: the command cannot be executed."""


class CommandReader:
    """Cuts what comes over a line into commands; nothing but CR LF ends one."""

    def __init__(self) -> None:
        self._begun = bytearray()
        self._overlong = False

    def feed(self, received: bytes) -> list[str]:
        """The commands that are complete now, one character a byte; one that is too long comes cut."""
        self._begun += received
        *whole, rest = bytes(self._begun).split(CRLF)
        commands = [self._finish(line) for line in whole]
        if len(rest) > LONGEST + 1:
            self._overlong, rest = True, rest[-1:]
        self._begun = bytearray(rest)
        return commands

    def _finish(self, line: bytes) -> str:
        overlong, self._overlong = self._overlong, False
        return (line[: LONGEST + 1] if not overlong else b"?" * (LONGEST + 1)).decode("latin-1")


@dataclass(frozen=True, slots=True)
class Command:
    """A name and its parameters."""

    name: str
    parameters: tuple[str, ...] = ()


def parse_command(text: str) -> Command | str:
    """The command, or the balance's error answer to what is none."""
    if len(text) > LONGEST:
        return NOT_EXECUTABLE
    if any(ord(character) < 0x20 or ord(character) == 0x7F for character in text):
        return NOT_RECEIVED
    name, *parameters = text.split(" ")
    return Command(name, tuple(parameters)) if name else NOT_UNDERSTOOD


def weight_answer(identifier: str, status: str, grams: float, decimals: int = 2) -> str:
    """Such as ``S S     100.00 g``: the value stands right in ten columns."""
    shown = round(grams, decimals) + 0.0  # never "-0.00"
    return f"{identifier} {status} {shown:10.{decimals}f} g"


def text_answer(identifier: str, *texts: str) -> str:
    """Such as ``I4 A "B021002593"``."""
    return " ".join([identifier, "A", *(f'"{text}"' for text in texts)])
