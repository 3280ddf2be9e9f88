"""What a device can be, as protocols of a few verbs; a driver is a plain class that has them.

Verbs are idempotent ("be open", never "toggle"). Every verb talks to the device before it returns and raises
`labrig.errors.InstrumentError` or one of its kin; none retries, sleeps or starts a thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from labrig.model import Block, Channel, Output

Now = Callable[[], int]
"""Monotonic nanoseconds: what a driver stamps its samples with."""


@runtime_checkable
class Device(Protocol):
    """Anything with a line to the world."""

    @property
    def name(self) -> str: ...

    def open(self) -> str:
        """Connect and check identity before the first write; returns the identity (maker, model, serial number)."""
        ...

    def close(self) -> None:
        """Let go of the line; safe to repeat, and safe after an error."""
        ...


@runtime_checkable
class Source(Device, Protocol):
    """A device that measures.

    A *paced* source (``period > 0``) answers a question and is asked once a period. A *streaming* one
    (``period == 0``) has a clock of its own: ``read`` waits for the next samples, 50 ms at most plus the time-out.
    """

    @property
    def channels(self) -> tuple[Channel, ...]: ...

    @property
    def period(self) -> float:
        """Seconds between two reads; 0 for a stream."""
        ...

    @property
    def rate(self) -> float:
        """Samples a second of each channel; ``1 / period`` for a paced source."""
        ...

    def start(self) -> None:
        """Begin to sample; sample indices count from the first ``start`` and never restart."""
        ...

    def read(self) -> Block:
        """The newest samples, in raw units."""
        ...

    def stop(self) -> None: ...


@runtime_checkable
class Valve(Protocol):
    """Two states, one of them safe."""

    def open(self) -> None: ...

    def close(self) -> None: ...

    def is_open(self) -> bool:
        """The state that the output reads back."""
        ...


@runtime_checkable
class Regulator(Protocol):
    """A continuous set-point, SI."""

    @property
    def low(self) -> float: ...

    @property
    def high(self) -> float: ...

    def set(self, target: float) -> None: ...

    def setpoint(self) -> float:
        """The set-point that the output reads back."""
        ...


@runtime_checkable
class Watchdog(Device, Protocol):
    """Hardware that makes the outputs safe when it is not petted for too long."""

    def pet(self) -> None:
        """Start its time anew; raises `InstrumentError` where it has run out."""
        ...

    def expired(self) -> bool:
        """Whether it has run out since it was armed."""
        ...

    def rearm(self) -> None:
        """Arm it again after it ran out; a person decides that."""
        ...


@runtime_checkable
class Actuator(Device, Protocol):
    """A device with outputs."""

    @property
    def outputs(self) -> tuple[Output, ...]:
        """What it drives, known before it is opened."""
        ...

    def output(self, name: str) -> Valve | Regulator:
        """The verbs of one output."""
        ...

    def make_safe(self) -> None:
        """Bring every output to its safe state, each on its own: one that fails does not stop the next.

        Raises the first error after all were tried.
        """
        ...
