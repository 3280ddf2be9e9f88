"""The documents that cross between server and clients: frozen, validated on both sides, unknown keys refused.

Numbers are SI; times are nanoseconds of the server's monotonic clock (one clock on one machine).
"""

from __future__ import annotations

from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from labrig.errors import LabrigError
from labrig.wire.rig_pb2 import Document


class WireError(LabrigError):
    """A document that is not what the other side promised."""


class Paper(BaseModel):
    """Base of all documents."""

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="constants")


P = TypeVar("P", bound=Paper)


def pack(paper: Paper) -> Document:
    return Document(json=paper.model_dump_json())


def unpack(kind: type[P], document: Document) -> P:
    """Raises `WireError` for anything but a valid document of that kind."""
    try:
        return kind.model_validate_json(document.json or "{}")
    except ValidationError as error:
        raise WireError(f"not a {kind.__name__}: {error.errors(include_url=False)[0]['msg']}") from None


class Nothing(Paper):
    """No content."""


class ChannelPaper(Paper):
    """One channel, as a screen needs it."""

    name: str
    label: str
    unit: str
    low: float
    high: float
    role: str = ""
    guarded_low: float | None = None
    """Limits of the interlocks on it, SI."""
    guarded_high: float | None = None


class OutputPaper(Paper):
    name: str
    kind: Literal["valve", "regulator"]
    unit: str
    low: float
    high: float
    role: str = ""


class MethodPaper(Paper):
    """A method that this server offers: what a form is made from."""

    name: str
    version: str
    protocol: str
    title: str
    description: str
    attended: bool
    parameters: dict[str, Any]
    """Values with units, as JSON."""
    parameter_schema: dict[str, Any]
    """JSON Schema of the protocol's parameters; quantities carry ``x-dimension`` and ``x-unit``."""


class Description(Paper):
    """What does not change while a server lives."""

    rig: str
    description: str
    rig_file: str
    simulated: bool
    cell: str
    exposed_diameter: float
    channels: tuple[ChannelPaper, ...]
    outputs: tuple[OutputPaper, ...]
    methods: tuple[MethodPaper, ...]
    membranes: tuple[str, ...] = ()
    """Shipped membranes, where the rig is simulated."""
    version: str
    folder: str
    """Where run files go."""


class QuestionPaper(Paper):
    question: str
    text: str
    choices: tuple[str, ...]


class StepPaper(Paper):
    """A step of the rehearsed schedule."""

    path: str
    at: float
    """Seconds since the start of the run."""


class RunPaper(Paper):
    """A run, going on or over."""

    run: str
    file: str
    method: str
    protocol: str
    coupon: str
    lot: str
    operator: str
    orientation: str
    attended: bool
    started_utc: str
    started: int = 0
    """Monotonic ns; meaningful while the server that began it lives."""
    outcome: str = ""
    """Empty while it goes on."""
    reason: str = ""
    step: str = ""
    step_entered: int = 0
    step_held: float = 0.0
    """Seconds that the run was held since, in holds that are over."""
    schedule: tuple[StepPaper, ...] = ()
    """By rehearsal; empty where the rig has no twin."""
    seconds: float = 0.0
    """Rehearsed duration; 0 where unknown."""
    samples: int = 0
    recorded_through: int = 0
    filed: bool = False
    """Whether filing is over: ``analysis`` lies in the run's file, or ``not_analysed`` says why none does."""
    analysis: dict[str, Any] | None = None
    """The newest in its file, as ``labrig run --json`` prints it."""
    not_analysed: str = ""
    not_catalogued: str = ""
    """Why the catalogue does not have the finished run."""


