"""Reflexes: a condition on raw samples that the station acts upon at once, because a protocol would be too slow."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from labrig.clock import Clock, spawn
from labrig.errors import LabrigError
from labrig.model import Block, Channel, Event, Faulted, ReflexMet
from labrig.outputs import Outputs, Permit
from labrig.safety import Breach, Interlock, Watch

Step = tuple[Literal["open", "close", "set"], str, float]
"""Verb, output, value (SI, for ``set``)."""


@dataclass(frozen=True, slots=True)
class Reflex:
    """Leaving ``low`` to ``high`` (SI) by two of three samples is met by these steps, in this order."""

    name: str
    channel: str
    low: float
    high: float
    steps: tuple[Step, ...]


class Armed:
    """A reflex that waits; a sink while it does. It acts once, as long as its permit holds."""

    def __init__(
        self,
        reflex: Reflex,
        channels: Mapping[str, Channel],
        *,
        outputs: Outputs,
        permit: Permit,
        publish: Callable[[Event], None],
        clock: Clock,
    ) -> None:
        self.reflex = reflex
        self.met = 0
        """Time of the deciding sample; 0 while the condition is not met."""
        self._outputs, self._permit, self._publish, self._clock = outputs, permit, publish, clock
        self._once, self._disarmed = threading.Lock(), False
        condition = Interlock(reflex.name, reflex.channel, reflex.low, reflex.high)
        self._watch = Watch([condition], channels, self._decide)

    def __call__(self, item: Block | Event) -> None:
        if not self.met and not self._disarmed:
            self._watch(item)

    def disarm(self) -> int:
        """Wait no longer; returns what `met` is now and stays."""
        with self._once:
            self._disarmed = True
            return self.met

    def _decide(self, breach: Breach) -> None:
        with self._once:
            if self.met or self._disarmed:
                return
            self.met = breach.time
        if self._clock.virtual:
            self._act()
        else:
            spawn(f"reflex {self.reflex.name}", self._act)

    def _act(self) -> None:
        try:
            for verb, output, value in self.reflex.steps:
                match verb:
                    case "open":
                        self._outputs.open(output, self._permit)
                    case "close":
                        self._outputs.close(output, self._permit)
                    case "set":
                        self._outputs.set(output, value, self._permit)
            self._publish(ReflexMet(self._clock.now(), self.reflex.name, self.met))
        except LabrigError as error:
            self._publish(Faulted(self._clock.now(), f"reflex {self.reflex.name}", str(error)))
