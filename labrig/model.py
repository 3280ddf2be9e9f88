"""The nouns of labrig, all frozen: what is measured, on what, by which run, with which result.

Arrays inside are made read-only at birth. Times are integer nanoseconds of the run's monotonic clock; values in a
`Block` are as the device delivered them, and `calibrated` is the one function that turns them into SI.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntFlag, StrEnum
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from labrig.units import Unit

Floats = NDArray[np.float64]
Times = NDArray[np.int64]
Flags = NDArray[np.uint8]


class Quality(IntFlag):
    """Why a sample is less than good; 0 is good. Stored with every sample, never folded into its number."""

    GOOD = 0
    MISSING = 1
    """No value: the read failed. The value is NaN."""
    BELOW = 2
    """Under the calibrated range; the value is kept."""
    ABOVE = 4
    """Over the calibrated range; the value is kept."""
    OPEN_LOOP = 8
    """A 4-20 mA loop below 3.6 mA or above 21 mA (NAMUR NE 43): the value says nothing about the process."""
    UNSETTLED = 16
    """The device itself says that its reading has not settled (a balance's dynamic weight)."""
    AFTER_GAP = 32
    """Samples were lost immediately before this one."""

    @property
    def usable(self) -> bool:
        """Whether the number may enter a result."""
        return not self & (Quality.MISSING | Quality.OPEN_LOOP)


@dataclass(frozen=True, slots=True)
class Calibration:
    """SI value = c0 + c1·raw + c2·raw² + …, with the standard uncertainties that its certificate states."""

    coefficients: tuple[float, ...]
    relative_u: float = 0.0
    """Standard uncertainty of the sensitivity, as a fraction of the reading."""
    offset_u: float = 0.0
    """Standard uncertainty of the zero, SI units. A measured zero replaces it by the noise of that measurement."""
    certificate: str = ""
    date: str = ""

    def apply(self, raw: Floats) -> Floats:
        """SI values of raw ones, any shape."""
        result = np.full_like(raw, self.coefficients[-1])
        for coefficient in self.coefficients[-2::-1]:
            result = result * raw + coefficient
        return result


@dataclass(frozen=True, slots=True)
class Channel:
    """One measured quantity: how it is called, shown, calibrated and limited."""

    name: str
    """Unique in a rig, such as ``feed_pressure``; the column name of exports."""
    unit: Unit
    """What people read; values inside are SI."""
    raw_unit: str
    """What the device delivers: ``V``, ``A``, ``g``."""
    low: float
    """Lower end of the calibrated range, SI."""
    high: float
    """Upper end of the calibrated range, SI."""
    calibration: Calibration
    label: str = ""
    """A few words for screens, such as ``Feed pressure``; the name where empty."""
    resolution: float = 0.0
    """Smallest step of the display or converter, SI; 0 where unknown."""
    loop: bool = False
    """A 4-20 mA current loop, judged by NAMUR NE 43."""
    address: str = ""
    """Where it is wired: a terminal such as ``cDAQ1Mod1/ai0``, or a port."""


@dataclass(frozen=True, slots=True)
class Output:
    """One thing that labrig commands: a valve (1 open, 0 closed) or a continuous set-point."""

    name: str
    kind: Literal["valve", "regulator"]
    address: str
    """Where it is wired: a terminal such as ``cDAQ1Mod3/port0/line0``."""
    safe: float
    """SI; a valve's 1 is open."""
    unit: Unit
    low: float
    high: float
    calibration: Calibration
    """Raw command from SI: volts from pascal, or coil energised (1) from open (1)."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """``n`` samples of ``c`` channels of one source: one balance reading is a block, and so is a DAQ buffer."""

    source: str
    channels: tuple[str, ...]
    first: int
    """Index of the first sample in the source's stream, counted from when sampling began, lost samples included."""
    times: Times
    """Monotonic nanoseconds, shape (n,), increasing."""
    values: Floats
    """As the device delivered them, shape (n, c)."""
    quality: Flags
    """`Quality` bits, shape (n, c)."""

    def __post_init__(self) -> None:
        n, c = len(self.times), len(self.channels)
        if self.values.shape != (n, c) or self.quality.shape != (n, c):
            raise ValueError(
                f"{self.source}: {n} times and {c} channels, but values {self.values.shape}, quality "
                f"{self.quality.shape}"
            )
        for array in (self.times, self.values, self.quality):
            array.flags.writeable = False

    def __len__(self) -> int:
        return len(self.times)


GOOD: NDArray[np.uint8] = np.zeros((), np.uint8)


def good(n: int, c: int) -> Flags:
    """Quality of n samples of c channels that are all good; costs no memory."""
    return np.broadcast_to(GOOD, (n, c))


OPEN_LOOP_BELOW = 3.6e-3
OPEN_LOOP_ABOVE = 21e-3
"""A: currents beyond which a 4-20 mA loop signals a failure (NAMUR NE 43)."""


def judge_raw(channel: Channel, raw: Floats) -> Flags:
    """Quality bits of raw values as a device delivered them, any shape."""
    values = channel.calibration.apply(raw)
    flags = np.zeros(raw.shape, np.uint8)
    flags[values < channel.low] |= np.uint8(Quality.BELOW)
    flags[values > channel.high] |= np.uint8(Quality.ABOVE)
    flags[~np.isfinite(raw)] |= np.uint8(Quality.MISSING)
    if channel.loop:
        flags[(raw < OPEN_LOOP_BELOW) | (raw > OPEN_LOOP_ABOVE)] = np.uint8(Quality.OPEN_LOOP)
    return flags


def calibrated(block: Block, channels: Mapping[str, Channel]) -> Floats:
    """The block's values in SI, shape (n, c); NaN wherever the quality says that there is no usable value."""
    result = np.empty_like(block.values)
    for column, name in enumerate(block.channels):
        result[:, column] = channels[name].calibration.apply(block.values[:, column])
    unusable = (block.quality & (Quality.MISSING | Quality.OPEN_LOOP)) != 0
    if unusable.any():
        result[unusable] = np.nan
    return result


@dataclass(frozen=True, slots=True, eq=False)
class Digest:
    """Consecutive bins of a source's samples in SI, some tens of milliseconds each: what screens and protocols follow.

    Arrays have shape (k, c); ``m2`` is the sum of squared deviations from the mean, so that bins merge exactly.
    """

    source: str
    channels: tuple[str, ...]
    starts: Times
    """Time of each bin's first sample, shape (k,)."""
    ends: Times
    """Time of each bin's last sample, shape (k,)."""
    n: NDArray[np.int64]
    """Usable samples."""
    mean: Floats
    """NaN where no sample is usable, like ``low``, ``high`` and ``last``."""
    m2: Floats
    low: Floats
    high: Floats
    last: Floats
    quality: Flags
    """Bitwise OR over the samples."""


class Orientation(StrEnum):
    """Which face of an asymmetric membrane meets the feed."""

    SKIN_UP = "skin-up"
    SUPPORT_UP = "support-up"


@dataclass(frozen=True, slots=True)
class Coupon:
    """A specimen: one piece cut from a sheet of a lot."""

    id: str
    lot: str = ""
    sheet: str = ""
    family: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Mounting:
    """How a coupon sits in a cell for one run."""

    cell: str
    exposed_diameter: float
    """Inside the O-ring, m: the area that the flow sees, not the punch diameter."""
    exposed_diameter_u: float
    orientation: Orientation = Orientation.SKIN_UP
    edge: Literal["open", "sealed"] = "open"


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


class Validity(StrEnum):
    """What a result may be used for. Mixed neither with the outcome nor with a verdict."""

    VALID = "valid"
    INDICATIVE = "indicative"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """One contribution to a result's standard uncertainty."""

    source: str
    estimate: float
    u: float
    """Standard uncertainty of the input, in its unit."""
    unit: str
    contribution: float
    """|sensitivity| · u, in the result's SI unit."""
    dof: float


@dataclass(frozen=True, slots=True)
class Measured:
    """A number with everything that makes it one."""

    name: str
    """Field term, such as ``water permeability``."""
    symbol: str
    value: float
    """SI."""
    u: float
    """Standard uncertainty, SI."""
    dof: float
    """Effective degrees of freedom (Welch-Satterthwaite)."""
    coverage_factor: float
    """Factor of ``U`` for 95 % coverage with those degrees of freedom."""
    unit: str
    """Symbol of the unit to show it in."""
    definition: Mapping[str, str]
    """What fixes the meaning: reference temperature, area, criterion, shape factor …"""
    budget: tuple[BudgetLine, ...] = ()
    spans: tuple[Span, ...] = ()

    @property
    def U(self) -> float:  # noqa: N802 - the GUM's symbol for expanded uncertainty
        """Expanded uncertainty, SI."""
        return self.coverage_factor * self.u


@dataclass(frozen=True, slots=True)
class Analysis:
    """What one version of one analysis made of a run."""

    name: str
    version: str
    results: tuple[Measured, ...]
    validity: Validity
    reasons: tuple[str, ...] = ()
    """Why the validity is less than valid, in words for people."""
    diagnostics: Mapping[str, float | str] = field(default_factory=dict)
    tables: Mapping[str, Sequence[Mapping[str, float | str]]] = field(default_factory=dict)
    """Tidy rows, such as one per plateau, SI values."""


@dataclass(frozen=True, slots=True)
class RunHeader:
    """Everything that is known before the first sample, as it is written into the run file."""

    run_id: str
    started_utc: str
    """ISO 8601 with offset."""
    started_ns: int
    """The monotonic clock at ``started_utc``."""
    protocol: str
    """Entry-point name, such as ``water-permeability``."""
    parameters: Mapping[str, Any]
    """The protocol's parameters as JSON values with units."""
    method: str
    coupon: Coupon
    mounting: Mounting
    operator: str
    rig: str
    """Name of the rig."""
    rig_file: str
    """The whole text of the rig file."""
    channels: tuple[Channel, ...]
    roles: Mapping[str, str]
    """Channel name by role, such as ``{"permeate_mass": "permeate"}``."""
    simulated: bool
    versions: Mapping[str, str]
    """Of labrig, Python and the packages that touched the data."""
    setup: Mapping[str, float | str] = field(default_factory=dict)
    """Facts of the rig that an analysis needs, SI: head, blank coefficients and their uncertainties, fluid."""
    truth: Mapping[str, float] = field(default_factory=dict)
    """Empty except in files that a validation wrote; never set from a simulated rig's control port."""


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


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One channel over a stretch of a run, in SI."""

    times: Times
    values: Floats
    """NaN where the quality says that there is no usable value."""
    quality: Flags

    def __len__(self) -> int:
        return len(self.times)

    @property
    def seconds(self) -> Floats:
        """Seconds since the first sample."""
        return (self.times - self.times[0]) / 1e9 if len(self.times) else np.empty(0)


class RunData(Protocol):
    """What an analysis sees of a run, from a run file or from memory."""

    @property
    def header(self) -> RunHeader: ...

    @property
    def events(self) -> tuple[Event, ...]: ...

    def spans(self, kind: str) -> tuple[Span, ...]:
        """The marked spans of that kind, in order of time."""
        ...

    def series(self, channel: str, span: Span | None = None) -> Series:
        """One channel, within a span or whole; raises `RecordingError` for a channel that the run does not have."""
        ...