class Status(Paper):
    """What changes; sent to watchers whenever it does."""

    now: int
    """Monotonic ns of the server."""
    state: Literal["safe", "running", "hold", "stopping", "tripped"]
    reason: str = ""
    """Of the last change of state: why it holds, tripped or stopped."""
    safe_to_open: bool = False
    not_safe_because: str = ""
    question: QuestionPaper | None = None
    run: RunPaper | None = None
    """The present run, or the last one of this server."""
    outputs: dict[str, float] = Field(default_factory=dict)
    """Last command by output name: a valve's 1 is open."""
    warnings: tuple[str, ...] = ()
    """What a person should know now, such as a device that is being looked for."""
    forecasts: tuple[str, ...] = ()
    """Such as ``permeate vessel full in 12 min``."""


class Ordered(Paper):
    """What is asked for. ``changes`` are parameters as texts with units, over those of the method."""

    method: str
    changes: dict[str, Any] = Field(default_factory=dict)
    coupon: str
    lot: str = ""
    operator: str = ""
    orientation: Literal["skin-up", "support-up"] = "skin-up"
    attended: bool | None = None
    """None: as the method says."""
    answers: dict[str, str] | None = None
    """A script's prepared answers by the beginning of the question; None: a person answers."""


class Check(Paper):
    """One pre-flight check."""

    name: str
    ok: bool
    words: str
    caution: bool = False
    """The run may start, and somebody should have read the words before."""


class CurvePaper(Paper):
    """A channel over a rehearsal: seconds since its start, values in SI, of equal length."""

    channel: str
    times: tuple[float, ...]
    values: tuple[float, ...]


class ForetoldPaper(Paper):
    """What a rehearsal did."""

    curves: tuple[CurvePaper, ...]
    water: float
    """m³ that went through the membrane."""
    highest: float
    """Pa, at the feed; 0 where the rig measures none there."""


class Checks(Paper):
    """Answer of Preflight. ``seconds`` is the rehearsed duration, 0 where unknown."""

    checks: tuple[Check, ...]
    seconds: float = 0.0
    schedule: tuple[StepPaper, ...] = ()
    foretold: ForetoldPaper | None = None
    """By rehearsal, also by one that failed; None where the rig has no twin."""

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)


class Started(Paper):
    run: str
    file: str


class Control(Paper):
    """A client's wish: ``text`` is the reason, the note or the answer."""

    verb: Literal["hold", "resume", "reset", "note", "answer", "refilled", "shutdown"]
    text: str = ""
    question: str = ""
    by: str = ""


class StopOrder(Paper):
    reason: str
    by: str = ""


class Stopped(Paper):
    """Answer of the stop door, sent when the outputs have been commanded."""

    state: str
    milliseconds: float
    """From the arrival of the order until every output had been commanded safe."""


class WatchOrder(Paper):
    """What happened in the present run, then digests and events; ``attending`` watchers keep an attended run alive."""

    attending: bool = False
    name: str = ""


class RunsOrder(Paper):
    """The newest ``most`` runs, or one by id."""

    run: str = ""
    most: int = Field(default=50, ge=1, le=1000)


class RunsPaper(Paper):
    runs: tuple[RunPaper, ...]


class JoinOrder(Paper):
    run: str


class Joined(Paper):
    """What a runner needs to begin."""

    roles: dict[str, str]
    protocol: str
    parameters: dict[str, Any]


class CommandOrder(Paper):
    run: str
    output: str
    """Empty: no command, a sign of life."""
    verb: Literal["open", "close", "set", "alive", "leave", "until", "disarm"]
    value: float = 0.0
    outcome: str = ""
    reason: str = ""
    reflex: dict[str, Any] | None = None


class CommandAnswer(Paper):
    """``held``: verbs wait, and the command was not carried out. ``ended``: outcome and reason; verbs raise."""

    held: bool = False
    ended: str = ""
    reason: str = ""
    met: int = 0
    """Time of the sample that met the reflex; 0 while it is not met."""


class PublishOrder(Paper):
    run: str
    kind: str
    event: dict[str, Any]


class AskOrder(Paper):
    run: str
    question: str
    text: str
    choices: tuple[str, ...]


class AskAnswer(Paper):
    answer: str
