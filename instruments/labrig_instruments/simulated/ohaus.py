"""An Ohaus balance as its serial line sees it: the commands of its own mode, after the Explorer's instructions."""

from __future__ import annotations

from typing import Final

from labrig.plant import Weighing
from labrig_instruments.simulated.pan import Pan
from labrig_instruments.simulated.terminal import Terminal

LONGEST: Final = 80
"""Bytes of a command; what is longer is cut, and not understood."""


class OhausExplorer:
    """One balance that prints on demand; whether it says ``OK!`` is a setting of its own."""

    kept = b"\r\n"

    def __init__(
        self,
        terminal: Terminal,
        *,
        baud: int = 9600,
        serial_number: str = "B834567890",
        says_ok: bool = False,
    ) -> None:
        self.baud, self.serial_number, self._says_ok = baud, serial_number, says_ok
        self._scale, self._pan = terminal.scale, Pan(terminal.weigh)
        self._begun = b""
        self._waiting: list[bytes] = []

    def exchange(self, received: bytes, now: float) -> bytes:
        *whole, rest = (self._begun + received).split(b"\r\n")
        self._begun = rest[-LONGEST:]
        self._waiting += whole
        said = b""
        while self._waiting and not self._pan.busy(now):
            said += self._obey(self._waiting.pop(0), now)
        self._pan.busy(now)
        return said

    def due(self) -> float | None:
        return self._pan.due()

    def _obey(self, command: bytes, now: float) -> bytes:
        match command:
            case b"IP" | b"P":
                return self._print(self._pan.weigh())
            case b"T" | b"Z":
                self._pan.want("tare" if command == b"T" else "zero", now)
                return b"OK!\r\n" if self._says_ok else b""
            case b"PSN":
                return f"{self.serial_number}\r\n".encode()
            case b"PU":
                return b"g\r\n"
            case b"PV":
                return b"Sr: 2.00\r\n"
            case _:
                return b"ES\r\n"

    def _print(self, weighing: Weighing) -> bytes:
        if weighing.load != "in range":
            return b"Err 8.3\r\n" if weighing.load == "overload" else b"Err 8.4\r\n"
        value = round(self._pan.net(weighing), self._scale.decimals) + 0.0
        unsteady = "" if weighing.settled else " ?"
        return f"{value:10.{self._scale.decimals}f} g{unsteady}\r\n".encode()
