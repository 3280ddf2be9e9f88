"""A reset after the hardware watchdog went off: it holds, or it is refused with the reason."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from labrig.client import Client, Refused
from labrig.wire.documents import Control
from tests.server.harness import Rigged, state, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def reset(client: Client) -> bool:
    """Once; a refusal says why."""
    try:
        return client.control(Control(verb="reset", by="tester")).state == "safe"
    except Refused as refusal:
        if "cannot reset: " not in str(refusal):
            raise
        return False


@pytest.mark.fault("DEV-13")
@pytest.mark.parametrize("strict", [False, True])
def test_the_reset_after_a_killed_server_holds(up: Rigged, client: Client, *, strict: bool) -> None:
    """Also on a chassis that refuses every task until it is reset itself, which takes the guard channels along."""
    if strict:
        up.control.set_fault("strict watchdog", device="cDAQ1")
    try:
        up.start(client, up.order())
        before = up.endpoint
        os.kill(before.pid, signal.SIGKILL)
        up.renewed(before)
        anew = up.client()
        assert state(anew) == "tripped"
        wait_until(lambda: reset(anew), "it is reset")
        states = {state(anew)}
        for _ in range(80):
            threading.Event().wait(0.05)
            states.add(state(anew))

        assert states == {"safe"}
        up.start(anew, up.order())
        anew.stop("enough", "tester")
    finally:
        up.control.clear_faults()
