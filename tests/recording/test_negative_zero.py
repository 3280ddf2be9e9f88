"""A converter delivers -0.0, SQLite keeps 0 of it: the file must be whole all the same, and the sample itself exact."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from labrig.clock import RealClock
from labrig.model import Block, Outcome, good
from labrig.recording import Recorder, RunFile
from tests.recording.runs import header


def test_a_negative_zero_does_not_damage_a_file(tmp_path: Path) -> None:
    values = np.array([[-0.0, 3.0], [-0.0, -0.0], [-0.0, 0.0]])
    recorder = Recorder(tmp_path / "run.labrig", header(), clock=RealClock())
    recorder(Block("daq", ("feed", "back"), 0, np.arange(3) * 1_000_000, values, good(3, 2)))
    recorder.close(Outcome.COMPLETED)

    with RunFile(recorder.path) as run:
        assert run.verify().whole
        (block,) = run.blocks()

    assert (np.signbit(block.values) == np.signbit(values)).all()
