"""An analysis that fails takes nothing along: the run is whole, people are told, and it can be analysed again."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from labrig.client import Client
from labrig.model import Outcome
from labrig.wire.documents import RunPaper
from tests.server import scenarios
from tests.server.benches import python_path
from tests.server.harness import Rigged, labrig, state, status_when

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.mark.fault("SCR-10")
def test_an_analysis_that_fails_or_kills_its_process_leaves_the_run_whole(up: Rigged, client: Client) -> None:
    """Then the analysis is mended, and the command line analyses the same file."""
    for mood, words in (
        ("killed", "killed by SIGKILL"),
        ("exits", "exit code 5"),
        ("raises", "ZeroDivisionError in the analysis: by a mistake"),
    ):
        paper = filed(up, client, mood)
        assert words in paper.not_analysed
        assert paper.file in paper.not_analysed
        assert "labrig analyse" in paper.not_analysed
        assert state(client) == "safe"
    done = analysed(up, paper)
    assert done.returncode == 0, done.stderr

    with up.file(paper) as run:
        assert run.verify().whole
        assert run.outcome is Outcome.COMPLETED
        assert [one.analysis.name for one in run.analyses] == ["misbehaving"]
    assert list(json.loads(done.stdout)["analysed"]) == [paper.file]


def filed(up: Rigged, client: Client, mood: str) -> RunPaper:
    """A run that completes, and whose analysis is in that mood."""
    (up.data.parent / "analysis").write_text(mood, "utf-8")
    up.ready(client).start(up.order(lasting="0.1 s"))
    scenarios.ended(up, client, Outcome.COMPLETED)
    status = status_when(client, lambda status: status.run is not None and bool(status.run.not_analysed), "it is told")
    assert status.run is not None
    return status.run


def analysed(up: Rigged, paper: RunPaper) -> subprocess.CompletedProcess[str]:
    """By the command line, when the analysis is well again."""
    folder = up.data.parent
    (folder / "analysis").write_text("well", "utf-8")
    place = {**os.environ, "LABRIG_DISTURBED": str(folder), "PYTHONPATH": python_path(folder)}
    done = labrig("analyse", paper.file, "--json", environment=place)
    (folder / "analysis").unlink()
    return done
