"""What is connected to this computer, as the rooms above know how to find out: by entry points ``labrig.finders``.

A finder looks and asks; it changes nothing in any device, and leaves alone what another program uses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

from labrig import plugins

FINDERS = "labrig.finders"


@dataclass(frozen=True, slots=True)
class Search:
    """Where to look, and what may be done there."""

    taken: Callable[[str], str]
    """Who uses an address, in words; empty where nobody does."""
    server: str | None = None
    """``host:port`` of a gRPC server with NI devices; unset, NI-DAQmx on this computer."""
    ports: tuple[str, ...] = ()
    """Serial ports beside those that the system lists."""
    ask: bool = False
    """Whether unknown serial devices may be asked who they are."""


@dataclass(frozen=True, slots=True)
class Found:
    """One device, or a port where one may be."""

    where: str
    identity: str
    state: Literal["found", "in use", "not asked", "silent", "failed"]
    kind: str = ""
    """The driver that reads it; empty where none is known."""
    table: str = ""
    """What to write into a rig file, as TOML."""


class Finder(Protocol):
    def __call__(self, search: Search) -> Iterable[Found]: ...


def find(search: Search) -> tuple[Found, ...]:
    """Everything that every finder finds."""
    return tuple(found for name in plugins.names(FINDERS) for found in plugins.load(FINDERS, name)(search))


def rig_file(found: Iterable[Found]) -> str:
    """A rig file to start from: what was found, with what a person has to measure and decide marked as such."""
    tables = [each.table for each in found if each.table]
    return "\n".join([_BEGINNING, *tables]).rstrip() + "\n"


_BEGINNING = """\
# Made by labrig devices: what is connected, and nothing of what it means. Give channels names, two points (signal and
# value) and their certificate, outputs a safe state, and the rig its roles and interlocks: docs/rig-file.md.
labrig = 1
name = "new-rig"

[cell]
name = "cell"
exposed_diameter = "25 mm"   # measure it, inside the O-ring
max_pressure = "1 psi"       # of the weakest part; write what is stamped on it

[roles]

[instruments]
"""
