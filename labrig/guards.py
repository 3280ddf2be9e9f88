"""The guard channels of a rig, those that an interlock names: their limits, their silence, their first sound."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from labrig.clock import SECOND
from labrig.frozen import Frozen
from labrig.model import Block, Channel, Event
from labrig.roles import Now
from labrig.safety import Breach, Interlock, Watch


class Guards:
    """A sink that keeps which interlocks are broken; ``broken`` is told at once of a limit that lost its vote."""

    def __init__(
        self,
        interlocks: Sequence[Interlock],
        channels: Mapping[str, Channel],
        now: Now,
        broken: Callable[[Breach], None],
        frozen: Mapping[str, float] = MappingProxyType({}),
    ) -> None:
        """``frozen``: seconds of patience with channels, guards or not, that may freeze."""
        self._interlocks, self._now, self._broken = tuple(interlocks), now, broken
        self._watch = Watch(interlocks, channels, self._lost)
        self._frozen = Frozen(frozen, self._froze)
        self._spoke: dict[str, int] = {interlock.channel: now() for interlock in interlocks}
        self._breaches: dict[str, Breach] = {}
        self._unheard = set(self._spoke)
        self.heard = threading.Event()
        """Set once every guard channel has delivered a sample: before that nobody knows whether a run may begin."""

    def __contains__(self, channel: str) -> bool:
        return channel in self._spoke

    def __call__(self, item: Block | Event) -> None:
        self._frozen(item)
        if not isinstance(item, Block) or not len(item):
            return
        for name in item.channels:
            if name in self._spoke:
                self._spoke[name] = int(item.times[-1])
                self._unheard.discard(name)
        self._watch(item)
        if not self._unheard:
            self.heard.set()

    @property
    def standing(self) -> str:
        """Which interlocks are broken now, in words; empty when none is."""
        return "; ".join(breach.reason for breach in tuple(self._breaches.values()))

    @property
    def frozen(self) -> Mapping[str, str]:
        """Why, by channel, for those whose signal does not move; guards or not."""
        return self._frozen.now

    def listen(self) -> None:
        """Count silence from now on."""
        self._spoke = dict.fromkeys(self._spoke, self._now())

    def judge_silence(self, now: int) -> None:
        """A silent channel breaks its interlocks; a breach is over when its channel was sound for a second after."""
        for interlock in self._interlocks:
            silence = (now - self._spoke[interlock.channel]) / SECOND
            standing = self._breaches.get(interlock.name)
            if silence > interlock.stale_after:
                reason = f"{interlock.name}: {interlock.channel} has been silent for {silence:.1f} s"
                self._breaches[interlock.name] = Breach(interlock, now, reason)
            elif standing is not None and self._spoke[interlock.channel] > standing.time + SECOND:
                del self._breaches[interlock.name]

    def fresh(self, now: int) -> bool:
        """Whether none is silent."""
        return all((now - self._spoke[i.channel]) / SECOND <= i.stale_after for i in self._interlocks)

    def not_back(self, since: int) -> tuple[str, ...]:
        """Which have not spoken for so long after ``since`` that an interruption at that moment is over."""
        lost = {i.channel for i in self._interlocks if self._spoke[i.channel] <= since + i.stale_after * SECOND}
        return tuple(sorted(lost))

    def _froze(self, channel: str, time: int, words: str) -> None:
        for interlock in self._interlocks:
            if interlock.channel == channel:
                self._lost(Breach(interlock, time, f"{interlock.name}: {words}"))

    def _lost(self, breach: Breach) -> None:
        self._breaches[breach.interlock.name] = breach
        self._broken(breach)
