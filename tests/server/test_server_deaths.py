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

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
TIMES = 5
WATCHDOG = 0.6
"""Seconds: the hardware watchdog's half second and a tenth."""


@pytest.mark.fault("SYS-03")
@pytest.mark.fault("STO-01")
def test_a_server_that_is_killed_leaves_a_safe_plant_and_loses_nothing_acknowledged(up: Rigged) -> None:
    """At moments that differ from run to run of the tests; the proof does it hundreds of times.

    The next one does not go on with the run: it is tripped until a person resets it, and a start is refused in words.
    """
    chance = random.Random()
    for _ in range(TIMES):
        pause = chance.uniform(0.0, 1.0)
        assert scenarios.server_dies(up, signal.SIGKILL, pause) < WATCHDOG, pause
        client = up.client()
        assert client.status().state == "tripped"
        assert "watchdog" in client.status().reason
        with pytest.raises(Refused, match="tripped"):
            client.start(up.order())
        scenarios.reset_holds(up, client, 0.5)


@pytest.mark.fault("DEV-13")
def test_a_chassis_that_refuses_every_task_is_reset_with_its_watchdog(up: Rigged) -> None:
    """Which takes the guard channels along for a moment; the reset holds all the same."""
    up.control.set_fault("strict watchdog", device="cDAQ1")
    try:
        scenarios.server_dies(up, signal.SIGKILL, 0.0)
        client = up.client()
        assert state(client) == "tripped"
        scenarios.reset_holds(up, client, 3.0)
        up.start(client, up.order())
        client.stop("enough", "tester")
        scenarios.ended(up, client, Outcome.ABORTED)
    finally:
        up.control.clear_faults()


@pytest.mark.fault("SYS-04")
@pytest.mark.fault("DEV-13")
@pytest.mark.fault("DEV-16")
def test_a_server_that_hangs_leaves_a_safe_plant_and_is_started_anew(up: Rigged) -> None:
    """By the supervisor, which waits five seconds before it believes it."""
    assert scenarios.server_dies(up, signal.SIGSTOP, 0.3) < WATCHDOG


@pytest.mark.fault("SYS-04")
@pytest.mark.fault("DEV-13")
def test_a_server_that_hung_for_a_moment_finds_the_plant_safe_and_the_rig_tripped(up: Rigged) -> None:
    """It comes back before the supervisor gives it up, and does not go on as if nothing had been."""
    figures = [scenarios.server_thaws(up) for _ in range(TIMES)]

    assert max(figures) < WATCHDOG, figures
    scenarios.reset_holds(up, up.client(), 0.5)


def test_runner_and_clients_of_a_killed_server_know_where_they_stand(up: Rigged) -> None:
    """A runner ends, even one that loops for ever; a client is told, and finds the next server by its endpoint file."""
    client = up.ready(up.client())
    up.start(client, up.order("loop"))
    runner, before = runner_of(up), up.endpoint
    os.kill(before.pid, signal.SIGKILL)
    up.renewed(before)

    wait_until(lambda: runner not in processes(up.mark), "the runner has ended", 10.0)
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


@pytest.mark.fault("SYS-07")
def test_a_stale_lock_and_endpoint_are_no_obstacle_to_one_of_two_starts(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Everything was killed at once, as in a power cut. Of two starts in one moment one is refused."""
    folder = tmp_path_factory.mktemp("stale")
    with rigged(folder) as up:
        client = up.client()
        paper = up.start(client, up.order())
        for pid in processes(up.mark):
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not processes(up.mark), "all are dead")
    with rigged(folder, at_once=2) as up:
        client = up.client()
        filed = client.run(paper.run)
        found = [line for line in processes(up.mark).values() if "labrig.supervisor" in line or " serve " in line]
        (refused,) = up.refused

    assert filed.outcome == "interrupted"
    assert len(found) == 2, "one supervisor and one server"
    assert refused.returncode == 2
    assert "is being started by another labrig up" in refused.stderr or "is already served" in refused.stderr
    assert "use" in refused.stderr


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
