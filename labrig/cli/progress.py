"""What the terminal shows during a run: the step, the newest values, the time left."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.live import Live
from rich.text import Text

from labrig.config import RigConfig
from labrig.errors import RigError
from labrig.history import History
from labrig.model import Block, Event, Faulted, Noted, RunFinished, StateChanged, StepEntered
from labrig.rehearsal import Schedule

SHOWN: Final = ("feed_pressure", "permeate_flow", "permeate_mass", "water_temperature")
PLAIN_EVERY: Final = 5.0
"""Seconds between two lines where the output is no terminal."""


Newest = Callable[[str], float | None]
"""A channel's newest value, SI; None where there is none yet."""


class Progress:
    """A sink for events, and a status line that pulls the newest values."""

    def __init__(self, console: Console, config: RigConfig, schedule: Schedule | None) -> None:
        self._console, self._config, self._schedule = console, config, schedule
        self._lock = threading.Lock()
        self._pending: list[str] = []
        self._step, self._entered = "", time.monotonic()
        self._last_plain = 0.0
        self._newest: Newest = lambda _: None
        self._live: Live | None = None

    def __call__(self, item: Block | Event) -> None:
        """Called by the threads that measure: remembers, and leaves the printing to `tick`."""
        match item:
            case StepEntered(path=path):
                with self._lock:
                    self._step, self._entered = path, time.monotonic()
                    self._pending.append(f"> {path}")
            case Faulted(source=source, text=text):
                with self._lock:
                    self._pending.append(f"! {source}: {text}")
            case Noted(text=text):
                with self._lock:
                    self._pending.append(f"  {text}")
            case StateChanged(after="stopping" | "tripped" | "hold" as after, reason=str() as reason) if reason:
                with self._lock:
                    self._pending.append(f"! {after.upper()}: {reason}")
            case RunFinished(outcome=outcome):
                with self._lock:
                    self._step = ""
                    self._pending.append(f"Run {outcome.value}.")
            case _:
                pass

    @contextmanager
    def shown(self, newest: Newest) -> Iterator[None]:
        """While the block lasts, `tick` draws: a live line in a terminal, plain lines elsewhere."""
        self._newest = newest
        if not self._console.is_terminal:
            yield
            self.tick()
            return
        with Live(console=self._console, auto_refresh=False, transient=True) as self._live:
            yield
            self.tick()

    def tick(self) -> None:
        with self._lock:
            lines, self._pending = self._pending, []
            status = self._status()
        for line in lines:
            self._console.print(Text(line))
        if self._live is not None:
            self._live.update(Text(status), refresh=True)
        elif status and time.monotonic() - self._last_plain >= PLAIN_EVERY:
            self._last_plain = time.monotonic()
            self._console.print(Text(status), soft_wrap=True)

    def _status(self) -> str:
        if not self._step:
            return ""
        since = time.monotonic() - self._entered
        left = "" if self._schedule is None else f"about {self._schedule.left_after(self._step, since):.0f} s left"
        return "   ".join(part for part in (f"  {self._step}", *self._values(), left) if part)

    def _values(self) -> Iterator[str]:
        for role in SHOWN:
            name = self._config.file.roles.get(role)
            value = None if name is None else self._newest(name)
            if name is not None and value is not None:
                channel = self._config.channels[name]
                yield f"{channel.label or name} {channel.unit.show(value)}"


def newest_of(history: History) -> Newest:
    """The newest value of a channel in this process's history."""

    def newest(channel: str) -> float | None:
        try:
            return history.latest(channel)[1]
        except RigError:
            return None

    return newest
