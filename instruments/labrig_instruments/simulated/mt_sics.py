"""A Mettler-Toledo balance of 0.01 g as its serial line sees it: the MT-SICS commands of level 0, and taring."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, Protocol

from labrig_instruments.simulated.mt_sics_wire import (
    NOT_UNDERSTOOD,
    Command,
    CommandReader,
    parse_command,
    text_answer,
    weight_answer,
)
from labrig_instruments.simulated.terminal import Terminal

PATIENCE: Final = 10.0
"""Seconds that ``S``, ``Z`` and ``T`` wait for a stable weight."""
LOOK: Final = 0.05
"""Seconds between two looks whether the weight has settled."""
ZERO_RANGE: Final = 0.02
"""Part of the capacity about the switch-on zero within which the balance can be zeroed (OIML R 76)."""


class Reading(Protocol):
    """What lies on the pan: `labrig.plant.plant.Weighing`."""

    @property
    def grams(self) -> float: ...

    @property
    def settled(self) -> bool: ...

    @property
    def load(self) -> Literal["in range", "overload", "underload"]: ...


@dataclass(frozen=True, slots=True)
class Nameplate:
    """What the balance says of itself."""

    model: str = "MS6002S"
    capacity: float = 6200.0
    """Grams."""
    decimals: int = 2
    """Of a weight in grams."""
    serial: str = "B999000001"
    software: str = "1.20 10.28.0.999.1"
    interval: float = 0.1
    """Seconds between two readings of ``SIR``."""


class MtSicsFace:
    """A balance of this rig that speaks MT-SICS."""

    kept = b"\r\n"

    def __init__(self, terminal: Terminal, *, baud: int = 9600, serial_number: str = "B999000001") -> None:
        self.baud = baud
        scale = terminal.scale
        plate = Nameplate(capacity=scale.capacity, decimals=scale.decimals, serial=serial_number)
        self._balance = MtSicsBalance(terminal.weigh, plate)

    @property
    def serial_number(self) -> str:
        return self._balance.plate.serial

    @serial_number.setter
    def serial_number(self, number: str) -> None:
        self._balance.plate = replace(self._balance.plate, serial=number)

    def exchange(self, received: bytes, now: float) -> bytes:
        return self._balance.exchange(received, now)

    def due(self) -> float | None:
        return self._balance.due()


class MtSicsBalance:
    """The state of one balance: zero, tare, and a command that waits or repeats."""

    def __init__(self, weigh: Callable[[], Reading], nameplate: Nameplate | None = None) -> None:
        self._weigh, self.plate = weigh, nameplate or Nameplate()
        self._reader = CommandReader()
        self._zero = self._tare = 0.0
        self._waiting: tuple[str, float] | None = None
        self._repeat_at: float | None = None
        self._look_at = 0.0
        self._immediate: Mapping[str, Callable[[Command, float], list[str]]] = {
            "@": self._cancel,
            "S": self._wait_for_stability,
            "Z": self._wait_for_stability,
            "T": self._wait_for_stability,
            "SI": self._send,
            "SIR": self._send_and_repeat,
            "ZI": self._zero_now,
            "TI": self._tare_now,
            "TA": self._tare_value,
            "TAC": self._clear_tare,
            **dict.fromkeys(("I0", "I1", "I2", "I3", "I4"), self._tell),
        }

    def exchange(self, received: bytes, now: float) -> bytes:
        answers: list[str] = []
        for text in self._reader.feed(received):
            answers += self._obey(text, now)
            answers += self._settle(now)
        answers += self._settle(now) + self._repeat(now)
        return "".join(f"{answer}\r\n" for answer in answers).encode("ascii")

    def due(self) -> float | None:
        looks = [] if self._waiting is None else [self._look_at]
        repeats = [] if self._repeat_at is None else [self._repeat_at]
        return min(looks + repeats, default=None)

    def _obey(self, text: str, now: float) -> list[str]:
        command = parse_command(text)
        if isinstance(command, str):
            return [command]
        verb = self._immediate.get(command.name)
        if verb is None:
            return [NOT_UNDERSTOOD]
        if command.parameters and command.name != "TA":
            return [f"{_identifier(command.name)} L"]
        if self._waiting is not None and command.name != "@" and not command.name.startswith("I"):
            return [f"{_identifier(command.name)} I"]
        if command.name in {"S", "SI"}:
            self._repeat_at = None
        return verb(command, now)

    def _wait_for_stability(self, command: Command, now: float) -> list[str]:
        self._waiting, self._look_at = (command.name, now + PATIENCE), now
        return []

    def _settle(self, now: float) -> list[str]:
        """Carry out what waits for a stable weight, once there is one or the patience is over."""
        if self._waiting is None or now < self._look_at:
            return []
        name, until = self._waiting
        reading = self._weigh()
        if reading.load == "in range" and not reading.settled and now < until:
            self._look_at = now + LOOK
            return []
        self._waiting = None
        if reading.load == "in range" and not reading.settled:
            return [f"{name} I"]
        return {"S": self._send_reading, "Z": self._zero_on, "T": self._tare_on}[name](name, reading)

    def _send(self, command: Command, now: float) -> list[str]:
        return self._send_reading("S", self._weigh())

    def _send_and_repeat(self, command: Command, now: float) -> list[str]:
        self._repeat_at = now + self.plate.interval
        return self._send(command, now)

    def _repeat(self, now: float) -> list[str]:
        if self._repeat_at is None or now < self._repeat_at:
            return []
        missed = int((now - self._repeat_at) / self.plate.interval)
        self._repeat_at += (missed + 1) * self.plate.interval
        return self._send_reading("S", self._weigh())

    def _send_reading(self, name: str, reading: Reading) -> list[str]:
        outside = _outside(name, reading)
        net = reading.grams - self._zero - self._tare
        return outside or [weight_answer(name, "S" if reading.settled else "D", net, self.plate.decimals)]

    def _zero_on(self, name: str, reading: Reading) -> list[str]:
        outside = _outside(name, reading)
        if outside:
            return outside
        if abs(reading.grams) > ZERO_RANGE * self.plate.capacity:
            return [f"{name} {'+' if reading.grams > 0 else '-'}"]
        self._zero, self._tare = reading.grams, 0.0
        return [f"{name} A" if name == "Z" else f"{name} {'S' if reading.settled else 'D'}"]

    def _zero_now(self, command: Command, now: float) -> list[str]:
        return self._zero_on(command.name, self._weigh())

    def _tare_on(self, name: str, reading: Reading) -> list[str]:
        outside = _outside(name, reading)
        if outside:
            return outside
        self._tare = reading.grams - self._zero
        return [weight_answer(name, "S" if reading.settled else "D", self._tare, self.plate.decimals)]

    def _tare_now(self, command: Command, now: float) -> list[str]:
        return self._tare_on(command.name, self._weigh())

    def _tare_value(self, command: Command, now: float) -> list[str]:
        if command.parameters:
            tare = _grams(command.parameters)
            if tare is None or not 0 <= tare <= self.plate.capacity:
                return ["TA L"]
            self._tare = tare
        return [weight_answer("TA", "A", self._tare, self.plate.decimals)]

    def _clear_tare(self, command: Command, now: float) -> list[str]:
        self._tare = 0.0
        return ["TAC A"]

    def _cancel(self, command: Command, now: float) -> list[str]:
        """As after switching on, but without a new zero."""
        self._waiting = self._repeat_at = None
        self._tare = 0.0
        return [text_answer("I4", self.plate.serial)]

    def _tell(self, command: Command, now: float) -> list[str]:
        plate = self.plate
        match command.name:
            case "I0":
                *others, last = sorted(self._immediate)
                return [*(f'I0 B {_level(name)} "{name}"' for name in others), f'I0 A {_level(last)} "{last}"']
            case "I1":
                return [text_answer("I1", "0", "2.30", "", "", "")]
            case "I2":
                return [text_answer("I2", f"{plate.model} {plate.capacity:.{plate.decimals}f} g")]
            case "I3":
                return [text_answer("I3", plate.software)]
            case _:
                return [text_answer("I4", plate.serial)]


def _identifier(name: str) -> str:
    """What an answer to a command begins with."""
    return {"SI": "S", "SIR": "S"}.get(name, name)


def _level(name: str) -> int:
    return 1 if name.startswith("T") else 0


def _outside(name: str, reading: Reading) -> list[str]:
    sign = {"in range": "", "overload": "+", "underload": "-"}[reading.load]
    return [f"{name} {sign}"] if sign else []


def _grams(parameters: tuple[str, ...]) -> float | None:
    """The weight of ``TA 100.00 g``; plain decimals only."""
    if len(parameters) != 2 or parameters[1] != "g":
        return None
    digits = parameters[0].removeprefix("-")
    if not (digits.replace(".", "", 1).isdigit() and digits.isascii()):
        return None
    return float(parameters[0])
