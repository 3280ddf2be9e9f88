"""What most serial instruments have in common: they are asked once a period, and answer with a few numbers.

A driver says who is there (`AskedSource.identify`) and what it reads (`AskedSource.ask`); the rest is here.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import numpy as np

from labrig.errors import InstrumentError, WrongInstrument
from labrig.model import Block, Channel, judge_raw
from labrig.roles import Now
from labrig_instruments.line import Connect, Line, LineSettings, Silence

_LATE: Final = 3
"""Replies that may still be under way after a failure."""


class AskedSource:
    """A source on one line. After a failed read the line is emptied, and the device must say again who it is."""

    def __init__(
        self,
        name: str,
        now: Now,
        connect: Connect,
        settings: LineSettings,
        period: float,
        channels: Sequence[Channel],
    ) -> None:
        self.name, self.period, self.rate = name, period, 1 / period
        self.channels = tuple(channels)
        self._now, self._connect, self._settings = now, connect, settings
        self._line: Line | None = None
        self._identity, self._index, self._in_doubt = "", 0, False

    def identify(self, line: Line) -> str:
        """Who is there; raises `InstrumentError` for another device. Changes nothing in it."""
        raise NotImplementedError

    def ask(self, line: Line) -> Sequence[float]:
        """The raw value of each channel now, NaN where the device has none; raises `InstrumentError`."""
        raise NotImplementedError

    def open(self) -> str:
        """Connect; returns what the device says it is."""
        self.close()
        self._line = self._connect(self._settings)
        try:
            self._identity = self.identify(self._line)
        except InstrumentError:
            self.close()
            raise
        self._in_doubt = False
        return self._identity

    def close(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.close()

    def start(self) -> None:
        self._opened()

    def stop(self) -> None:
        """Nothing: between two questions the device is silent."""

    def read(self) -> Block:
        """One value of each channel, timed at the middle of question and answer."""
        line, index = self._opened(), self._index
        self._index += 1
        if self._in_doubt:
            self._resynchronise(line)
        self._in_doubt = True
        asked = self._now()
        raw = np.array([self.ask(line)], np.float64)
        time = (asked + self._now()) // 2
        self._in_doubt = False
        quality = np.column_stack([judge_raw(channel, raw[:, k]) for k, channel in enumerate(self.channels)])
        names = tuple(channel.name for channel in self.channels)
        return Block(self.name, names, index, np.array([time], np.int64), raw, quality)

    def _resynchronise(self, line: Line) -> None:
        with suppress(Silence):
            for _ in range(_LATE):
                line.hear()
        found = self.identify(line)
        if found != self._identity:
            raise WrongInstrument(f"{self.name} was {self._identity}; now {found} answers. It is not read.")

    def _opened(self) -> Line:
        if self._line is None:
            raise InstrumentError(f"{self.name} is not connected")
        return self._line


class AnsweringLine:
    """A line that answers each request in one way, and every other with silence. For tests of drivers."""

    def __init__(self, answers: dict[bytes, bytes | None]) -> None:
        self.answers, self.closed = answers, False

    def ask(self, request: bytes, *, timeout: float | None = None) -> bytes:
        reply = self.answers.get(request)
        if reply is None:
            raise Silence(f"the line of this test does not answer {request!r} within {timeout or 1:g} s")
        return reply

    def hear(self, *, timeout: float | None = None) -> bytes:
        raise Silence(f"the line of this test says nothing unasked within {timeout or 1:g} s")

    def tell(self, request: bytes) -> None:
        """Taken."""

    def close(self) -> None:
        self.closed = True
