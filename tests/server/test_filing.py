"""Whether a finished run was filed, what its analysis is, and why there is none."""

from __future__ import annotations

import pytest

from labrig.client import Client
from labrig.model import Outcome
from labrig.wire.documents import Ordered, RunPaper
from tests.server import scenarios
from tests.server.harness import Rigged, in_step, status_when

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def filed(client: Client) -> RunPaper:
    status = status_when(client, lambda now: now.run is not None and now.run.filed, "it is filed")
    assert status.run is not None
    return status.run


def test_an_analysed_run_says_its_result_in_the_status_and_in_the_list(client: Client) -> None:
    changes = {"pressures": ["10 psi", "20 psi"], "zero": "1 s", "settle": "1 s", "window": "2 s"}
    started = client.start(Ordered(method="quick-permeability", changes=changes, coupon="T-9", attended=False))
    status_when(client, lambda now: now.run is not None and bool(now.run.outcome), "it is over", 120.0)
    told = filed(client)
    listed = client.run(started.run)

    assert told.run == started.run
    assert told.analysis is not None
    assert told.analysis["results"][0]["name"] == "water permeability"
    assert not told.not_analysed
    assert (listed.filed, listed.analysis, listed.not_analysed) == (True, told.analysis, "")


def test_a_run_that_cannot_be_analysed_is_filed_and_says_why(up: Rigged, client: Client) -> None:
    up.start(client, up.order())
    assert in_step(client, "Deed")
    client.stop("enough", "tester")
    paper = scenarios.ended(up, client, Outcome.ABORTED)
    told = filed(client)
    listed = client.run(paper.run)

    for each in (told, listed, next(run for run in client.runs() if run.run == paper.run)):
        assert each.filed
        assert each.analysis is None
        assert each.not_analysed == "there is nothing to analyse"
