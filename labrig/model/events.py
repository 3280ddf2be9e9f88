"""What happens in a run: its outcome, its marked spans, and every event that is told and recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Span:
    """A marked stretch of a run that an analysis reads."""

    kind: str
    start: int
    end: int
    attributes: Mapping[str, float | str] = field(default_factory=dict)
    """SI numbers and words, such as ``{"target": 68947.6}``."""

    @property
    def seconds(self) -> float:
        return (self.end - self.start) / 1e9


class Outcome(StrEnum):
    """How a run ended. Says nothing of whether its data are valid."""

    COMPLETED = "completed"
    ABORTED = "aborted"
    """A person stopped it."""
    TRIPPED = "tripped"
    """A condition of the rig stopped it."""
    FAILED = "failed"
    """The protocol or a device raised an error."""
    INTERRUPTED = "interrupted"
    """The recording has no end: the power or the process went."""


@dataclass(frozen=True, slots=True)
class RunStarted:
    kind: ClassVar = "run started"
    time: int
    run_id: str


@dataclass(frozen=True, slots=True)
class StepEntered:
    kind: ClassVar = "step entered"
    time: int
    path: str
    """Nested steps joined by `` / ``."""


@dataclass(frozen=True, slots=True)
class StepLeft:
    kind: ClassVar = "step left"
    time: int
    path: str


@dataclass(frozen=True, slots=True)
class Commanded:
    """An output was set and read back."""

    kind: ClassVar = "commanded"
    time: int
    output: str
    command: str
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Marked:
    kind: ClassVar = "marked"
    time: int
    span: Span


@dataclass(frozen=True, slots=True)
class Noted:
    kind: ClassVar = "noted"
    time: int
    text: str
    author: str = ""


@dataclass(frozen=True, slots=True)
class Faulted:
    """A device or the rig misbehaved; what labrig did stands in the text."""

    kind: ClassVar = "faulted"
    time: int
    source: str
    text: str
    fault: str = ""
    """Id in the fault catalogue, where one fits."""


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The rig went from one state to another (`labrig.states.RigState`)."""

    kind: ClassVar = "state changed"
    time: int
    before: str
    after: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """The protocol waits for an answer of the operator."""

    kind: ClassVar = "asked"
    time: int
    question: str
    """Identifier, unique in the run."""
    text: str
    choices: tuple[str, ...] = ("OK",)


@dataclass(frozen=True, slots=True)
class Answered:
    kind: ClassVar = "answered"
    time: int
    question: str
    answer: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class ReflexMet:
    """An armed condition was met, and its commands were sent at once."""

    kind: ClassVar = "reflex met"
    time: int
    reflex: str
    sample: int
    """Time of the sample that decided."""


@dataclass(frozen=True, slots=True)
class ClockPaired:
    """The monotonic clock beside UTC, so that a step of the wall clock shows."""

    kind: ClassVar = "clock paired"
    time: int
    utc: str


@dataclass(frozen=True, slots=True)
class RunFinished:
    kind: ClassVar = "run finished"
    time: int
    outcome: Outcome
    reason: str = ""


Event = (
    RunStarted
    | StepEntered
    | StepLeft
    | Commanded
    | Marked
    | Noted
    | Faulted
    | StateChanged
    | Asked
    | Answered
    | ReflexMet
    | ClockPaired
    | RunFinished
)
