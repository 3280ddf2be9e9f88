"""The simulated rig as a process: how it begins, what it opens and loads, how it ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from labrig_instruments.simulated.__main__ import main
from tests.simulated.conftest import KNOWN, STARTING, Endpoints

HEAVY = {"PySide6", "h5py", "matplotlib", "pandas", "pyqtgraph", "scipy", "sqlalchemy"}
NOT_ITS_OWN = {"labrig.bus", "labrig.history", "labrig.recording", "labrig.rig", "labrig.runner", "labrig.station"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_good_order_when_it_is_told_to(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, str(KNOWN)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        announced = process.stdout.readline()

        process.send_signal(number)
        rest, complaints = process.communicate(timeout=STARTING)

    assert process.returncode == 0
    assert json.loads(announced).keys() == {"ni", "serial", "control", "pid"}
    assert rest == b""
    assert complaints == b""


def test_it_ends_with_whoever_started_it_though_a_client_still_waits() -> None:
    with subprocess.Popen(
        [sys.executable, str(KNOWN)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        address = json.loads(process.stdout.readline())["ni"]
        waiting = [sys.executable, "-c", WAITING_CLIENT, address]
        with subprocess.Popen(
            waiting, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=KNOWN.parents[2]
        ) as waiter:
            assert waiter.stdout is not None
            assert waiter.stdout.readline() == b"waiting\n"

            rest, complaints = process.communicate(timeout=5.0)

    assert process.returncode == 0
    assert (rest, complaints) == (b"", b"")


WAITING_CLIENT = """
import sys
from tests.simulated.clients import client, inputs, read
with client(sys.argv[1]) as options, inputs(options, "cDAQ1Mod5/ai0") as task:
    task.start()
    print("waiting", flush=True)
    read(task, 10**6, 600.0)
"""


def test_it_listens_on_this_machine_only(rig_process: Endpoints) -> None:
    listening = sockets_of(rig_process.pid, state="0A")

    assert len(listening) >= 2
    assert {address.split(":")[0][-16:] for address in listening} <= {"0100007F", "FFFF00000100007F"}


def sockets_of(pid: int, state: str) -> list[str]:
    """Local addresses, as ``/proc`` writes them, of a process's TCP sockets in that state; version 6 ones too."""
    own = {str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()}
    rows = [row.split() for table in ("tcp", "tcp6") for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]]
    return [row[1] for row in rows if row[3] == state and f"socket:[{row[9]}]" in own]


def test_it_loads_nothing_that_it_does_not_need(rig_process: Endpoints) -> None:
    script = (
        "import sys\n"
        "from labrig_instruments.simulated.__main__ import main\n"
        "code = main(['bench-25', '--follow', '--serial', 'socket'])\n"
        "print('\\n'.join(sys.modules))\n"
        "sys.exit(code)\n"
    )

    ended = subprocess.run([sys.executable, "-c", script], input=b"", capture_output=True, timeout=STARTING, check=True)

    modules = set(ended.stdout.decode().split("\n")[1:])
    assert "labrig_instruments.simulated.ni.door" in modules
    assert not {module.partition(".")[0] for module in modules} & HEAVY
    assert not modules & NOT_ITS_OWN


def test_a_rig_file_without_a_simulated_rig_is_refused_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rig = tmp_path / "real.toml"
    rig.write_text(
        'labrig = 1\nname = "real"\n[cell]\nname = "47 mm"\nexposed_diameter = "41 mm"\nmax_pressure = "100 psi"\n'
        "[instruments]\n[roles]\n"
    )

    assert main([str(rig)]) == 2
    assert "simulation: expected a table that describes the simulated rig" in capsys.readouterr().err
