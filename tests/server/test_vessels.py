"""Vessels that will be full or empty: told in time, and stopped before it happens."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from labrig.client import Client
from labrig.model import Outcome
from labrig.units import g, mL
from tests.server import scenarios
from tests.server.benches import bench
from tests.server.harness import Rigged, rigged, status_when

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
CAPACITY = 85 * g
FEED = 35 * mL
SMALL = {
    'capacity = "4900 g"': 'capacity = "85 g"\nfeed = "35 mL"',
    "[simulation.plumbing]": 'vessel = { level = "35 mL" }\n\n[simulation.plumbing]',
    "[simulation.permeate]\n": '[simulation.permeate]\nwater = "60 g"\n',
}
"""A beaker with room for another 25 g, and a feed vessel with 35 mL."""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rigged]:
    folder = tmp_path_factory.mktemp("small")
    with rigged(folder, bench(folder, SMALL)) as rig:
        yield rig


@pytest.mark.fault("SIG-12")
def test_a_run_is_stopped_before_the_permeate_vessel_runs_over(small: Rigged) -> None:
    """Told first, with the time that is left."""
    client = small.ready(small.client())
    until_stopped(small, client, "permeate vessel full")

    in_beaker = small.control.truth().values["beaker_mass"]
    assert 0.5 * CAPACITY < in_beaker < CAPACITY


@pytest.mark.fault("SIG-12")
def test_a_run_is_stopped_before_the_feed_runs_dry(small: Rigged) -> None:
    """The beaker was poured away, so that there is room; what the feed has lost in the run before still counts."""
    client = small.ready(small.client())
    small.control.empty_beaker()
    until_stopped(small, client, "feed empty")

    assert 0 < small.control.truth().values["level"] < 0.5 * FEED


def until_stopped(small: Rigged, client: Client, what: str) -> None:
    small.start(client, small.order(pressure="5 psi"))
    status = status_when(client, lambda status: what in " ".join(status.forecasts), "it is told")
    assert status.state == "running"
    assert "in about" in " ".join(status.forecasts)
    paper = scenarios.ended(small, client, Outcome.FAILED)
    assert what in paper.reason
    assert "stopped before it happens" in paper.reason
    assert small.safe
