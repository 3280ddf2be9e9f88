"""The hour of day is set under a server that runs: no time of a sample moves, and the run's file says what happened."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest

from labrig.client import Client
from labrig.clock import SECOND
from labrig.model import Outcome
from tests.server import scenarios
from tests.server.harness import Rigged, status_when

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
HOUR = 3600.0


@pytest.mark.fault("SYS-08")
def test_a_clock_that_is_set_moves_no_sample_and_is_told(up: Rigged, client: Client) -> None:
    """An hour forward in mid-run, and back again."""
    paper = up.start(client, up.order())
    ahead = up.data.parent / "clock"
    ahead.write_text(str(HOUR), "utf-8")
    try:
        told = status_when(client, lambda status: "clock went forward" in " ".join(status.warnings), "people are told")
    finally:
        ahead.unlink()
    status_when(client, lambda status: "clock went back" in " ".join(status.warnings), "people are told again")
    client.stop("", "tester")
    scenarios.ended(up, client, Outcome.ABORTED)

    (words,) = [words for words in told.warnings if "clock" in words]
    assert "by 3600 s" in words
    assert "are right" in words
    assert "check this computer's time service" in words
    with up.file(paper) as run:
        pairs = [(time, datetime.fromisoformat(utc).timestamp()) for time, utc in run.clock_pairs]
        paired = [
            (event.time, datetime.fromisoformat(event.utc).timestamp())  # type: ignore[union-attr]
            for event in run.events
            if event.kind == "clock paired"
        ]
        steps = [event.text for event in run.events if event.kind == "faulted" and event.fault == "SYS-08"]  # type: ignore[union-attr]
        times = np.concatenate([block.times for block in run.blocks() if block.source == "pressures"])
        started = run.header.started_ns
    ahead_by = [utc - time / SECOND for time, utc in paired]
    assert len(steps) == 2
    assert max(ahead_by) - min(ahead_by) == pytest.approx(HOUR, abs=1.0)
    assert ahead_by[-1] == pytest.approx(ahead_by[0], abs=1.0)
    assert pairs[0][0] == started
    assert (np.diff(times) > 0).all()
    assert (np.diff(times) < SECOND // 5).all()
