"""Disks that take nothing, or nothing more, under a server that runs."""

from __future__ import annotations

import resource
import threading
from pathlib import Path

import pytest

from labrig.client import Client, Refused
from labrig.recording import RunFile
from tests.server import scenarios
from tests.server.harness import Rigged, over, state, wait_until

pytestmark = pytest.mark.slow


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
