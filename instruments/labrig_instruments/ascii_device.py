"""A device that speaks lines of text, described whole in the rig file: SCPI instruments, gauges, relays, valves.

Numbers come by named groups of regular expressions. What labrig relies on in the device's memory stands among the
``settings``: they are checked when the line is opened, and again whenever it was silent or answered nonsense, because a
device that was switched off and on has forgotten them.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

import numpy as np

from labrig.drivers import Name, Period
from labrig.errors import InstrumentError, RigError, WrongInstrument
from labrig.model import Block, Channel, Output, judge_raw
from labrig.roles import Now
from labrig_instruments.ascii_options import (
    Identity,
    Query,
    Setting,
    Terminator,
    TextChannel,
    TextSetpoint,
    TextValve,
    matched,
    values_of,
)
from labrig_instruments.ascii_outputs import TextRegulator, TextSwitch
from labrig_instruments.line import Connect, Framing, Line, LineSettings, SerialLine, Silence

_LATE: Final = 3
"""Replies that may still be under way after a silence."""


class AsciiDevice:
    """A source of numbers, set-points and valves, whichever the rig file describes."""

    def __init__(
        self,
        name: str,
        now: Now,
        connect: Connect = SerialLine,
        *,
        port: str,
        baud: int = 9600,
        framing: Framing = "8N1",
        terminator: Terminator = "\r\n",
        reply_terminator: Terminator | None = None,
        timeout: Period = 1.0,
        period: Period = 0.1,
        identity: Identity | None = None,
        settings: tuple[Setting, ...] = (),
        queries: tuple[Query, ...] = (),
        channels: dict[Name, TextChannel] | None = None,
        setpoints: dict[Name, TextSetpoint] | None = None,
        valves: dict[Name, TextValve] | None = None,
    ) -> None:
        _check(name, queries, channels or {}, [*(setpoints or {}), *(valves or {})])
        self.name, self.period, self.rate = name, period, 1 / period
        self._now, self._connect = now, connect
        self._settings = LineSettings(
            port, baud, framing, terminator.encode(), (reply_terminator or "").encode(), timeout
        )
        self._identity_asked, self._needed, self._queries = identity, settings, queries
        self.channels: tuple[Channel, ...] = tuple(
            options.as_channel(key, f"{port}/{key}") for key, options in (channels or {}).items()
        )
        made: list[TextRegulator | TextSwitch] = [
            *(TextRegulator(key, port, options, self) for key, options in (setpoints or {}).items()),
            *(TextSwitch(key, port, options, self) for key, options in (valves or {}).items()),
        ]
        self._verbs = {each.output.name: each for each in made}
        self.outputs: tuple[Output, ...] = tuple(each.output for each in made)
        self._turn = threading.RLock()
        self._line: Line | None = None
        self._identity, self._index, self._in_doubt = "", 0, False

    def open(self) -> str:
        """Connect; check who answers, then the settings, then bring each output to its safe state."""
        self.close()
        with self._turn:
            self._line = self._connect(self._settings)
            try:
                self._identity = self._identified(self._line)
                self._established()
                if self.outputs:
                    self.make_safe()
            except InstrumentError:
                self.close()
                raise
            self._in_doubt = False
        return f"{self._identity or 'a device that cannot say who it is'} on {self._settings.port}"

    def close(self) -> None:
        line, self._line = self._line, None
        for each in self._verbs.values():
            each.forget()
        if line is not None:
            line.close()

    def start(self) -> None:
        self._opened()

    def stop(self) -> None:
        """Nothing: between two questions the device is silent."""

    def read(self) -> Block:
        """One number of each channel; without channels, whether the outputs still are as they were told.

        Raises `InstrumentError` for silence, for a reply that is not as described, and once after the device had
        forgotten its settings; `LinkLost` when the line is gone.
        """
        with self._turn:
            self._opened()
            index, self._index = self._index, self._index + 1
            self._resynchronised()
            asked = self._now()
            values = self._asked_all()
            if not self.channels:
                self._check_outputs()
            time = (asked + self._now()) // 2
        raw = np.array([[math.nan if values[c.name] is None else values[c.name] for c in self.channels]], np.float64)
        quality = np.zeros(raw.shape, np.uint8)
        for column, channel in enumerate(self.channels):
            quality[:, column] = judge_raw(channel, raw[:, column])
        rows = 1 if self.channels else 0
        names = tuple(channel.name for channel in self.channels)
        return Block(self.name, names, index, np.array([time][:rows], np.int64), raw[:rows], quality[:rows])

    def output(self, name: str) -> TextRegulator | TextSwitch:
        """The verbs of that output; raises `RigError` where there is none."""
        if name not in self._verbs:
            raise RigError(f"{self.name} has no output {name!r}; it has {', '.join(self._verbs) or 'none'}")
        return self._verbs[name]

    def make_safe(self) -> None:
        """Bring each output to its safe state; raises the first error after all were tried."""
        self._opened()
        errors: list[InstrumentError] = []
        for each in self._verbs.values():
            try:
                each.make_safe()
            except InstrumentError as error:
                errors.append(error)
        if errors:
            raise errors[0]

    def ask(self, request: str, what: str) -> str:
        """A reply as text, for the outputs; ``what`` is said of one that fails."""
        return _text(self._watched_ask(request), what)

    def command(self, request: str, answer: str | None, what: str) -> None:
        """Tell the device something; raises `InstrumentError` where it does not answer as described."""
        if answer is None:
            self._opened().tell(request.encode())
        else:
            matched(answer, self.ask(request, what), what)

    def turn(self) -> threading.RLock:
        """Held while a command and the question after it belong together."""
        return self._turn

    def _asked_all(self) -> Mapping[str, float | None]:
        values: dict[str, float | None] = {}
        for query in self._queries:
            what = f"{self.name} was asked {query.ask!r}"
            reply = self.ask(query.ask, what)
            try:
                values |= values_of(query, reply, what)
            except InstrumentError:
                self._in_doubt = True
                raise
        return values

    def _watched_ask(self, request: str) -> bytes:
        try:
            return self._opened().ask(request.encode())
        except InstrumentError:
            self._in_doubt = True
            raise

    def _identified(self, line: Line) -> str:
        wanted = self._identity_asked
        if wanted is None:
            return ""
        reply = _text(line.ask(wanted.ask.encode()), self.name)
        try:
            return matched(wanted.reply, reply, self._settings.port)[0].strip()
        except InstrumentError as error:
            raise WrongInstrument(f"{self.name}: another device than the rig file describes. {error}") from None

    def _established(self) -> list[str]:
        """Set what is not as it must be, and return it; raises `InstrumentError` for a setting that is refused."""
        changed: list[str] = []
        for setting in self._needed:
            if not self._is_set(setting):
                changed.append(setting.tell)
                self.command(setting.tell, setting.answer, f"{self.name} was told {setting.tell!r}")
                if not self._is_set(setting):
                    raise InstrumentError(f"{self.name} was told {setting.tell!r}, and does not say that it is so")
        return changed

    def _is_set(self, setting: Setting) -> bool:
        try:
            matched(setting.reply, self.ask(setting.ask, self.name), self.name)
        except Silence:
            raise
        except InstrumentError:
            return False
        return True

    def _resynchronised(self) -> None:
        """After a failure: no late reply under way, the same device, its settings and outputs as they were."""
        if not self._in_doubt:
            return
        line = self._opened()
        with suppress(Silence):
            for _ in range(_LATE):
                line.hear()
        found = self._identified(line)
        if found != self._identity:
            raise WrongInstrument(f"{self.name} was {self._identity!r}; now {found!r} answers. It is not read.")
        changed = self._established()
        self._check_outputs()
        self._in_doubt = False
        if changed:
            raise InstrumentError(
                f"{self.name} was switched off and on meanwhile, and had forgotten {', '.join(map(repr, changed))}. "
                "labrig has set it again; this reading is left out."
            )

    def _check_outputs(self) -> None:
        for each in self._verbs.values():
            each.check()

    def _opened(self) -> Line:
        if self._line is None:
            raise InstrumentError(f"{self.name} is not connected")
        return self._line


def _text(reply: bytes, what: str) -> str:
    try:
        return reply.decode("ascii")
    except UnicodeDecodeError:
        raise InstrumentError(f"{what}: it answered {reply[:40]!r}, which is no text; check baud and framing") from None


def _check(name: str, queries: Sequence[Query], channels: Mapping[str, TextChannel], outputs: Sequence[str]) -> None:
    groups = [group for query in queries for group in query.groups()]
    twice = sorted({group for group in groups if groups.count(group) > 1})
    if twice:
        raise InstrumentError(f"{name}: each channel in one reply only, not {', '.join(twice)} in several")
    if set(groups) != set(channels):
        described = ", ".join(sorted(set(groups) ^ set(channels)))
        raise InstrumentError(f"{name}: a channel for each named group of a reply, and the reverse, not {described}")
    if not channels and not outputs:
        raise InstrumentError(f"{name}: a channel, a set-point or a valve at least")
    if len(set(outputs)) < len(outputs):
        raise InstrumentError(f"{name}: another name for each output, not {', '.join(outputs)}")
