"""A serial device behind a bad line: what it says is lost, garbled, cut or late."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from labrig.config import ANYWHERE
from labrig_instruments.simulated import mt_sics
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

NOISE: Final = bytes(range(0xA1, 0xFF))
"""What garbage is made of: no character of any answer."""


class BadLine:
    """The instrument as its line lets it be heard; `labrig_instruments.simulated.line.Instrument`."""

    def __init__(self, balance: mt_sics.MtSicsBalance) -> None:
        self._balance = balance
        self.faults: dict[str, AnyLineFault] = {}
        self._late: list[tuple[float, bytes]] = []

    def exchange(self, received: bytes, now: float) -> bytes:
        said = self._balance.exchange(received, now)
        for fault in tuple(self.faults.values()):
            match fault:
                case Silence():
                    said = b""
                case Garbage():
                    said = bytes(byte if byte in b"\r\n" else NOISE[byte % len(NOISE)] for byte in said)
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
        own = self._balance.due()
        return min([*dues, *([] if own is None else [own])], default=None)


class PluggedBalance:
    """One balance, on whichever port it is plugged into."""

    def __init__(
        self,
        weigh: Callable[[], mt_sics.Reading],
        plate: mt_sics.Nameplate,
        *,
        name: str,
        kind: Kind | None,
        baud: int,
    ) -> None:
        self._weigh, self._plate, self._name, self._baud = weigh, plate, name, baud
        self._balance = mt_sics.MtSicsBalance(self._weighed, plate)
        self._bad = BadLine(self._balance)
        self._plug = Plug(kind)
        self._line: Line | None = Line(name, self._bad, self._plug.port, baud)

    def endpoints(self) -> dict[str, str]:
        """Where it answers, by what a rig file calls that: its port, and a pattern for wherever it is plugged in."""
        anywhere = {f"{self._name}{ANYWHERE}": self._plug.anywhere} if self._plug.anywhere else {}
        return {self._name: self._plug.url, **anywhere}

    def set(self, fault: AnyLineFault) -> None:
        """From now on; `Unplugged` takes the port away."""
        self._bad.faults[fault.fault] = fault
        if isinstance(fault, WrongIdentity):
            self._balance.plate = replace(self._plate, serial=fault.serial_number)
        elif isinstance(fault, Unplugged):
            self._plug.pull()
            self._hang_up()

    def clear(self, fault: AnyLineFault) -> str:
        """As before; returns where the balance answers."""
        self._bad.faults.pop(fault.fault, None)
        if isinstance(fault, WrongIdentity):
            self._balance.plate = self._plate
        elif isinstance(fault, Unplugged) and self._line is None:
            port = self._plug.insert(elsewhere=fault.elsewhere)
            self._line = Line(self._name, self._bad, port, self._baud)
        return self._plug.url

    def close(self) -> None:
        self._hang_up()
        self._plug.close()

    def _hang_up(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.close()

    def _weighed(self) -> mt_sics.Reading:
        reading = self._weigh()
        overloaded = Overload().fault in self._bad.faults
        return _Overloaded(reading) if overloaded else reading


class _Overloaded:
    load: Final = "overload"

    def __init__(self, reading: mt_sics.Reading) -> None:
        self.grams, self.settled = reading.grams, reading.settled
