"""Stop, from each door, while a protocol commands the feed open again and again: the rig is safe and stays so."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from labrig.client import Client, Refused, Watching
from labrig.clock import SECOND, monotonic
from labrig.model import Outcome
from labrig.server.process import WORKERS
from labrig.server.watchers import MOST
from labrig.wire.documents import Control, Ordered
from tests.server import scenarios
from tests.server.harness import Rigged, processes, rigged, state, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
BOUND = 0.2
TIMES = 5


@pytest.mark.fault("SPC-08")
def test_stop_is_not_undone_by_a_protocol_that_ignores_it(up: Rigged, client: Client) -> None:
    figures = [scenarios.stopped(up, client, lambda: client.stop("test", "tester")) for _ in range(TIMES)]

    assert max(figures) < BOUND, figures
    paper = client.status().run
    assert paper is not None
    assert paper.reason == "stopped by tester: test"


def test_two_stops_at_once_are_one_stop(up: Rigged, client: Client) -> None:
    figures = [scenarios.stopped(up, client, scenarios.stop_twice_at_once(client)) for _ in range(TIMES)]

    assert max(figures) < BOUND, figures


def test_the_command_line_stops_a_run(up: Rigged, client: Client) -> None:
    """Its own start takes most of the time; what it prints is how long the server took."""
    for _ in range(TIMES):
        assert scenarios.stopped(up, client, scenarios.stop_by_command_line(up)) < 10.0


@pytest.mark.fault("SPC-07")
def test_a_stop_during_a_start_is_not_forgotten(up: Rigged, client: Client) -> None:
    """The order is being rehearsed when the stop comes: nothing begins behind it."""
    order = up.order(after="0.7 s")  # not rehearsed yet
    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(client.start, order)
        threading.Event().wait(0.3)
        client.stop("wait", "tester")
        with pytest.raises(Refused, match="stopped in the meantime"):
            starting.result()

    assert state(client) == "safe"
    assert up.safe


@pytest.mark.fault("SEC-06")
def test_the_stop_door_answers_while_more_clients_call_than_the_server_has_workers(up: Rigged, client: Client) -> None:
    """Watches, of which the server admits some, and orders to check, of which it rehearses a few."""
    up.start(client, up.order())
    watches = [client.watch(name=str(number)) for number in range(WORKERS + 20)]
    pool = ThreadPoolExecutor(2 * WORKERS + 20)
    try:
        readers = [pool.submit(drained, watch) for watch in watches]
        orders = [pool.submit(checked, client, up.order(after=f"0.{number} s")) for number in range(11, 11 + WORKERS)]
        since = monotonic()
        client.stop("all are busy", "tester")
        answered = (monotonic() - since) / SECOND
        seconds = up.seconds_until_safe(since)
        scenarios.ended(up, client, Outcome.ABORTED)
    finally:
        for watch in watches:
            watch.cancel()
        pool.shutdown()

    assert answered < 1.0
    assert seconds < BOUND
    refused = [reader.result() for reader in readers if reader.result()]
    assert len(refused) == len(watches) - MOST
    assert all("watchers are connected already" in words for words in refused)
    assert any("being checked" in order.result() for order in orders)


def drained(watch: Watching) -> str:
    """Why the watch was refused; nothing where it ended by its cancelling."""
    try:
        for _ in watch:
            pass
    except Refused as refusal:
        return str(refusal)
    return ""


def checked(client: Client, order: Ordered) -> str:
    try:
        client.preflight(order)
    except Refused as refusal:
        return str(refusal)
    return ""


@pytest.mark.fault("SYS-10")
@pytest.mark.parametrize(("whom", "number"), [("server", signal.SIGINT), ("supervisor", signal.SIGTERM)])
def test_told_to_end_everything_ends_with_the_rig_safe_and_the_run_filed(
    tmp_path_factory: pytest.TempPathFactory, whom: str, number: int
) -> None:
    """Ctrl-C at a server, SIGTERM at its supervisor."""
    with rigged(tmp_path_factory.mktemp("told")) as up:
        client = up.client()
        paper = up.start(client, up.order("swallow"))
        since = monotonic()
        os.kill(up.endpoint.pid if whom == "server" else up.supervisor, number)
        seconds = up.seconds_until_safe(since)
        wait_until(lambda: up.endpoint.pid not in processes(up.mark), "the server has ended")
        with up.file(paper) as run:
            outcome, reason = run.outcome, run.reason

    assert seconds < 2.0
    assert outcome is Outcome.ABORTED
    assert reason == "the rig server was ended"


@pytest.mark.fault("SCR-09")
def test_a_held_run_takes_no_command_until_it_is_resumed(up: Rigged, client: Client) -> None:
    up.start(client, up.order("flood"))
    client.control(Control(verb="hold", text="a moment", by="tester"))
    threading.Event().wait(0.1)  # what was under way when the hold came
    since = monotonic()
    threading.Event().wait(0.5)
    meanwhile = up.control.commands(since)
    client.control(Control(verb="resume", by="tester"))
    wait_until(lambda: bool(up.control.commands(since)), "the protocol goes on")
    client.stop("", "tester")
    scenarios.ended(up, client, Outcome.ABORTED)

    assert not meanwhile
