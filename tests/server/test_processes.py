"""What each of a rig's processes loads, as told by the processes themselves while they did their work."""

from __future__ import annotations

from pathlib import Path

import pytest

from labrig.model import Outcome
from tests.server import scenarios
from tests.server.benches import HERE
from tests.server.harness import processes, rigged, runner_of, wait_until

pytestmark = pytest.mark.slow
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


def test_no_process_loads_what_it_must_not(tmp_path: Path) -> None:
    """From its start over a run, its stop and its filing to a second client's look at the result."""
    told, site = tmp_path / "imports", tmp_path / "site"
    for folder in (told, site):
        folder.mkdir()
    (site / "sitecustomize.py").write_text((HERE / "imports_told.py").read_text(encoding="utf-8"), encoding="utf-8")
    with rigged(tmp_path, environment={"LABRIG_IMPORTS": str(told)}) as up:
        client = up.client()
        up.start(client, up.order())
        pids = {"supervisor": up.supervisor, "server": up.endpoint.pid, "runner": runner_of(up)}
        lines = processes(up.mark)
        client.stop("enough", "tester")
        paper = scenarios.ended(up, client, Outcome.ABORTED)
        wait_until(lambda: bool((filed := client.status().run) and filed.filed), "it is filed")
        client.run(paper.run)

    assert "labrig.supervisor" in lines[pids["supervisor"]]
    for name, pid in pids.items():
        loaded = (told / str(pid)).read_text(encoding="utf-8").split()
        assert len(loaded) > 50, name
        unwanted = [
            module for module in loaded for never in NEVER[name] if module == never or module.startswith(f"{never}.")
        ]
        assert not unwanted, f"the {name} loads {unwanted[:5]}"
