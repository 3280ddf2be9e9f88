"""Who gets the processor first."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from labrig.server import priority
from tests.server.harness import Rigged, processes


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


def nice(pid: int) -> int:
    return os.getpriority(os.PRIO_PROCESS, pid)


def test_a_child_that_computes_stands_behind_other_programs(child: subprocess.Popen[bytes]) -> None:
    priority.go_last(child)

    assert nice(child.pid) == min(19, max(0, nice(0)) + priority.LAST)


def test_a_child_that_commands_the_rig_stands_where_other_programs_stand(child: subprocess.Popen[bytes]) -> None:
    priority.go_as_others(child)

    assert nice(child.pid) == max(0, nice(0))


def test_a_child_that_has_ended_is_no_error(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait()

    priority.go_last(child)


@pytest.mark.slow
def test_the_simulated_rig_comes_as_early_as_its_server(up: Rigged) -> None:
    """It stands for hardware: on a crowded machine it must not fall silent before its server does."""
    (simulated,) = [pid for pid, line in processes(up.mark).items() if "labrig.cli sim" in line]

    assert nice(simulated) == nice(up.endpoint.pid)
