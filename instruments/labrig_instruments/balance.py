"""A balance on a serial line, whatever its dialect: found, identified, asked once a period, never taken for another.

A dialect says what to send and how to read what comes back; everything else is here. After a silence the balance is
asked for its name first: it answers in order, so that once it has told its name, no earlier answer is under way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Final, Protocol

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
    listed,
    several,
)

GRAMS: Final = {b"g": 1.0, b"kg": 1e3, b"mg": 1e-3}
LATE: Final = 3
"""Replies that may still be under way after a silence."""


@dataclass(frozen=True, slots=True)
class Weight:
    """What a balance said."""

    grams: float
    """NaN where the balance has no weight to give."""
    quality: Quality
    length: int
    """Of what does not change from one weight of a balance to the next, in characters; 0 where it gave none."""


class WeightOptions(ChannelOptions):
    signals: ClassVar = ("g",)


class Dialect(Protocol):
    """What one family of balances is asked, and how it answers. Replies are without their CR LF."""

    weigh: bytes
    """Asks for the weight as it is, settled or not."""
    name: bytes
    """Asks for the serial number, and for nothing else."""

    def weight(self, reply: bytes) -> Weight:
        """Raises `InstrumentError` for anything that is neither a weight nor a stated lack of one."""
        ...

    def serial_number(self, reply: bytes) -> str:
        """Raises `InstrumentError` where there is none."""
        ...

    def is_late(self, reply: bytes) -> bool:
        """Whether a reply cannot be one to ``name``, and so belongs to an earlier question."""
        ...

    def model(self, line: Line) -> str:
        """What it is, in words, asked of the balance where it can tell."""
        ...

    def act(self, line: Line, verb: str, timeout: float) -> None:
        """Carry out ``tare`` or ``zero``; raises `InstrumentError` where the balance did not."""
        ...


class Balance:
    """Reads the weight as it is, settled or not; whoever analyses decides what is steady."""

    def __init__(
        self,
        name: str,
        now: Now,
        connect: Connect = SerialLine,
        *,
        dialect: Dialect,
        port: Ports,
        baud: int,
        framing: Framing,
        serial_number: str | None,
        period: Period,
        timeout: Period,
        channel_name: Name,
        channel: WeightOptions,
    ) -> None:
        """``port``: where several are named, or a pattern, the balance is the one with the serial number."""
        if several(port) and serial_number is None:
            raise InstrumentError(f"{name}: a serial_number too, where port names several: {listed(port)}")
        self.name, self.period, self.rate = name, period, 1 / period
        self.channels = (channel.as_channel(channel_name, listed(port)),)
        self._now, self._connect, self._serial_number = now, connect, serial_number
        self._dialect = dialect
        self._ports, self._settings = port, LineSettings(listed(port), baud, framing, timeout=timeout)
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
        self._identity = self._identified(self._line)
        return self._dialect.model(self._line)

    def _not_found(self, ports: tuple[str, ...], refusals: list[InstrumentError]) -> InstrumentError:
        """The one port's own error, or what each of several said."""
        if not several(self._ports):
            return refusals[0]
        kind = WrongInstrument if any(isinstance(refusal, WrongInstrument) for refusal in refusals) else LinkLost
        said = "; ".join(map(str, refusals)) or "no such port is there"
        tried = f"{listed(self._ports)} ({len(ports)} tried)"
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
        reply = line.ask(self._dialect.weigh)
        time = (asked + self._now()) // 2
        weight = self._as_long_as_ever(self._dialect.weight(reply))
        self._in_doubt = False
        values = np.array([[weight.grams]])
        quality = judge_raw(self.channels[0], values) | np.uint8(weight.quality)
        return Block(self.name, (self.channels[0].name,), index, np.array([time], np.int64), values, quality)

    def tare(self, timeout: float = 30.0) -> None:
        """Take the present weight as tare once it has settled; raises `InstrumentError` where it does not."""
        self._act("tare", timeout)

    def zero(self, timeout: float = 30.0) -> None:
        """Take the present weight as zero once it has settled; raises `InstrumentError` where it does not."""
        self._act("zero", timeout)

    def _act(self, verb: str, timeout: float) -> None:
        try:
            self._dialect.act(self._opened(), verb, timeout)
        except Silence:
            self._in_doubt = True
            raise
        except LinkLost:
            raise
        except InstrumentError as error:
            raise InstrumentError(f"{self.name} did not {_DONE[verb]}: {error}") from error

    def _opened(self) -> Line:
        if self._line is None:
            raise InstrumentError(f"{self.name} is not connected")
        return self._line

    def _identified(self, line: Line) -> str:
        found = self._dialect.serial_number(line.ask(self._dialect.name))
        if self._serial_number is not None and found != self._serial_number:
            raise WrongInstrument(
                f"{self._settings.port}: expected the balance with serial number {self._serial_number}, found {found}. "
                "Not connected."
            )
        return found

    def _resynchronise(self, line: Line) -> None:
        """Make sure that the next reply belongs to the next question, and that the same balance answers."""
        reply = line.ask(self._dialect.name)
        for _ in range(LATE):
            if not self._dialect.is_late(reply):
                break
            reply = line.hear()
        found = self._dialect.serial_number(reply)
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


_DONE: Final = {"tare": "tare", "zero": "set its zero"}


def shown(reply: bytes) -> str:
    """A reply for an error message."""
    return reply[:60].decode("ascii", "backslashreplace")


def act_and_look(line: Line, dialect: Dialect, command: bytes, timeout: float) -> None:
    """Send a command that has no answer of its own, and ask for the weight behind it: it must be settled and zero.

    Raises `InstrumentError` for any other weight: of these balances nothing else says whether they did as told.
    """
    reply = line.ask(command + b"\r\n" + dialect.weigh, timeout=timeout)
    if reply == b"OK!":  # an Ohaus balance may be set to say so
        reply = line.hear(timeout=timeout)
    weight = dialect.weight(reply)
    if weight.quality or abs(weight.grams) > 0:
        raise InstrumentError(f"it shows {shown(reply)!r} after it; wait until the weight is steady, then try again")
