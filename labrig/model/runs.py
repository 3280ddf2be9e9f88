"""A run: what is known before its first sample, and what an analysis sees of it afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from labrig.model.events import Event, Span
from labrig.model.samples import Channel, Series
from labrig.model.specimens import Condition, Coupon, Mounting


@dataclass(frozen=True, slots=True)
class RunHeader:
    """Everything that is known before the first sample, as it is written into the run file."""

    run_id: str
    started_utc: str
    """ISO 8601 with offset."""
    started_ns: int
    """The monotonic clock at ``started_utc``."""
    protocol: str
    """Entry-point name, such as ``water-permeability``; the path of a protocol that was a file."""
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
    leaves: Condition = Condition.FRESH
    """What the protocol makes of a coupon."""
    truth: Mapping[str, float] = field(default_factory=dict)
    """Empty except in files that a validation wrote; never set from a simulated rig's control port."""
    protocol_text: str = ""
    """The whole text of a protocol that was a file."""


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
