"""What may become of a run, each as a function that plays it once on a rig that is up and returns a figure.

The tests play each a few times, the proofs many times. A figure is seconds by the plant's clock, from what went wrong
to the last output in its safe state.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from labrig.client import Client, Refused
from labrig.clock import SECOND, monotonic
from labrig.model import Noted, Outcome
from labrig.wire.documents import Control, RunPaper
from tests.server.harness import Rigged, labrig, over, runner_of, wait_until

SILENCE: Final = 2.0
"""Seconds without a verb that the misbehaving method allows."""


def runner_killed(up: Rigged, client: Client, number: int = signal.SIGKILL) -> float:
    """The protocol's process is killed."""
    up.start(up.ready(client), up.order())
    assert up.pressurised
    since = monotonic()
    os.kill(runner_of(up), number)
    seconds = up.seconds_until_safe(since)
    paper = ended(up, client, Outcome.FAILED)
    assert signal.Signals(number).name in paper.reason
    return seconds


def deed_done(up: Rigged, client: Client, deed: str, words: str, outcome: Outcome = Outcome.FAILED) -> float:
    """A protocol does what no protocol should; from the beginning of the deed."""
    paper = up.start(up.ready(client), up.order(deed))
    began = paper.step_entered or entered(up, paper)
    seconds = up.seconds_until_safe(began)
    paper = ended(up, client, outcome)
    assert words in paper.reason, paper.reason
    up.stays_safe(0.2, began + round((seconds + 0.001) * SECOND))
    return seconds


def entered(up: Rigged, paper: RunPaper) -> int:
    """When the deed began, by the run's file."""
    with up.file(paper) as run:
        return [event.time for event in run.events if event.kind == "step entered"][-1]


def stopped(up: Rigged, client: Client, stop: Callable[[], object], deed: str = "swallow") -> float:
    """A run is stopped while its protocol commands the feed open again and again, whatever it is told."""
    up.start(up.ready(client), up.order(deed))
    assert up.pressurised
    since = monotonic()
    stop()
    seconds = up.seconds_until_safe(since)
    paper = ended(up, client, Outcome.ABORTED)
    assert paper.reason
    up.stays_safe(0.0, since + round((seconds + 0.001) * SECOND))
    return seconds


def stop_twice_at_once(client: Client) -> Callable[[], object]:
    """Two clients' buttons in the same moment."""

    def both() -> None:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda name: client.stop("both", name), "ab"))

    return both


def stop_by_command_line(up: Rigged) -> Callable[[], object]:
    def stop() -> None:
        done = labrig("stop", "--data", str(up.data), "--reason", "enough")
        assert done.returncode == 0, done.stderr

    return stop


def ended(up: Rigged, client: Client, outcome: Outcome) -> RunPaper:
    """The run that just ended: its status, its file, the rig free again."""
    wait_until(lambda: over(client), "the run is over")
    paper = client.status().run
    assert paper is not None
    assert paper.outcome == outcome.value, paper.reason
    with up.file(paper) as run:
        assert run.outcome is outcome
        assert run.reason in paper.reason
        assert run.verify().whole, run.verify()
    return paper


def server_dies(up: Rigged, number: int, pause: float) -> float:
    """The server is killed or frozen ``pause`` seconds into a run; the watchdog and the supervisor do the rest."""
    client = up.ready(up.client())
    paper = up.start(client, up.order())
    assert up.pressurised
    noted, through = notes_until(client, pause)
    before = up.endpoint
    since = monotonic()
    os.kill(before.pid, number)
    seconds = up.seconds_until_safe(since)
    up.renewed(before)
    again = up.client()
    status = again.status()
    assert status.state in {"safe", "tripped"}
    assert any("cut off" in words for words in status.warnings), status.warnings
    filed = again.run(paper.run)
    assert filed.outcome == Outcome.INTERRUPTED.value
    with up.file(filed) as run:
        assert run.verify().whole
        kept = {event.text for event in run.events if isinstance(event, Noted)}
        lost = [text for text, returned in noted if returned <= through and text not in kept]
        assert not lost, f"acknowledged notes are not in the file: {lost}"
        newest = max(int(block.times[-1]) for block in run.blocks())
        assert newest >= through - LATEST, f"samples end {(through - newest) / SECOND:.3f} s too early"
    up.stays_safe(0.2, since + round((seconds + 0.001) * SECOND))
    return seconds


def server_thaws(up: Rigged) -> float:
    """The server stands still until its watchdog has made the plant safe, and then goes on: it is not believed."""
    client = up.ready(up.client())
    up.start(client, up.order())
    assert up.pressurised
    since = monotonic()
    os.kill(up.endpoint.pid, signal.SIGSTOP)
    try:
        seconds = up.seconds_until_safe(since)
    finally:
        os.kill(up.endpoint.pid, signal.SIGCONT)
    paper = ended(up, client, Outcome.TRIPPED)
    assert "watchdog" in paper.reason or "silent" in paper.reason, paper.reason
    up.stays_safe(0.2, since + round((seconds + 0.001) * SECOND))
    return seconds


def reset_holds(up: Rigged, client: Client, seconds: float) -> None:
    """A reset is taken, or refused with the reason; the one that is taken lasts."""

    def taken() -> bool:
        try:
            return client.control(Control(verb="reset", by="tester")).state == "safe"
        except Refused as refusal:
            if not str(refusal).startswith("cannot reset: "):
                raise
            return False

    wait_until(taken, "it is reset")
    end = monotonic() + round(seconds * SECOND)
    while monotonic() < end:
        assert client.status().state == "safe"
        threading.Event().wait(0.05)
    assert up.safe


LATEST: Final = SECOND // 5
"""The newest sample that the server had been handed may be so old: a poll and a call."""


def notes_until(client: Client, seconds: float) -> tuple[list[tuple[str, int]], int]:
    """Notes with the times at which they had been taken, and how far the run was then acknowledged as recorded."""
    noted: list[tuple[str, int]] = []
    through, end = 0, monotonic() + round(seconds * SECOND)
    while not through or monotonic() < end:
        text = f"note {len(noted)}"
        status = client.control(Control(verb="note", text=text, by="test"))
        noted.append((text, monotonic()))
        assert status.run is not None
        through = status.run.recorded_through
    return noted, through
