"""A driver on trial: how it is made, and what is said of one that fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from labrig import plugins
from labrig.clock import monotonic
from labrig.quantities import FROM_FILE
from labrig.roles import Device


class NotConforming(AssertionError):
    """A driver does not do what the core relies on."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A driver, and how to make it."""

    driver: Callable[..., Device]
    table: Mapping[str, Any]
    """Its keys as a rig file has them, without ``kind``."""
    connect: Callable[..., Any] | None = None
    """Opens its line; unset, the driver's own way to a device that answers."""
    cut: Callable[[Device], None] | None = None
    """Takes the line away from an open device; unset, the loss of a line is not checked."""
    name: str = "device"
    reads: int = 5
    """Reads that a check makes."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Keys that must be refused; unset, one that no driver knows."""

    def made(self) -> Device:
        """A new device, not opened; raises pydantic's ValidationError where the table does not fit."""
        options = plugins.options_of(self.driver).model_validate(dict(self.table), context=FROM_FILE)
        line = () if self.connect is None else (self.connect,)
        return self.driver(self.name, monotonic, *line, **plugins.keywords(options))

    @contextmanager
    def opened(self) -> Iterator[Device]:
        device = self.made()
        device.open()
        try:
            yield device
        finally:
            device.close()


def owes(kept: bool, what: str) -> None:
    """Raises `NotConforming` where it is not kept."""
    if not kept:
        raise NotConforming(f"expected that {what}")


def refuses(kind: type[Exception], verb: Callable[[], object], what: str) -> None:
    """Raises `NotConforming` where the verb does anything else than raise that error."""
    try:
        verb()
    except kind:
        return
    except Exception as error:
        raise NotConforming(f"expected that {what}; it raised {type(error).__name__}: {error}") from error
    raise NotConforming(f"expected that {what}; it raised nothing")
