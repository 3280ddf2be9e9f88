"""However a run is stopped, the rig is safe and what was measured is in the file. Judged by the plant's own clock."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from labrig.clock import SECOND, monotonic
from labrig.model import Commanded, Outcome, StateChanged
from labrig.recording import RunFile, recover
from labrig.simulator import SimulatedRig
from labrig_instruments.simulated.control import Control
from tests.cli.commands import (
    SHORT,
    Said,
    alive,
    children,
    exit_code,
    rig_text,
    running,
    until,
    wired,
    write,
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="signals and /proc are those of Linux"),
]
PROMPT = 1.0
"""Seconds in which outputs are to be safe after a signal; on an idle machine it takes some hundredths."""
PRESSURES = ("--set", "pressures=20 psi, 30 psi")


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[tuple[str, Control]]:
    """A rig file as for a real bench, and the control port of the simulated one behind it, which outlives the run."""
    path = tmp_path / "shipped.toml"
    path.write_text(rig_text(), encoding="utf-8")
    with SimulatedRig(path, "example-v", 5) as simulated, Control(simulated.control) as control:
        text = wired(rig_text(), simulated.endpoints["ni"], simulated.endpoints["balance"])
        yield str(write(tmp_path, text)), control


def is_safe(control: Control) -> bool:
    """Feed and drain shut, vent open, no set-point: no current and no voltage anywhere."""
    return not any(control.outputs().values())


def the_run(folder: Path) -> Path:
    (path,) = folder.glob("data/runs/*.labrig")
    return path


@pytest.mark.parametrize(
    ("signals", "name"),
    [([signal.SIGINT, signal.SIGINT], "Ctrl-C"), ([signal.SIGTERM], "SIGTERM")],
    ids=["Ctrl-C twice", "SIGTERM"],
)
def test_a_signal_makes_the_rig_safe_and_closes_the_file_as_aborted(
    rig: tuple[str, Control], tmp_path: Path, signals: list[signal.Signals], name: str
) -> None:
    path, control = rig
    arguments = ("run", "--rig", path, "--coupon", "C-1", "--data", str(tmp_path / "data"), "--json", *SHORT)
    with running(*arguments, *PRESSURES) as command:
        command.wait_for("> 20 psi")
        assert not is_safe(control)
        sent, _ = control.time()
        for number in signals:
            command.process.send_signal(number)
        assert until(lambda: is_safe(control))
        safe, _ = control.time()
        said = command.end()

    assert safe - sent < PROMPT
    assert_aborted(said, f"stopped by {name}")
    assert until(lambda: control.truth().values["feed_pressure"] < 3500.0, 20.0)
    assert_all_is_there(the_run(tmp_path), "aborted", through=sent_at(control, sent))


def assert_aborted(said: Said, reason: str) -> None:
    assert said.code == 1, said.err
    assert "Traceback" not in said.err
    document = json.loads(said.out)
    assert (document["outcome"], document["reason"]) == ("aborted", reason)


def sent_at(control: Control, plant: float) -> int:
    """The machine's monotonic clock at a plant time, ns."""
    now, clock = control.time()
    return clock - round((now - plant) * SECOND)


def assert_all_is_there(path: Path, outcome: str, *, through: int) -> None:
    """Whole, ended, without a gap, and with samples of every source up to that time but for a block or two."""
    with RunFile(path) as run:
        assert run.verify().whole
        assert run.outcome == outcome
        for source, total in run.totals.items():
            assert not total.lost, source
        for channel in ("feed_pressure", "permeate_flow", "permeate_mass"):
            assert run.series(channel).times[-1] > through - 0.5 * SECOND, channel


def test_ctrl_c_in_a_terminal_reaches_the_simulated_rig_too_and_the_run_still_ends_in_order(tmp_path: Path) -> None:
    """A terminal sends its signal to every process of its foreground group."""
    arguments = ("run", "--rig", "bench-25", "--coupon", "C-1", "--data", str(tmp_path / "data"), "--json", *SHORT)
    with running(*arguments, *PRESSURES) as command:
        command.wait_for("> 20 psi")
        os.killpg(command.process.pid, signal.SIGINT)
        said = command.end()

    assert_aborted(said, "stopped by Ctrl-C")
    with RunFile(the_run(tmp_path)) as run:
        safe = [event for event in run.events if isinstance(event, Commanded) and event.command == "made safe"]
        assert {event.output for event in safe} == {"feed_valve", "vent_valve", "drain_valve", "pressure_setpoint"}
        assert not [event for event in run.events if event.kind == "faulted"]


def test_a_killed_run_leaves_no_process_and_a_file_that_is_recovered_whole(tmp_path: Path) -> None:
    """Commits are 0.1 s apart: what is older than that, and a bit for a busy machine, was acknowledged."""
    arguments = ("run", "--rig", "bench-25", "--coupon", "C-1", "--data", str(tmp_path / "data"), "--json", *SHORT)
    with running(*arguments, *PRESSURES) as command:
        command.wait_for("> 20 psi")
        left = children(command.process.pid)
        command.process.kill()
        killed = monotonic()
        command.process.wait()

    assert left
    assert until(lambda: not any(map(alive, left)), 10.0)
    path = the_run(tmp_path)
    with RunFile(path) as run:
        assert run.outcome is Outcome.INTERRUPTED
    assert recover(path).changed
    assert not recover(path).changed
    assert_all_is_there(path, "interrupted", through=killed)
    with RunFile(path) as run:
        times = run.series("feed_pressure").times
        assert np.diff(times).max() < 0.05 * SECOND
        assert run.spans("zero")


def test_an_interlock_trips_a_run_with_its_limit_in_the_reason(rig: tuple[str, Control], tmp_path: Path) -> None:
    """The limit lies below the pressure that the method asks for."""
    path, control = rig
    text = Path(path).read_text(encoding="utf-8")
    low = write(tmp_path, text, ('high = "85 psi"', 'high = "15 psi"'))
    arguments = ("run", "--rig", str(low), "--coupon", "C-1", "--data", str(tmp_path / "data"), "--json", *SHORT)
    with running(*arguments, *PRESSURES) as command:
        said = command.end()

    assert said.code == 1, said.err
    document = json.loads(said.out)
    assert document["outcome"] == "tripped"
    assert document["reason"].startswith("over_pressure: feed_pressure 15.")
    assert document["reason"].endswith("above its limit 15.00 psi")
    assert is_safe(control)
    with RunFile(the_run(tmp_path)) as run:
        pressure = run.series("feed_pressure")
        (over,) = [e.time for e in run.events if isinstance(e, StateChanged) and e.after == "tripped"]
        crossed = pressure.times[np.flatnonzero(pressure.values > 15.0 * 6894.757)[1]]
        assert 0 < over - crossed < 0.5 * SECOND
        assert not run.spans("plateau")


def test_a_run_that_can_no_longer_begin_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An interlock that is broken from the beginning: nothing is opened, nothing measured."""
    text = rig_text()
    low = write(tmp_path, text, ('high = "85 psi"', 'high = "-20 psi"'))

    code = exit_code(["run", "--rig", str(low), "--coupon", "C-1", "--data", str(tmp_path / "data"), *SHORT])

    err = capsys.readouterr().err
    assert code == 2
    assert err.startswith("labrig: cannot start: over_pressure")
