"""Many clients on one rig: who may what, who is refused and how, and who may leave without harm."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from labrig.client import Client, Refused
from labrig.clock import SECOND, monotonic
from labrig.endpoint import ServerGone
from labrig.model import Outcome
from labrig.wire import rig_pb2
from labrig.wire.documents import Control, Ordered
from tests.server import scenarios
from tests.server.harness import Rigged, over, status_when, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
TIMES = 5
ATTENDING = """
import sys
from pathlib import Path
from labrig.client import Client
from labrig.endpoint import read_endpoint
for _ in Client(read_endpoint(Path(sys.argv[1]), "bench-25")).watch(attending=True, name="desk"):
    print("watching", flush=True)
"""


def attending_process(up: Rigged) -> subprocess.Popen[str]:
    """A client as a process of its own, attending."""
    process = subprocess.Popen([sys.executable, "-c", ATTENDING, str(up.data)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "watching\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


@pytest.mark.fault("SYS-02")
def test_an_unattended_run_goes_on_without_its_client_and_shows_the_next_one_everything(
    up: Rigged, client: Client
) -> None:
    """The killed clients left nothing behind; a new one gets the run's whole past, from its first sample."""
    paper = up.start(client, up.order(attended=False))
    for _ in range(TIMES):
        end(attending_process(up))
        assert client.status().state == "running"
    threading.Event().wait(up.config.file.safety.absence + 1.0)
    with Client(up.endpoint) as newcomer:
        status = newcomer.status()
        assert status.state == "running"
        assert status.run is not None
        assert status.run.run == paper.run
        past = newcomer.past("feed_pressure", paper.started, status.now)
        first = next(iter(newcomer.watch(name="newcomer")))
    client.stop("", "tester")
    scenarios.ended(up, client, Outcome.ABORTED)

    assert past.starts[0] - paper.started < SECOND // 5
    assert status.now - past.ends[-1] < SECOND
    assert int((past.starts[1:] - past.ends[:-1]).max()) < SECOND // 5, "a gap in the history"
    assert first.run is not None  # type: ignore[union-attr]  # the first update is the status


@pytest.mark.fault("SYS-02")
@pytest.mark.parametrize(("number", "times"), [(signal.SIGKILL, TIMES), (signal.SIGSTOP, 1)])
def test_an_attended_run_stops_in_order_when_its_client_is_gone_or_frozen(
    up: Rigged, client: Client, number: int, times: int
) -> None:
    """When it was missed for as long as the rig file says; a frozen one is missed after ten seconds without a pong."""
    for _ in range(times):
        desk = attending_process(up)
        try:
            up.start(client, up.order(attended=True))
            since = monotonic()
            desk.send_signal(number)
            paper = scenarios.ended(up, client, Outcome.ABORTED)
        finally:
            desk.send_signal(signal.SIGCONT)
            end(desk)
        with up.file(paper) as run:
            (ended,) = [event.time for event in run.events if event.kind == "run finished"]

        assert paper.reason == "nobody has attended the run for 1 s; attended methods stop then"
        assert (ended - since) / SECOND > up.config.file.safety.absence
        assert up.safe


@pytest.mark.fault("SPC-07")
def test_of_two_starts_at_once_one_is_refused_in_words(up: Rigged, client: Client) -> None:
    order = up.order(after="0.4 s")

    def start() -> str:
        try:
            client.start(order)
        except Refused as refusal:
            return str(refusal)
        return ""

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(lambda _: start(), range(2)))
    client.stop("", "tester")
    scenarios.ended(up, client, Outcome.ABORTED)

    assert answers == ["", "a run is going on; wait for its end or stop it"]


def test_holds_resumes_and_a_stop_from_many_clients_end_in_a_safe_rig(up: Rigged, client: Client) -> None:
    """Each is either done or refused in words; the stop counts."""
    up.start(client, up.order("swallow"))
    refusals: list[str] = []

    def wish(number: int) -> None:
        try:
            client.control(Control(verb="hold" if number % 2 else "resume", by=str(number)))
        except Refused as refusal:
            refusals.append(str(refusal))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(wish, range(40)))
        client.stop("", "tester")
        list(pool.map(wish, range(40)))
    scenarios.ended(up, client, Outcome.ABORTED)

    assert up.safe
    assert all(refusal.startswith(("cannot hold", "cannot resume")) for refusal in refusals)


