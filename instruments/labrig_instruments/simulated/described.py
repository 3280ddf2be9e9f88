"""A device that speaks lines of text, played as its table says: what it is asked, what it then says and remembers.

Numbers in its answers are signals of the plant at ``NAME/NUMBER``, or what it remembers: ``memory`` at first, then what
the named groups of a command put there. What it remembers under the name of an output drives the plant at ``NAME/…``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import Formatter
from typing import Annotated, Protocol

from pydantic import AfterValidator, BaseModel, ConfigDict

from labrig import units
from labrig_instruments.ascii_options import Pattern, Text


class Signals(Protocol):
    """The plant's signals at this device."""

    def has(self, quantity: str) -> bool: ...
    def measure(self, quantity: str, otherwise: float) -> float: ...
    def command(self, quantity: str, value: float) -> None: ...


def _plain(text: str) -> str:
    names = [name for _, name, _, _ in Formatter().parse(text) if name is not None]
    if not all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in names):
        raise ValueError(f"an answer with numbers by name, such as '{{force:.3f}} N', not {text!r}")
    return text


class Answer(BaseModel):
    """What one request does."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    ask: Pattern
    """The whole request; a named group is remembered as a number."""
    say: Annotated[Text, AfterValidator(_plain)] | None = None
    """Unset, nothing is said."""
    put: dict[str, float] = {}
    """What is remembered besides."""


class DescribedDevice:
    """One device on its line."""

    kept: bytes = b"\r\n"

    def __init__(
        self,
        terminal: Signals,
        *,
        baud: int = 9600,
        serial_number: str = "1",
        terminator: Text = "\r\n",
        answers: tuple[Answer, ...],
        numbers: dict[str, str] | None = None,
        memory: dict[str, float] | None = None,
        unknown: Text | None = None,
    ) -> None:
        """``numbers``: the unit of each signal that it tells; ``unknown``: what it says to what it does not know.

        ``{serial}`` in an answer is its serial number.
        """
        self.baud, self.serial_number = baud, serial_number
        self._signals, self._answers, self._unknown = terminal, answers, unknown
        self._end = terminator.encode()
        self._units = {name: units.unit(symbol) for name, symbol in (numbers or {}).items()}
        self._first: Mapping[str, float] = dict(memory or {})
        self._memory = dict(self._first)
        self._heard = b""

    def exchange(self, received: bytes, now: float) -> bytes:
        *requests, self._heard = (self._heard + received).split(self._end)
        said = (self._answer(request.decode("ascii", "replace")) for request in requests)
        return b"".join(answer.encode() + self._end for answer in said if answer is not None)

    def due(self) -> float | None:
        return None

    def restart(self) -> None:
        """As after a power cut: what it was told is forgotten."""
        for name, value in self._first.items():
            self._remember(name, value)
        self._heard = b""

    def _answer(self, request: str) -> str | None:
        for answer in self._answers:
            if found := re.fullmatch(answer.ask, request, re.ASCII):
                told = {name: float(text) for name, text in found.groupdict().items()}
                for name, value in {**told, **answer.put}.items():
                    self._remember(name, value)
                return None if answer.say is None else answer.say.format_map(self._said())
        return self._unknown

    def _remember(self, name: str, value: float) -> None:
        self._memory[name] = value
        self._signals.command(name, value)

    def _said(self) -> dict[str, float | str]:
        shown = {name: unit.from_si(self._signals.measure(name, 0.0)) for name, unit in self._units.items()}
        return {**shown, **self._memory, "serial": self.serial_number}
