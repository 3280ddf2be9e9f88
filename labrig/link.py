"""What stands behind a rig's verbs: the station in this process, or a server in another one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from labrig.clock import SECOND, Clock
from labrig.ending import Tenure
from labrig.history import History, Trace
from labrig.model import Answered, Asked, Event
from labrig.operators import Operator
from labrig.outputs import Outputs
from labrig.reflex import Armed, Reflex

Verb = Literal["open", "close", "set"]
REFLEX_LOOK = 0.05
STRIDE = 1.0
"""Longest wait without a sign of life, s."""


class Link(Protocol):
    """The few things that every verb is made of. Each raises `RunEnded` once the run is over."""

    @property
    def roles(self) -> Mapping[str, str]:
        """Channel or output by role."""
        ...

    def now(self) -> int: ...

    def wait(self, seconds: float) -> float:
        """Let time pass in which the run is not held; returns for how many seconds more it was held meanwhile."""
        ...

    def command(self, output: str, verb: Verb, value: float = 0.0) -> None: ...

    def trace(self, channel: str, start: int, end: int) -> Trace: ...

    def publish(self, event: Event) -> None: ...

    def until(self, reflex: Reflex, patience: float) -> int:
        """Arm a reflex and wait for it; time of the deciding sample, 0 where it was not met in time."""
        ...

    def ask(self, question: Asked) -> str:
        """The operator's answer, one of the choices; raises `RigError` where nobody may be asked."""
        ...


@dataclass(frozen=True, slots=True)
class LocalLink:
    """Straight to the station's parts, in the same process."""

    roles: Mapping[str, str]
    tenure: Tenure
    outputs: Outputs
    history: History
    clock: Clock
    operator: Operator
    sink: _Publish
    arm: Callable[[Reflex], Armed]

    def now(self) -> int:
        return self.clock.now()

    def wait(self, seconds: float) -> float:
        held, end = 0, self.clock.now() + round(seconds * SECOND)
        while (paused := self.tenure.held.is_set()) or self.clock.now() < end:
            before = self.clock.now()
            self.clock.wait(STRIDE if paused else min((end - before) / SECOND, STRIDE), self.tenure.ending.event)
            self._alive()
            if paused:
                held, end = held + self.clock.now() - before, end + self.clock.now() - before
        return held / SECOND

    def command(self, output: str, verb: Verb, value: float = 0.0) -> None:
        self._alive()
        self.wait(0.0)
        self.do(output, verb, value)

    def do(self, output: str, verb: Verb, value: float = 0.0) -> None:
        """Command at once; `command` first waits as long as the run is held."""
        match verb:
            case "open":
                self.outputs.open(output, self.tenure.permit)
            case "close":
                self.outputs.close(output, self.tenure.permit)
            case "set":
                self.outputs.set(output, value, self.tenure.permit)

    def trace(self, channel: str, start: int, end: int) -> Trace:
        self._alive()
        return self.history.trace(channel, start, end)

    def publish(self, event: Event) -> None:
        self.sink(event)

    def until(self, reflex: Reflex, patience: float) -> int:
        self._alive()
        armed, end = self.arm(reflex), self.clock.now() + round(patience * SECOND)
        while not armed.met and self.clock.now() < end:
            end += round(self.wait(min(REFLEX_LOOK, (end - self.clock.now()) / SECOND)) * SECOND)
        return armed.disarm()

    def ask(self, question: Asked) -> str:
        self._alive()
        self.sink(question)
        answer = self.operator.answer(question, self.tenure)
        self._alive()
        self.sink(Answered(self.clock.now(), question.question, answer, self.operator.name))
        return answer

    def _alive(self) -> None:
        self.tenure.ending.check()
        self.tenure.renew()


class _Publish(Protocol):
    def __call__(self, event: Event, /) -> None: ...
