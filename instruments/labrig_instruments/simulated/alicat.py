"""An Alicat controller or meter as its serial line sees it, after the Serial Primer and captures of a real MC of 10v20.

It controls what its loop variable says, mass flow or gauge pressure, and is silent to every letter but its own. What
the plant has of it (``pressure``, ``flow``, ``temperature``, ``setpoint``) is the plant's; a flow that the plant does
not have is its own: it follows the set-point, through a valve into the open.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Final, Literal

from pydantic import Field

from labrig.quantities import Flow, Pressure
from labrig.units import L_per_min, atm, celsius, psi
from labrig_instruments.simulated.alicat_tables import described, introduced
from labrig_instruments.simulated.terminal import Terminal

LONGEST: Final = 80
OVER: Final = 1.28
"""Times full scale up to which a reading is shown."""
LAG: Final = 0.2
"""Seconds with which a flow of its own follows."""
LOOPS: Final = {"mass flow": 37, "gauge pressure": 38}
STANDARD: Final = celsius(25)
"""Temperature that standard litres are counted at."""
AMBIENT: Final = celsius(23)
QUIET: Final = 0.02
"""Part of full scale within which a reading can be tared."""


class Alicat:
    """One device. Commands end with CR, and so do answers."""

    kept = b"\r"

    def __init__(
        self,
        terminal: Terminal,
        *,
        baud: int = 19200,
        serial_number: str = "225873",
        unit_id: Annotated[str, Field(pattern="^[A-Z]$")] = "A",
        kind_of: Literal["controller", "meter"] = "controller",
        controls: Literal["mass flow", "gauge pressure"] = "gauge pressure",
        full_flow: Annotated[Flow, Field(gt=0)] = 20 * L_per_min,
        full_pressure: Annotated[Pressure, Field(gt=0)] = 100 * psi,
    ) -> None:
        self.baud, self.serial_number, self._id = baud, serial_number, unit_id
        self._terminal, self._controller = terminal, kind_of == "controller"
        self._full = {"mass flow": full_flow / L_per_min, "gauge pressure": full_pressure / psi}
        self._registers = {122: LOOPS[controls], 46: 8, 21: 500, 22: 5000, 23: 0, 85: 2}
        self._setpoint = 0.0
        self._held, self._locked = "", False
        self._tare: dict[str, float] = {}
        self._flow, self._at = 0.0, 0.0
        self._begun = b""
        self._verbs: Mapping[str, Callable[[str], bytes]] = {
            **{"VE": lambda _: self._line("  10v20.0-R24 Jan  9 2025,15:04:07"), "??M*": self._introduce},
            **{"??D*": self._describe, "S": self._set, "LS": self._requested, "V": self._tare_flow, "T": self._frame},
            **{"P": self._tare_pressure, "PC": self._tare_pressure, "TP": self._tare_pressure},
            **{"H": self._hold, "HP": self._hold, "HC": self._hold_closed, "C": self._cancel},
            **{"L": self._lock, "U": self._unlock, "R": self._register, "W": self._write_register, "": self._frame},
        }

    def exchange(self, received: bytes, now: float) -> bytes:
        self._follow(now)
        *whole, rest = (self._begun + received).split(b"\r")
        self._begun = rest[-LONGEST:]
        return b"".join(self._obey(command.strip(b"\n").decode("latin-1")) for command in whole)

    def due(self) -> float | None:
        return None

    @property
    def _loop(self) -> str:
        return next(name for name, number in LOOPS.items() if number == self._registers[122])

    def _obey(self, text: str) -> bytes:
        if not text.startswith(self._id):
            return b""
        command = text[1:].removeprefix("$$")
        found = re.fullmatch(r"(\?\?[MD]\*|[RWrw](?=\d)|LS|S|[A-Z]{0,2}) ?([-+.\d]*(?:=\d+)?)", command)
        verb = self._verbs.get(found[1].upper()) if found else None
        if found is None or verb is None:
            return b"?\r"
        return verb(found[2])

    def _follow(self, now: float) -> None:
        """A flow of its own on its way to the set-point."""
        goal = self._setpoint if self._controller and self._loop == "mass flow" and self._held != "closed" else 0.0
        if self._held != "held":
            self._flow = goal + (self._flow - goal) * math.exp(-max(0.0, now - self._at) / LAG)
        self._at = now

    def _readings(self) -> dict[str, float]:
        """Psi, °C and litres a minute, less what was tared."""
        pressure = self._terminal.measure("pressure", 0.0) / psi
        temperature = self._terminal.measure("temperature", AMBIENT)
        temperature = AMBIENT if math.isinf(temperature) else temperature
        standard = STANDARD / celsius(0)
        flow = self._flow
        if self._terminal.has("flow") or self._terminal.overloaded:
            flow = self._terminal.measure("flow", 0.0) * standard / L_per_min
        pressure = min(pressure, OVER * self._full["gauge pressure"]) - self._tare.get("pressure", 0.0)
        flow = min(flow, OVER * self._full["mass flow"]) - self._tare.get("flow", 0.0)
        volume = flow * atm / (max(pressure, -10) * psi + atm) * temperature / STANDARD
        return {"pressure": pressure, "temperature": temperature - celsius(0), "volume": volume, "flow": flow}

    def _frame(self, _: str = "") -> bytes:
        now = self._readings()
        numbers = [now["pressure"], now["temperature"], now["volume"], now["flow"]]
        texts = [f"{value:+07.2f}" for value in numbers[:2]] + [f"{value:+07.3f}" for value in numbers[2:]]
        if self._controller:
            texts.append(f"{self._setpoint:+07.2f}")
        words = [
            *(["POV"] if now["pressure"] >= 1.27 * self._full["gauge pressure"] else []),
            *(["MOV", "VOV"] if now["flow"] >= 1.27 * self._full["mass flow"] else []),
            *(["HLD"] if self._held else []),
            *(["LCK"] if self._locked else []),
        ]
        return self._line(" ".join([*texts, "   N2", *words]))

    def _line(self, text: str) -> bytes:
        return f"{self._id} {text}\r".encode()

    def _introduce(self, _: str) -> bytes:
        model = "MC-20SLPM-D" if self._controller else "M-20SLPM-D"
        return introduced(self._id, model, self.serial_number)

    def _describe(self, _: str) -> bytes:
        return described(self._id, self._loop if self._controller else "")

    def _set(self, value: str) -> bytes:
        if not self._controller or not re.fullmatch(r"[-+]?\d+(?:\.\d*)?", value):
            return b"?\r"
        if not 0 <= float(value) <= self._full[self._loop]:
            return b"?\r"
        self._setpoint = round(float(value), 2)
        self._drive()
        return self._frame()

    def _requested(self, value: str) -> bytes:
        answer = self._set(value) if value else b""
        unit = "10 PSIG" if self._loop == "gauge pressure" else "07 SLPM"
        return answer if answer == b"?\r" else self._line(f"{self._setpoint:+07.2f} {self._setpoint:+07.2f} {unit}")

    def _drive(self) -> None:
        """What the plant's own regulator is told: a held valve passes nothing on."""
        if self._loop == "gauge pressure" and self._held != "held":
            self._terminal.command("setpoint", 0.0 if self._held else self._setpoint * psi)

    def _hold(self, _: str) -> bytes:
        self._held = "held"
        return self._frame()

    def _hold_closed(self, _: str) -> bytes:
        self._held = "closed"
        self._drive()
        return self._frame()

    def _cancel(self, _: str) -> bytes:
        self._held = ""
        self._drive()
        return self._frame()

    def _tare_flow(self, _: str) -> bytes:
        return self._tared("flow", self._full["mass flow"])

    def _tare_pressure(self, _: str) -> bytes:
        return self._tared("pressure", self._full["gauge pressure"])

    def _tared(self, what: str, full: float) -> bytes:
        raw = self._readings()[what] + self._tare.get(what, 0.0)
        if abs(raw) > QUIET * full:
            return b"?\r"
        self._tare[what] = raw
        return self._frame()

    def _lock(self, _: str) -> bytes:
        self._locked = True
        return self._frame()

    def _unlock(self, _: str) -> bytes:
        self._locked = False
        return self._frame()

    def _register(self, number: str) -> bytes:
        if not number.isdigit() or int(number) not in self._registers:
            return b"?\r"
        return self._line(f"  {int(number):03d} = {self._registers[int(number)]}")

    def _write_register(self, text: str) -> bytes:
        number, _, value = text.partition("=")
        known = number.isdigit() and int(number) in self._registers and value.isdigit()
        if not known or (int(number) == 122 and int(value) not in LOOPS.values()):
            return b"?\r"
        if int(number) == 122 and int(value) != self._registers[122]:
            self._setpoint = 0.0
            self._drive()
        self._registers[int(number)] = int(value)
        return self._register(number)
