"""What a rig's processes load, as they tell themselves, and that none of them is left when the rig is taken down."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from labrig.model import Outcome
from tests.server import scenarios
from tests.server.benches import HERE
from tests.server.harness import labrig, processes, rigged, runner_of, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
NEVER = {
    "supervisor": [
        "numpy",
        "grpc",
        "pydantic",
        "nidaqmx",
        "serial",
        "PySide6",
        "labrig_protocols",
        "labrig_instruments",
    ],
    "server": ["PySide6", "pyqtgraph", "pandas", "h5py", "scipy", "sqlalchemy", "GTC", "labrig_protocols", "labrig_ui"],
    "runner": ["PySide6", "pyqtgraph", "nidaqmx", "serial", "labrig_instruments", "labrig.server", "labrig_ui"],
}


@dataclass(frozen=True)
class Life:
    """Of one rig: a run that is stopped and filed, a client that looks at it, another run, and ``labrig down``."""

    loaded: Mapping[str, list[str]]
    """Modules by process."""
    down: subprocess.CompletedProcess[str]
    left: Mapping[int, str]
    """Processes that were there after it, with their command lines."""
    outcome: Outcome | None
    """Of the run that went on when it was taken down."""
    analyses: int
    """In that run's file."""


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    folder = tmp_path_factory.mktemp("life")
    told, site = folder / "imports", folder / "site"
    for made in (told, site):
        made.mkdir()
    (site / "sitecustomize.py").write_text((HERE / "imports_told.py").read_text(encoding="utf-8"), encoding="utf-8")
    with rigged(folder, environment={"LABRIG_IMPORTS": str(told), "LABRIG_DISTURBED": str(folder)}) as up:
        client = up.client()
        up.start(client, up.order())
        pids = {"supervisor": up.supervisor, "server": up.endpoint.pid, "runner": runner_of(up)}
        assert "labrig.supervisor" in processes(up.mark)[up.supervisor]
        client.stop("enough", "tester")
        paper = scenarios.ended(up, client, Outcome.ABORTED)
        wait_until(lambda: bool((filed := client.status().run) and filed.filed), "it is filed")
        client.run(paper.run)
        last = up.start(client, up.order())
        (folder / "analysis").write_text("slow", encoding="utf-8")
        down = labrig("down", "--data", str(up.data))
        left = processes(up.mark)
        with up.file(last) as run:
            outcome, analyses = run.outcome, len(run.analyses)
    loaded = {name: (told / str(pid)).read_text(encoding="utf-8").split() for name, pid in pids.items()}
    return Life(loaded, down, left, outcome, analyses)


@pytest.mark.parametrize("name", NEVER)
def test_no_process_loads_what_it_must_not(life: Life, name: str) -> None:
    """From its start over a run, its stop and its filing to a client's look at the result."""
    loaded = life.loaded[name]
    unwanted = [
        module for module in loaded for never in NEVER[name] if module == never or module.startswith(f"{never}.")
    ]

    assert len(loaded) > 50
    assert not unwanted, f"the {name} loads {unwanted[:5]}"


def test_labrig_down_ends_a_run_and_its_processes(life: Life) -> None:
    """Its analysis takes longer than a server may be silent, and is waited for all the same."""
    assert life.down.returncode == 0, life.down.stderr
    assert (life.outcome, life.analyses) == (Outcome.ABORTED, 1)
    assert not [line for line in life.left.values() if " serve " in line or "labrig.runner" in line]
