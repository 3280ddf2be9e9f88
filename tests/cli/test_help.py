"""``--help`` answers at once: it loads nothing that takes time or touches a device."""

from __future__ import annotations

import subprocess
import sys

import pytest

from labrig.cli.app import app

HEAVY = {
    *("numpy", "scipy", "GTC", "h5py", "pandas", "sqlite3", "sqlalchemy", "asyncio"),
    *("grpc", "nidaqmx", "serial", "PySide6", "pyqtgraph"),
    *("labrig.config", "labrig.station", "labrig.plant", "labrig_instruments", "labrig_protocols", "labrig_ui"),
}
"""Pydantic is not among them: typer loads it itself for the options of a command."""
COMMANDS = [command.name or command.callback.__name__ for command in app.registered_commands if command.callback]
GROUPS = [str(group.name or group.typer_instance.info.name) for group in app.registered_groups if group.typer_instance]
PROBE = """
import sys
from labrig.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print(*sys.modules, file=sys.stderr)
"""


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], *([name, "--help"] for name in [*COMMANDS, *GROUPS])])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    done = subprocess.run([sys.executable, "-c", PROBE, *arguments], capture_output=True, text=True, check=True)

    assert done.stdout.strip()
    loaded = HEAVY & set(done.stderr.split())
    assert not loaded


def test_the_help_of_the_whole_names_each_command() -> None:
    done = subprocess.run([sys.executable, "-m", "labrig.cli", "--help"], capture_output=True, text=True, check=True)

    assert {"run", "rehearse", "check", "sim", "export"} <= set(COMMANDS)
    assert {*COMMANDS, *GROUPS} <= set(done.stdout.split())
