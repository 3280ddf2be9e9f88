"""A Sartorius balance as its serial line sees it: SBI, after the operating instructions of Cubis MSE and WZB.

CR LF after a command is optional, and a balance that does not know one says nothing.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from labrig.plant import Weighing
from labrig_instruments.simulated.pan import Pan
from labrig_instruments.simulated.terminal import Terminal

_COMMAND: Final = re.compile(rb"\x1b([A-Za-wy-z]|x\d_)")
_BEGUN: Final = re.compile(rb"\x1b(?:x\d?)?\Z")
LONGEST: Final = 20
"""Characters of a command."""


class SartoriusSbi:
    """One balance, printing on demand with and without a steady weight."""

    kept = b"\r\n"

    def __init__(
        self,
        terminal: Terminal,
        *,
        baud: int = 9600,
        serial_number: str = "0031801165",
        model: str = "MSE6202S-100-DR",
        characters: Literal[16, 22] = 22,
    ) -> None:
        self.baud, self.serial_number, self._model = baud, serial_number, model
        self._scale, self._coded = terminal.scale, characters == 22
        self._pan = Pan(terminal.weigh)
        self._begun = b""
        self._waiting: list[bytes] = []

    def exchange(self, received: bytes, now: float) -> bytes:
        self._waiting += self._commands(received)
        said = b""
        while self._waiting and not self._pan.busy(now):
            said += self._obey(self._waiting.pop(0), now)
        self._pan.busy(now)
        return said

    def due(self) -> float | None:
        return self._pan.due()

    def _commands(self, received: bytes) -> list[bytes]:
        data = self._begun + received
        found = list(_COMMAND.finditer(data))
        rest = data[found[-1].end() :] if found else data
        begun = _BEGUN.search(rest)
        self._begun = begun[0] if begun else b""
        return [each[1] for each in found]

    def _obey(self, command: bytes, now: float) -> bytes:
        match command:
            case b"P":
                return self._print(self._pan.weigh())
            case b"T" | b"U":
                self._pan.want("tare", now)
            case b"V":
                self._pan.want("zero", now)
            case b"x1_":
                return f"{self._model:<20}\r\n".encode()
            case b"x2_":
                return f"SerNo.    {self.serial_number:<10}\r\n".encode()
            case b"x3_":
                return f"{'BAC 00-39-21':<20}\r\n".encode()
            case _:
                pass
        return b""

    def _print(self, weighing: Weighing) -> bytes:
        if weighing.load != "in range":
            word = "High" if weighing.load == "overload" else "Low"
            return (f"{'Stat':<10}{word:<10}\r\n" if self._coded else f"{word:^14}\r\n").encode()
        value = round(self._pan.net(weighing), self._scale.decimals) + 0.0
        sign = " " if value == 0 else "+" if value > 0 else "-"
        unit = "g" if weighing.settled else ""
        text = f"{sign}{abs(value):9.{self._scale.decimals}f} {unit:<3}"
        return f"{'N     ' if self._coded else ''}{text}\r\n".encode()
