"""Disks that take nothing, or nothing more, under a server that runs."""

from __future__ import annotations

import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from labrig.client import Client, Refused
from labrig.clock import SECOND, monotonic
from labrig.model import Outcome
from labrig.recording import RunFile
from tests.server import scenarios
from tests.server.harness import Rigged, over, state, status_when, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.mark.fault("STO-05")
def test_a_folder_that_takes_no_file_is_refused_before_anything_starts(up: Rigged, client: Client) -> None:
    """A file stands where the runs go; it is in the way of root, too."""
    runs, aside = up.data / "runs", up.data / "runs-aside"
    if runs.exists():
        runs.rename(aside)
    runs.write_text("in the way", encoding="utf-8")
    try:
        checks = client.preflight(up.order())
        with pytest.raises(Refused, match="Nothing was started"):
            client.start(up.order())
    finally:
        runs.unlink()
        if aside.exists():
            aside.rename(runs)

    assert [check.name for check in checks.checks if not check.ok] == ["data folder"]
    assert state(client) == "safe"
    assert up.safe


@pytest.mark.fault("STO-06")
def test_a_disk_that_stalls_for_six_seconds_costs_no_sample(up: Rigged, client: Client) -> None:
    """The run goes on and people are told; when the disk answers again, everything is written in its order."""
    paper = up.start(client, up.order())
    with stalled(up):
        told = status_when(client, lambda status: "disk" in " ".join(status.warnings), "people are told", 5.0)
        threading.Event().wait(6.0 - 1.5)
        stuck = client.status()
    assert "the disk is slow" in " ".join(told.warnings)
    assert stuck.state == "running"
    assert stuck.run is not None
    wait_until(lambda: recorded(client) > stuck.now, "the disk has caught up")
    wait_until(lambda: "disk" not in " ".join(client.status().warnings), "the warning is gone")
    client.stop("", "tester")
    scenarios.ended(up, client, Outcome.ABORTED)

    with up.file(paper) as run:
        assert run.end is not None
        assert not run.end.dropped
        assert all(totals.lost == 0 for totals in run.totals.values())
        times = np.concatenate([block.times for block in run.blocks() if block.source == "pressures"])
    assert stuck.now - stuck.run.recorded_through > 4 * SECOND, "the disk did not stall"
    assert (np.diff(times) < SECOND // 5).all()


@pytest.mark.fault("STO-06")
def test_a_stop_does_not_wait_for_a_disk_that_stalls(up: Rigged, client: Client) -> None:
    paper = up.start(client, up.order())
    with stalled(up):
        since = monotonic()
        client.stop("enough", "tester")
        seconds = up.seconds_until_safe(since)
        threading.Event().wait(0.5)
    scenarios.ended(up, client, Outcome.ABORTED)

    assert seconds < 0.2
    with up.file(paper) as run:
        assert all(totals.lost == 0 for totals in run.totals.values())


@contextmanager
def stalled(up: Rigged) -> Iterator[None]:
    """No write of the server returns."""
    stall = up.data.parent / "stall"
    stall.touch()
    try:
        yield
    finally:
        stall.unlink()


def recorded(client: Client) -> int:
    run = client.status().run
    return run.recorded_through if run is not None else 0


@pytest.mark.fault("STO-03")
def test_a_disk_that_takes_no_more_ends_the_run_with_the_rig_safe(up: Rigged, client: Client) -> None:
    """The server may not write beyond the present length of its files; it lives on, and the next run is well."""
    paper = up.start(client, up.order())
    threading.Event().wait(0.5)
    through = client.status().run.recorded_through  # type: ignore[union-attr]
    before = resource.prlimit(up.endpoint.pid, resource.RLIMIT_FSIZE)
    largest = max(path.stat().st_size for path in Path(paper.file).parent.glob(f"{Path(paper.file).stem}*wal"))
    resource.prlimit(up.endpoint.pid, resource.RLIMIT_FSIZE, (largest, before[1]))
    try:
        wait_until(lambda: over(client), "the run is over")
        wait_until(lambda: up.safe, "the outputs are safe", 1.0)
    finally:
        resource.prlimit(up.endpoint.pid, resource.RLIMIT_FSIZE, before)
    ended = client.status().run

    assert ended is not None
    assert ended.outcome == "failed"
    assert "disk" in ended.reason or "written" in ended.reason
    with RunFile(Path(paper.file)) as run:
        newest = max(int(block.times[-1]) for block in run.blocks())
    assert newest >= through - scenarios.LATEST
    up.start(up.ready(client), up.order())
    client.stop("", "tester")
    wait_until(lambda: over(client), "the run is over")
