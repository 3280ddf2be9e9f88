"""A serial device behind a bad line: what it says is lost, garbled, cut or late."""

from __future__ import annotations

from typing import Final

from labrig.config import ANYWHERE
from labrig_instruments.simulated.faults import (
    AnyLineFault,
    Garbage,
    Late,
    Overload,
    Partial,
    Silence,
    Unplugged,
    WrongIdentity,
)
from labrig_instruments.simulated.line import Line
from labrig_instruments.simulated.plugs import Plug
from labrig_instruments.simulated.ports import Kind
from labrig_instruments.simulated.terminal import Face, Terminal

NOISE: Final = bytes(range(0xA1, 0xFF))
"""What garbage is made of: no character of any answer in ASCII."""


class BadLine:
    """The instrument as its line lets it be heard; `labrig_instruments.simulated.line.Instrument`."""

    def __init__(self, face: Face) -> None:
        self._face = face
        self.faults: dict[str, AnyLineFault] = {}
        self._late: list[tuple[float, bytes]] = []

    def exchange(self, received: bytes, now: float) -> bytes:
        said = self._face.exchange(received, now)
        for fault in tuple(self.faults.values()):
            match fault:
                case Silence():
                    said = b""
                case Garbage():
                    said = bytes(byte if byte in self._face.kept else NOISE[byte % len(NOISE)] for byte in said)
                case Partial():
                    said = said[: len(said) // 2]
                case Late(delay=delay) if said:
                    self._late.append((now + delay, said))
                    said = b""
        ready = b"".join(late for due, late in self._late if due <= now)
        self._late = [(due, late) for due, late in self._late if due > now]
        return ready + said

    def due(self) -> float | None:
        dues = [due for due, _ in self._late]
        own = self._face.due()
        return min([*dues, *([] if own is None else [own])], default=None)


class PluggedDevice:
    """One device, on whichever port it is plugged into."""

    def __init__(self, face: Face, terminal: Terminal, *, kind: Kind | None) -> None:
        self._face, self._terminal = face, terminal
        self._name, self._number = terminal.name, face.serial_number
        self._bad = BadLine(face)
        self._plug = Plug(kind)
        self._line: Line | None = Line(self._name, self._bad, self._plug.port, face.baud)

    def endpoints(self) -> dict[str, str]:
        """Where it answers, by what a rig file calls that: its port, and a pattern for wherever it is plugged in."""
        anywhere = {f"{self._name}{ANYWHERE}": self._plug.anywhere} if self._plug.anywhere else {}
        return {self._name: self._plug.url, **anywhere}

    def set(self, fault: AnyLineFault) -> None:
        """From now on; `Unplugged` takes the port away."""
        self._bad.faults[fault.fault] = fault
        match fault:
            case WrongIdentity(serial_number=number):
                self._face.serial_number = number
            case Overload():
                self._terminal.overloaded = True
            case Unplugged():
                self._plug.pull()
                self._hang_up()

    def clear(self, fault: AnyLineFault) -> str:
        """As before; returns where the device answers."""
        self._bad.faults.pop(fault.fault, None)
        match fault:
            case WrongIdentity():
                self._face.serial_number = self._number
            case Overload():
                self._terminal.overloaded = False
            case Unplugged(elsewhere=elsewhere) if self._line is None:
                port = self._plug.insert(elsewhere=elsewhere)
                self._line = Line(self._name, self._bad, port, self._face.baud)
        return self._plug.url

    def close(self) -> None:
        self._hang_up()
        self._plug.close()

    def _hang_up(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.close()