@pytest.mark.fault("SEC-05")
def test_a_wrong_token_is_refused_by_every_call_but_stop(up: Rigged, client: Client) -> None:
    """And a call that is refused changes nothing: the run it would have held goes on."""
    up.start(client, up.order())
    with Client(up.endpoint.model_copy(update={"token": "guessed"})) as stranger:
        order = up.order()
        calls: list[Callable[[], object]] = [
            stranger.describe,
            stranger.status,
            lambda: stranger.preflight(up.order()),
            lambda: stranger.start(up.order()),
            lambda: stranger.control(Control(verb="hold")),
            lambda: stranger.control(Control(verb="shutdown")),
            stranger.runs,
            lambda: stranger.past("feed_pressure", 0, 1),
            lambda: list(stranger.watch()),
            *(partial(stranger.ask, name, order, Ordered) for name in RUNNERS_CALLS),
        ]
        for call in calls:
            with pytest.raises(ServerGone):
                call()
        assert client.status().state == "running"
        stranger.stop("whoever can reach it may make the rig safe", "a stranger")
    scenarios.ended(up, client, Outcome.ABORTED)


RUNNERS_CALLS = ("Join", "Command", "Publish", "Ask")


def test_every_call_of_the_wire_is_tried_with_a_wrong_token() -> None:
    calls = {method.name for method in rig_pb2.DESCRIPTOR.services_by_name["Rig"].methods}

    assert calls == {"Describe", "Status", "Preflight", "Start", "Control", "Runs", "Past", "Watch", *RUNNERS_CALLS}


def test_a_question_waits_for_an_answer_from_any_client(up: Rigged, client: Client) -> None:
    """However long it takes; another answer than the choices is refused."""
    order = up.order(ask=True, attended=True)
    watch = client.watch(attending=True)
    try:
        started = client.start(order)
        question = status_when(client, lambda status: status.question is not None, "it asks").question
        assert question is not None
        threading.Event().wait(scenarios.SILENCE + 1.0)
        with pytest.raises(Refused, match="can be answered by yes, no"):
            client.control(Control(verb="answer", question=question.question, text="maybe", by="Ann"))
        client.control(Control(verb="answer", question=question.question, text="no", by="Ann"))
        wait_until(lambda: up.pressurised, "it goes on")
    finally:
        watch.cancel()
    client.stop("", "tester")
    paper = scenarios.ended(up, client, Outcome.ABORTED)

    assert paper.run == started.run
    with up.file(paper) as run:
        said = [(event.answer, event.by) for event in run.events if event.kind == "answered"]  # type: ignore[union-attr]
        notes = [event.text for event in run.events if event.kind == "noted"]  # type: ignore[union-attr]
    assert said == [("no", "Ann")]
    assert notes == ["the answer was no"]


def test_prepared_answers_spare_the_question(up: Rigged, client: Client) -> None:
    order = up.order(ask=True).model_copy(update={"answers": {"Is the beaker": "no"}})
    client.start(order)
    wait_until(lambda: up.pressurised, "it goes on")
    client.stop("", "tester")
    paper = scenarios.ended(up, client, Outcome.ABORTED)

    with up.file(paper) as run:
        assert "the answer was no" in [getattr(event, "text", "") for event in run.events]


def test_an_unattended_run_may_not_ask(up: Rigged, client: Client) -> None:
    client.start(up.order(ask=True, attended=False))
    wait_until(lambda: over(client), "the run is over")
    paper = scenarios.ended(up, client, Outcome.FAILED)

    assert "unattended, but asks" in paper.reason


def test_a_reflex_acts_in_the_server_and_is_told(up: Rigged, client: Client) -> None:
    """The vent opens by itself when half the pressure is reached, and the protocol goes on."""
    up.start(client, up.order("reflex"))
    wait_until(lambda: up.outputs()["cDAQ1Mod3/port0/line1"] == 0.0, "the vent is open")
    assert client.status().state == "running"
    client.stop("", "tester")
    paper = scenarios.ended(up, client, Outcome.ABORTED)

    with up.file(paper) as run:
        (met,) = [event for event in run.events if event.kind == "reflex met"]
        vented = [
            event
            for event in run.events
            if event.kind == "commanded" and (event.output, event.command) == ("vent_valve", "open")  # type: ignore[union-attr]
        ]
    assert met.sample <= met.time  # type: ignore[union-attr]
    assert vented


def test_safe_to_open_is_shown_only_when_the_pressure_is_gone(up: Rigged, client: Client) -> None:
    wait_until(lambda: client.status().safe_to_open, "nothing holds pressure")
    up.start(client, up.order())
    assert not client.status().safe_to_open
    client.stop("", "tester")
    scenarios.ended(up, client, Outcome.ABORTED)
    status = client.status()
    assert not status.safe_to_open, "it has not read low for five seconds yet"
    assert "pressure" in status.not_safe_because.lower()
    wait_until(lambda: client.status().safe_to_open, "nothing holds pressure any more")

    assert max(value for name, value in up.control.truth().values.items() if name.endswith("pressure")) < 2.1e3
