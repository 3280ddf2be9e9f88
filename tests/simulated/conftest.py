"""Simulated rigs in processes of their own, for these tests and for those of the drivers.

Another folder's conftest takes them over by importing them: ``from tests.simulated.conftest import rig_process``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from labrig_instruments.simulated.control import Control

STARTING = 30.0
"""Seconds that a process may take to come up on a busy machine, or to end."""
KNOWN = Path(__file__).with_name("known.py")


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a simulated rig answers."""

    ni: str
    """``host:port`` of the gRPC server."""
    serial: dict[str, str]
    """URL of each serial line by name."""
    control: str
    """``host:port`` of the control port."""
    pid: int
    process: subprocess.Popen[bytes]


@contextmanager
def simulated_rig(command: Sequence[str]) -> Iterator[Endpoints]:
    """A simulated rig that ends with its standard input; it must end by itself, and with code 0."""
    process = subprocess.Popen([sys.executable, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, "the simulated rig ended before it said where it answers"
        yield Endpoints(**json.loads(line), process=process)
        process.stdin.close()
        assert process.wait(STARTING) == 0
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


@pytest.fixture(scope="session")
def rig_process() -> Iterator[Endpoints]:
    """The shipped rig with the plant's own physics; shared, so leave valves and tasks as you found them."""
    with simulated_rig(["-m", "labrig_instruments.simulated", "bench-25", "--seed", "7", "--follow"]) as endpoints:
        yield endpoints


@pytest.fixture(scope="session")
def known_process() -> Iterator[Endpoints]:
    """The stand-in of `tests.simulated.known`, whose every number is known; balance on a pseudo-terminal."""
    with simulated_rig([str(KNOWN), "pty"]) as endpoints:
        yield endpoints


@pytest.fixture
def fresh_process() -> Iterator[Endpoints]:
    """The same for one test alone; balance on a socket."""
    with simulated_rig([str(KNOWN)]) as endpoints:
        yield endpoints


@pytest.fixture(scope="session")
def ailing_rig() -> Iterator[Endpoints]:
    """A shipped rig in which things may go wrong; whoever asks for ``control`` leaves it sound."""
    command = ["-m", "labrig_instruments.simulated", "bench-25", "--seed", "3", "--follow"]
    with simulated_rig(command) as endpoints:
        yield endpoints


@pytest.fixture
def ailing(ailing_rig: Endpoints) -> Iterator[Control]:
    """Its control port; everything is sound again afterwards."""
    with Control(ailing_rig.control) as port:
        yield port
        port.clear_faults()
