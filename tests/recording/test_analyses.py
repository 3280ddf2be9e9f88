"""Results in the file of the run that they came from."""

from __future__ import annotations

import math
import sqlite3
from pathlib import Path

import pytest

from labrig.clock import VirtualClock
from labrig.errors import RecordingError
from labrig.model import Analysis, Measured, Outcome, Validity
from labrig.recording import Recorder, RunFile, add_analysis, recover
from tests.recording.runs import header, items


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A closed run file."""
    file = tmp_path / "run.labrig"
    recorder = Recorder(file, header(), clock=VirtualClock(), threaded=False, reserve_bytes=0)
    for item in items():
        recorder(item)
    recorder.close(Outcome.COMPLETED)
    return file


def analysis(version: str) -> Analysis:
    result = Measured("water permeability", "Lp", 1e-9, 1e-11, math.inf, 1.96, "cm/min/psi", {"T": "25 \u00b0C"})
    table = {"plateaus": ({"target": 68_947.57, "mean": math.nan},)}
    return Analysis("water", version, (result,), Validity.INDICATIVE, ("two plateaus",), {"slope": 1.0}, table)


def test_several_versions_of_an_analysis_are_kept_beside_the_data(path: Path) -> None:
    assert [add_analysis(path, analysis(version)) for version in ("1", "2", "2")] == [1, 2, 3]

    with RunFile(path) as run:
        assert [filed.analysis.version for filed in run.analyses] == ["1", "2", "2"]
        assert repr(run.analyses[1].analysis.results) == repr(analysis("2").results)
        assert math.isnan(float(run.analyses[0].analysis.tables["plateaus"][0]["mean"]))
        assert run.verify().whole
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.fault("STO-10")
def test_an_analysis_says_so_when_another_program_holds_the_file(path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(RecordingError, match="in use"):
        add_analysis(path, analysis("1"), wait=0.1)
    other.close()

    assert add_analysis(path, analysis("1")) == 1


def test_an_interrupted_file_takes_no_results_before_it_is_recovered(tmp_path: Path) -> None:
    path = tmp_path / "cut.labrig"
    recorder = Recorder(path, header(), clock=VirtualClock(), threaded=False, reserve_bytes=0)
    recorder._writer.abandon()  # noqa: SLF001 - as a kill leaves it

    with pytest.raises(RecordingError, match="recover the file first"):
        add_analysis(path, analysis("1"))
    recover(path)

    assert add_analysis(path, analysis("1")) == 1
