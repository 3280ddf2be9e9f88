"""Whatever becomes of a protocol's process, the rig is made safe at once, and the run says why it ended."""

from __future__ import annotations

import signal

import pytest

from labrig.client import Client
from labrig.model import Outcome
from tests.server import scenarios
from tests.server.harness import Rigged
from tests.server.scenarios import SILENCE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
BOUND = 0.2
"""Seconds from the end of a protocol's process to the last safe output."""


@pytest.mark.fault("SYS-05")
def test_a_protocols_process_that_is_killed_leaves_the_rig_safe(up: Rigged, client: Client) -> None:
    figures = [scenarios.runner_killed(up, client, number) for number in (signal.SIGKILL, signal.SIGTERM, *KILLS)]

    assert max(figures) < BOUND, figures


KILLS = (signal.SIGKILL,) * 3


@pytest.mark.parametrize(
    ("deed", "words"),
    [
        pytest.param("raise", "ZeroDivisionError: by a mistake in the script", marks=pytest.mark.fault("SCR-01")),
        pytest.param("exit", "SystemExit: 3", marks=pytest.mark.fault("SYS-05")),
        pytest.param("os-exit", "exit code 4", marks=pytest.mark.fault("SCR-04")),
        pytest.param("abort", "SIGABRT", marks=pytest.mark.fault("SCR-04")),
        pytest.param("refuse", "outside its limits", marks=pytest.mark.fault("SCR-06")),
    ],
)
def test_a_protocol_that_breaks_off_leaves_the_rig_safe(up: Rigged, client: Client, deed: str, words: str) -> None:
    """From the step in which it does so; each deed takes a rehearsal, so each is played once."""
    assert scenarios.deed_done(up, client, deed, words) < BOUND


@pytest.mark.parametrize(
    "deed",
    [
        pytest.param("loop", marks=pytest.mark.fault("SCR-02")),
        pytest.param("sleep", marks=pytest.mark.fault("SCR-03")),
    ],
)
def test_a_protocol_that_falls_silent_is_stopped_when_its_method_says(up: Rigged, client: Client, deed: str) -> None:
    assert scenarios.deed_done(up, client, deed, "no sign of life") < SILENCE + BOUND


@pytest.mark.fault("SCR-05")
def test_a_protocol_that_ends_with_its_outputs_open_leaves_the_rig_safe_and_no_process(
    up: Rigged, client: Client
) -> None:
    """Its process lingers on, too: it is safe when the protocol says that it is over, and free when that is ended."""
    assert scenarios.deed_done(up, client, "linger", "", Outcome.COMPLETED) < BOUND


@pytest.mark.fault("SCR-07")
def test_a_protocol_that_floods_the_server_with_commands_is_stopped_as_any_other(up: Rigged, client: Client) -> None:
    assert scenarios.stopped(up, client, lambda: client.stop("flood", "test"), "flood") < BOUND
