"""The server dies or hangs in mid-run: the hardware keeps the plant safe, nothing that was acknowledged is lost."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
from pathlib import Path

import pytest

from labrig.client import Client, Refused
from labrig.endpoint import ServerGone, read_endpoint
from labrig.model import Outcome
from labrig.wire.documents import Control
from tests.server import scenarios
from tests.server.harness import Rigged, labrig, over, processes, rigged, runner_of, state, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]  # a server's start takes a busy machine half a minute
WATCHDOG = 0.6
"""Seconds: the hardware watchdog's half second and a tenth."""


@pytest.mark.fault("SYS-03")
@pytest.mark.fault("STO-01")
def test_a_server_that_is_killed_leaves_a_safe_plant_and_loses_nothing_acknowledged(up: Rigged) -> None:
    """At moments that differ from run to run of the tests; the proof does it hundreds of times."""
    chance = random.Random()
    for _ in range(5):
        pause = chance.uniform(0.0, 1.5)
        assert scenarios.server_dies(up, signal.SIGKILL, pause) < WATCHDOG, pause


@pytest.mark.fault("SYS-04")
@pytest.mark.fault("DEV-13")
@pytest.mark.fault("DEV-16")
def test_a_server_that_hangs_leaves_a_safe_plant_and_is_started_anew(up: Rigged) -> None:
    """Twice: the supervisor waits five seconds before it believes it."""
    for _ in range(2):
        assert scenarios.server_dies(up, signal.SIGSTOP, 0.3) < WATCHDOG


def test_a_restarted_server_is_tripped_until_a_person_has_looked(up: Rigged) -> None:
    """The run is not gone on with, a start is refused in words, a reset lets the next one begin."""
    scenarios.server_dies(up, signal.SIGKILL, 0.1)
    client = up.client()

    assert client.status().state == "tripped"
    assert "watchdog" in client.status().reason
    with pytest.raises(Refused, match="tripped"):
        client.start(up.order())
    up.ready(client)
    assert up.safe


def test_a_runner_does_not_outlive_its_server(up: Rigged) -> None:
    """Not even one that loops for ever and never calls it."""
    client = up.ready(up.client())
    up.start(client, up.order("loop"))
    runner, before = runner_of(up), up.endpoint
    os.kill(before.pid, signal.SIGKILL)
    up.renewed(before)

    wait_until(lambda: runner not in processes(up.mark), "the runner has ended", 10.0)


def test_clients_find_the_restarted_server_by_its_endpoint_file(up: Rigged) -> None:
    client, before = up.ready(up.client()), up.endpoint
    os.kill(before.pid, signal.SIGKILL)
    up.renewed(before)

    with pytest.raises(ServerGone):
        client.status()
    assert up.client().status().state in {"safe", "tripped"}
    assert read_endpoint(up.data, "bench-25").token != before.token


@pytest.mark.fault("SYS-06")
def test_a_server_outlives_its_supervisor(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The run goes on, people are told, and stop and down work as ever."""
    with rigged(tmp_path_factory.mktemp("orphan")) as up:
        client = up.client()
        up.start(client, up.order())
        os.kill(up.supervisor, signal.SIGKILL)
        wait_until(lambda: any("supervisor" in words for words in client.status().warnings), "people are told")
        assert state(client) == "running"
        assert up.pressurised
        client.stop("enough", "tester")
        scenarios.ended(up, client, Outcome.ABORTED)
        done = labrig("down", "--data", str(up.data))

    assert done.returncode == 0, done.stderr


@pytest.mark.fault("SYS-07")
def test_a_second_server_is_refused_and_touches_no_device(up: Rigged, client: Client, tmp_path: Path) -> None:
    """It is given addresses at which nothing answers: had it tried one, it would say so instead."""
    began = spent()

    ni = json.dumps({"ni": "127.0.0.1:1", "balance": "/nowhere"})
    second = labrig("serve", "bench-25", "--data", str(up.data), "--endpoints", ni)
    took = spent() - began

    assert second.returncode == 3
    assert f"already served by process {up.endpoint.pid}" in second.stderr
    assert took < 2.0, "seconds of processor time: what it takes on a machine with nothing else to do"
    assert client.status().state == "safe"
    assert labrig("up", "bench-25", "--data", str(up.data)).returncode == 2


def spent() -> float:
    """Processor time of the child processes that have ended, s."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_a_stale_lock_and_endpoint_are_no_obstacle(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Everything was killed at once, as in a power cut; the next start is as the first."""
    folder = tmp_path_factory.mktemp("stale")
    with rigged(folder) as up:
        client = up.client()
        paper = up.start(client, up.order())
        for pid in processes(up.mark):
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not processes(up.mark), "all are dead")
    with rigged(folder) as up:
        client = up.client()
        filed = client.run(paper.run)

    assert filed.outcome == "interrupted"


@pytest.mark.fault("SYS-10")
def test_the_command_line_says_that_a_server_is_gone(tmp_path: Path) -> None:
    done = labrig("stop", "bench-25", "--data", str(tmp_path))

    assert done.returncode == 2
    assert "no server runs" in done.stderr
    assert "labrig up" in done.stderr


def test_notes_and_runs_survive_in_the_archive(up: Rigged, client: Client) -> None:
    paper = up.start(client, up.order())
    client.control(Control(verb="note", text="a bubble left", by="Ann"))
    client.stop("", "tester")
    wait_until(lambda: over(client), "the run is over")

    with up.file(paper) as run:
        (note,) = [event for event in run.events if event.kind == "noted"]
    assert (note.text, note.author) == ("a bubble left", "Ann")  # type: ignore[union-attr]
    assert client.run(paper.run).outcome == "aborted"
    assert paper.run in [other.run for other in client.runs()]
