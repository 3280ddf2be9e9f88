"""Outputs of an NI device, whatever they put out: claimed before any is touched, each made safe on its own.

Each output is a task of its own: one that fails keeps no other from its safe state. The first thing that is ever
written to it is its safe state. Outputs stay as they are when the program ends: what must close without it needs a
watchdog or a normally closed valve.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Generic, Protocol, TypeVar

from labrig.errors import InstrumentError, RigError, WatchdogExpired
from labrig_instruments.ni import Daq

Part = TypeVar("Part", bound="Held")


class Held(Protocol):
    """One output of a device, on a task of its own."""

    def reserve(self) -> None:
        """Claim the terminal without touching it."""
        ...

    def begin(self) -> None:
        """Write for the first time, the safe state, and stay ready for more."""
        ...

    def make_safe(self) -> None: ...

    def release(self) -> None:
        """Forget the task, which whoever made it closes."""
        ...


class Outputs(Generic[Part]):
    """The outputs of one device by name: claimed before any is touched, made safe each on its own."""

    def __init__(self, name: str, daq: Daq, parts: Mapping[str, Part]) -> None:
        self._name, self._daq, self._parts = name, daq, parts
        self._claimed: list[str] = []
        self._locked = False
        """Whether a watchdog kept them from being claimed."""

    def open(self) -> str:
        """Connect, check identity, claim every output, and only then bring each to its safe state.

        Outputs that a watchdog has locked are in that state. They are claimed all the same, or where the device does
        not even allow that, by the first `make_safe` after its reset.
        """
        self.close()
        identity = self._daq.open()
        try:
            with suppress(WatchdogExpired):
                self._claim()
        except InstrumentError:
            self.close()
            raise
        return identity

    def close(self) -> None:
        """Let go of the outputs, which stay as they are."""
        for part in self._parts.values():
            part.release()
        self._claimed, self._locked = [], False
        self._daq.close()

    def output(self, name: str) -> Part:
        """The verbs of that output; raises `RigError` where there is none."""
        if name not in self._parts:
            raise RigError(f"{self._name} has no output {name!r}; it has {', '.join(self._parts)}")
        return self._parts[name]

    def make_safe(self) -> None:
        """Bring each output to its safe state; raises the first error after all were tried."""
        if self._locked:
            self._claim()
        else:
            self._each(lambda part: part.make_safe())

    def _claim(self) -> None:
        """Claim what is not claimed yet, then begin with the safe states; raises `WatchdogExpired` while locked."""
        self._locked = True
        for name, part in self._parts.items():
            if name not in self._claimed:
                part.reserve()
                self._claimed.append(name)
        self._locked = False
        self._each(lambda part: part.begin())

    def _each(self, verb: Callable[[Part], None]) -> None:
        errors: list[InstrumentError] = []
        for part in self._parts.values():
            try:
                verb(part)
            except InstrumentError as error:
                errors.append(error)
        if errors:
            raise errors[0]
