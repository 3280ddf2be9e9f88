"""What ``labrig run`` says at the end of a run that went wrong: nothing that is not so."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from labrig.cli.running import _exported, _report
from labrig.clock import VirtualClock
from labrig.filing import FiledRun
from labrig.model import Faulted, Outcome
from labrig.recording import Recorder
from tests.recording.runs import header


def said(path: Path, outcome: Outcome) -> str:
    console = Console(file=io.StringIO(), width=200)
    _report(console, FiledRun(path, outcome, "the line is gone", None, "no plateau"), [])
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def recorded(path: Path, *faults: Faulted) -> Path:
    recorder = Recorder(path, header(), clock=VirtualClock(), threaded=False, reserve_bytes=0)
    for fault in faults:
        recorder(fault)
    recorder.close(Outcome.FAILED, "the line is gone")
    return path


def test_a_rig_whose_outputs_were_not_made_safe_is_not_called_safe(tmp_path: Path) -> None:
    fault = Faulted(1, "outputs", "not made safe: valves: no answer. Check it by hand.", "DEV-09")
    words = said(recorded(tmp_path / "a.labrig", fault, fault), Outcome.FAILED)

    assert words.count("CHECK THE RIG BY HAND: not made safe: valves: no answer") == 1


def test_a_rig_that_was_made_safe_raises_no_alarm(tmp_path: Path) -> None:
    words = said(recorded(tmp_path / "a.labrig"), Outcome.FAILED)

    assert "BY HAND" not in words
    assert "the line is gone" in words


def test_an_export_that_fails_is_told_and_takes_nothing_else_with_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = recorded(tmp_path / "a.labrig")
    path.write_bytes(b"no run file any more")
    console = Console(width=200)

    assert _exported(FiledRun(path, Outcome.COMPLETED, "", None), console) is None
    assert "Not exported" in capsys.readouterr().out
