"""Readings that do not move though an actuator did: opt-in per channel, because a sound signal may stand still, too.

A transducer's last digits always move a little. One that gives the very same signal, sample after sample, for some
seconds from before an output was changed until long after it, has frozen: a hung converter, a stuck transmitter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from labrig.clock import SECOND
from labrig.model import Block, Commanded, Event


@dataclass(slots=True)
class _Signal:
    patience: int
    """ns."""
    value: float = np.nan
    since: int = 0
    """When it last changed."""
    moved: int = 0
    """When an output was first changed after that; 0 where none was."""
    by: str = ""


class Frozen:
    """A sink: ``found`` is told channel, time and words for each block of a frozen channel; it thaws when it changes.

    ``patience``: seconds, by channel, from an output's change on within which the channel's signal must move.
    """

    def __init__(self, patience: Mapping[str, float], found: Callable[[str, int, str], None]) -> None:
        self._signals = {name: _Signal(round(seconds * SECOND)) for name, seconds in patience.items()}
        self._found = found
        self._outputs: dict[str, float | None] = {}
        self.now: Mapping[str, str] = {}
        """Why, by channel, for those that are frozen now."""

    def __call__(self, item: Block | Event) -> None:
        if isinstance(item, Commanded):
            self._note_command(item)
        elif isinstance(item, Block):
            for column, name in enumerate(item.channels):
                if name in self._signals:
                    self._judge(name, item, column)

    def _note_command(self, command: Commanded) -> None:
        known, self._outputs[command.output] = self._outputs.get(command.output), command.value
        if known is None or command.value == known:
            return
        for signal in self._signals.values():
            if not signal.moved:
                signal.moved, signal.by = command.time, command.output

    def _judge(self, name: str, block: Block, column: int) -> None:
        values = block.values[:, column]
        usable = np.flatnonzero(np.isfinite(values))
        if not len(usable):
            return
        signal, values, times = self._signals[name], values[usable], block.times[usable]
        changes = np.flatnonzero(np.diff(values, prepend=signal.value))  # a difference to NaN is NaN, which is not 0
        if len(changes):
            signal.since, signal.value = int(times[changes[-1]]), float(values[-1])
            if signal.moved <= signal.since:
                signal.moved = 0
                self.now = {other: why for other, why in self.now.items() if other != name}
        now = int(times[-1])
        if signal.moved and now - signal.moved >= signal.patience:
            seconds = signal.patience / SECOND
            words = f"{name} is frozen: not one digit of it moved in {seconds:g} s after {signal.by} was changed"
            self.now = {**self.now, name: words}
            self._found(name, now, words)
