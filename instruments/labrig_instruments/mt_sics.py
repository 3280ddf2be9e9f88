"""Balance speaking MT-SICS (Mettler-Toledo; many Ohaus, Kern and Sartorius balances in that mode) over a serial line.

Of the command set (manual 11780711) only level 0 is used, and tare: ``I4 I2 SI Z T``. A weight is a field of ten
characters, right-aligned, then the unit: ``S S     100.00 g`` settled, ``S D     129.07 g`` not. There is no checksum:
a reply that departs from that form, or from the length of those before it, is refused, but a bit flipped from one digit
to another cannot be seen. Use a framing with parity where the balance offers one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import ClassVar, Final

import numpy as np

from labrig.drivers import ChannelOptions, Name, Period
from labrig.errors import InstrumentError, LinkLost, WrongInstrument
from labrig.model import Block, Quality, judge_raw
from labrig.roles import Now
from labrig_instruments.line import (
    Connect,
    Framing,
    Line,
    LineSettings,
    Ports,
    SerialLine,
    Silence,
    candidates,
    several,
)

_WEIGHT: Final = re.compile(rb"SI? (?P<state>[SD]) (?P<field> *-?\d+(?:\.\d*)?) (?P<unit>\S{1,5}) *")
_FIELD: Final = 10
_NO_WEIGHT: Final = re.compile(rb"SI? (?P<state>[-+I])")
_SERIAL_NUMBER: Final = re.compile(rb'I4 A "([^"]*)"')
_MODEL: Final = re.compile(rb'I2 A "([^"]*)".*')
_GRAMS: Final = {b"g": 1.0, b"kg": 1e3, b"mg": 1e-3}
_STATES: Final = {
    b"S": Quality.GOOD,
    b"D": Quality.UNSETTLED,
    b"I": Quality.MISSING,
    b"+": Quality.MISSING | Quality.ABOVE,
    b"-": Quality.MISSING | Quality.BELOW,
}
_REFUSALS: Final = {
    b"ES": "did not understand the command (ES)",
    b"ET": "heard the command garbled (ET); check baud rate and framing",
    b"EL": "cannot execute the command (EL)",
}
_OUTCOMES: Final = {
    b"I": "is busy, or did not settle",
    b"+": "is overloaded, or above its zero range",
    b"-": "is underloaded, or below its zero range",
}
_LATE: Final = 3
"""Replies that may still be under way after a silence."""


@dataclass(frozen=True, slots=True)
class Weight:
    """What a balance said."""

    grams: float
    """NaN where the balance has no weight to give."""
    quality: Quality
    length: int
    """Of the reply, in characters: the same for every weight of one balance; 0 where it gave none."""


class WeightOptions(ChannelOptions):
    signals: ClassVar = ("g",)


class MtSicsBalance:
    """Reads the weight as it is, settled or not; whoever analyses decides what is steady."""

    def __init__(
        self,
        name: str,
        now: Now,
        connect: Connect = SerialLine,
        *,
        port: Ports,
        baud: int = 9600,
        framing: Framing = "8N1",
        serial_number: str | None = None,
        period: Period = 0.1,
        timeout: Period = 1.0,
        channel_name: Name,
        channel: WeightOptions,
    ) -> None:
        """``port``: where several are named, or a pattern, the balance is the one with the serial number."""
        if several(port) and serial_number is None:
            raise InstrumentError(f"{name}: a serial_number too, where port names several: {_listed(port)}")
        self.name, self.period, self.rate = name, period, 1 / period
        self.channels = (channel.as_channel(channel_name, _listed(port)),)
        self._now, self._connect, self._serial_number = now, connect, serial_number
        self._ports, self._settings = port, LineSettings(_listed(port), baud, framing, timeout=timeout)
        self._line: Line | None = None
        self._identity = ""
        self._index = 0
        self._in_doubt = False
        self._length = 0

    def open(self) -> str:
        """Connect; returns model and serial number, of which a configured one is checked before anything else."""
        self.close()
        found = candidates(self._ports)
        refusals: list[InstrumentError] = []
        for port in found:
            try:
                model = self._tried(port)
                break
            except InstrumentError as error:
                self.close()
                refusals.append(error)
        else:
            raise self._not_found(found, refusals)
        self._in_doubt, self._length = False, 0
        return f"{model}, serial number {self._identity}"

    def _tried(self, port: str) -> str:
        """The model of the balance at that port; its identity is asked for before anything else."""
        self._settings = replace(self._settings, port=port)
        self._line = self._connect(self._settings)
        self._identity = self._identified()
        return parse_model(self._line.ask(b"I2"))

    def _not_found(self, ports: tuple[str, ...], refusals: list[InstrumentError]) -> InstrumentError:
        """The one port's own error, or what each of several said."""
        if not several(self._ports):
            return refusals[0]
        kind = WrongInstrument if any(isinstance(refusal, WrongInstrument) for refusal in refusals) else LinkLost
        said = "; ".join(map(str, refusals)) or "no such port is there"
        tried = f"{_listed(self._ports)} ({len(ports)} tried)"
        return kind(f"{self.name}: no balance with serial number {self._serial_number} at {tried}: {said}")

    def close(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.close()

    def start(self) -> None:
        self._opened()

    def stop(self) -> None:
        """Nothing: between two questions the balance is silent."""

    def read(self) -> Block:
        """One weight, timed at the middle of question and answer; raw values are grams.

        An overloaded, underloaded or busy balance gives a missing value that says so. Raises `InstrumentError` for a
        reply that is no weight and for silence, `LinkLost` when the line is gone.
        """
        line, index = self._opened(), self._index
        self._index += 1
        if self._in_doubt:
            self._resynchronise(line)
        self._in_doubt = True
        asked = self._now()
        reply = line.ask(b"SI")
        time = (asked + self._now()) // 2
        weight = self._as_long_as_ever(parse_weight(reply))
        self._in_doubt = False
        values = np.array([[weight.grams]])
        quality = judge_raw(self.channels[0], values) | np.uint8(weight.quality)
        return Block(self.name, (self.channels[0].name,), index, np.array([time], np.int64), values, quality)

    def tare(self, timeout: float = 30.0) -> None:
        """Take the present weight as tare once it has settled; raises `InstrumentError` where it does not."""
        self._command(b"T", rb"T S .*", timeout)

    def zero(self, timeout: float = 30.0) -> None:
        """Take the present weight as zero once it has settled; raises `InstrumentError` where it does not."""
        self._command(b"Z", rb"Z A", timeout)

    def _command(self, command: bytes, done: bytes, timeout: float) -> None:
        try:
            reply = self._opened().ask(command, timeout=timeout)
        except Silence:
            self._in_doubt = True
            raise
        if not re.fullmatch(done, reply):
            raise InstrumentError(f"{self.name} did not {_verb(command)}: it {_reason(reply)}")

    def _opened(self) -> Line:
        if self._line is None:
            raise InstrumentError(f"{self.name} is not connected")
        return self._line

    def _identified(self) -> str:
        found = parse_serial_number(self._opened().ask(b"I4"))
        if self._serial_number is not None and found != self._serial_number:
            raise WrongInstrument(
                f"{self._settings.port}: expected the balance with serial number {self._serial_number}, found {found}. "
                "Not connected."
            )
        return found

    def _resynchronise(self, line: Line) -> None:
        """Make sure that the next reply belongs to the next question, and that the same balance answers.

        A balance answers in order: once it has told its serial number, no earlier answer is under way.
        """
        reply = line.ask(b"I4")
        for _ in range(_LATE):
            if _SERIAL_NUMBER.fullmatch(reply):
                break
            reply = line.hear()
        found = parse_serial_number(reply)
        if found != self._identity:
            raise WrongInstrument(
                f"{self._settings.port}: {self.name} had serial number {self._identity}; now {found} answers. "
                "Its readings are not taken."
            )

    def _as_long_as_ever(self, weight: Weight) -> Weight:
        if weight.length and self._length and weight.length != self._length:
            raise InstrumentError(
                f"{self.name} answered with {weight.length} characters in place of {self._length}: garbled on the line"
            )
        self._length = weight.length or self._length
        return weight


def parse_weight(reply: bytes) -> Weight:
    """The weight in a reply to ``SI`` or ``S``.

    Raises `InstrumentError` for anything that is neither a weight nor a stated lack of one.
    """
    if found := _NO_WEIGHT.fullmatch(reply):
        return Weight(float("nan"), _STATES[found["state"]], 0)
    found = _WEIGHT.fullmatch(reply)
    if found is None or len(found["field"]) < _FIELD:
        raise InstrumentError(f"the balance {_reason(reply)}")
    if found["unit"] not in _GRAMS:
        raise InstrumentError(f"the balance weighs in {_text(found['unit'])}; set it to g, kg or mg")
    return Weight(float(found["field"]) * _GRAMS[found["unit"]], _STATES[found["state"]], len(reply))


def parse_serial_number(reply: bytes) -> str:
    """The serial number in a reply to ``I4``; raises `InstrumentError` where there is none."""
    found = _SERIAL_NUMBER.fullmatch(reply)
    if found is None:
        raise InstrumentError(f"no MT-SICS balance: asked for its serial number, it {_reason(reply)}")
    return _text(found[1])


def parse_model(reply: bytes) -> str:
    """Model and capacity in a reply to ``I2``; raises `InstrumentError` where there is none."""
    found = _MODEL.fullmatch(reply)
    if found is None:
        raise InstrumentError(f"no MT-SICS balance: asked for its model, it {_reason(reply)}")
    return _text(found[1])


def _verb(command: bytes) -> str:
    return {b"T": "tare", b"Z": "set its zero"}[command]


def _reason(reply: bytes) -> str:
    """Why a reply is not what was asked for, in words."""
    if reply in _REFUSALS:
        return _REFUSALS[reply]
    if _SERIAL_NUMBER.fullmatch(reply):
        return "was switched on again meanwhile: its tare and zero are lost"
    state = re.fullmatch(rb"[A-Z]\w? ([-+I])", reply)
    if state:
        return _OUTCOMES[state[1]]
    return f"answered {_text(reply)!r}"


def _listed(ports: Ports) -> str:
    return ports if isinstance(ports, str) else ", ".join(ports)


def _text(data: bytes) -> str:
    return data[:60].decode("ascii", "backslashreplace")
