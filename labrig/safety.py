"""Limits on channels as pure rules over samples.

labrig's software is never the last layer of safety (docs/safety.md): valves that fail safe, a relief valve and a wired
stop come first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from labrig.model import Block, Channel, Event, Flags, Floats, Quality, calibrated

VOTE: Final = 2
"""Bad samples among three consecutive ones that break a limit: a single spike does not."""


@dataclass(frozen=True, slots=True)
class Interlock:
    """A channel's value must stay between two limits (SI) and must be a value: an open loop or a NaN breaks it.

    The channel of an interlock is a guard channel: silence for longer than ``stale_after`` seconds breaks it too.
    """

    name: str
    channel: str
    low: float = -np.inf
    high: float = np.inf
    stale_after: float = 1.0

    def violations(self, values: Floats, quality: Flags) -> NDArray[np.bool_]:
        """Which samples break the limit, shape (n,). NaN compares false, so it is asked for by name."""
        unusable = (quality & (Quality.MISSING | Quality.OPEN_LOOP)) != 0
        return np.asarray(~np.isfinite(values) | unusable | (values > self.high) | (values < self.low))

    def explain(self, value: float, channel: Channel) -> str:
        """Why a sample breaks the limit, in words."""
        if not np.isfinite(value):
            return f"{self.name}: {channel.name} has no valid value (open loop or failed read)"
        side, limit = ("above", self.high) if value > self.high else ("below", self.low)
        return f"{self.name}: {channel.name} {channel.unit.show(value)} is {side} its limit {channel.unit.show(limit)}"


@dataclass(frozen=True, slots=True)
class Breach:
    """An interlock that lost its vote."""

    interlock: Interlock
    time: int
    """Of the deciding sample, monotonic ns."""
    reason: str


class Watch:
    """A sink that judges every raw sample of guarded channels and tells ``broken`` of each block that loses a vote."""

    def __init__(
        self, interlocks: Sequence[Interlock], channels: Mapping[str, Channel], broken: Callable[[Breach], None]
    ) -> None:
        self._interlocks = tuple(interlocks)
        self._guarded = frozenset(interlock.channel for interlock in interlocks)
        self._channels = channels
        self._broken = broken
        self._carried = {interlock.name: np.zeros(2, bool) for interlock in interlocks}

    def __call__(self, item: Block | Event) -> None:
        if not isinstance(item, Block) or not self._guarded.intersection(item.channels):
            return
        values = calibrated(item, self._channels)
        for interlock in self._interlocks:
            if interlock.channel in item.channels:
                column = item.channels.index(interlock.channel)
                self._judge(interlock, item, values[:, column], item.quality[:, column])

    def _judge(self, interlock: Interlock, block: Block, values: Floats, quality: Flags) -> None:
        carried = self._carried[interlock.name]
        bad = np.concatenate((carried, interlock.violations(values, quality)))
        self._carried[interlock.name] = bad[-2:]
        lost = np.flatnonzero(bad[2:] & (bad[2:].astype(np.int8) + bad[1:-1] + bad[:-2] >= VOTE))
        if len(lost):
            row = int(lost[0])
            reason = interlock.explain(float(values[row]), self._channels[interlock.channel])
            self._broken(Breach(interlock, int(block.times[row]), reason))
