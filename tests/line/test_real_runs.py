"""Runs through the real nidaqmx and pyserial against simulated rigs in processes of their own.

What is true is asked of the plant through its control port, which the product never uses.
"""

from __future__ import annotations

import numpy as np
import pytest

from labrig.clock import SECOND
from labrig.model import Faulted, Outcome, Quality
from labrig.recording import RunFile
from labrig.roles import Source
from labrig.shown import analysis_as_json
from tests.line.conftest import CASES
from tests.line.lines import Case, Real

pytestmark = pytest.mark.slow
EACH = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.membrane} on {case.rig}")


@EACH
def test_the_result_lies_within_its_uncertainty_of_the_plants_truth(real_runs: dict[Case, Real], case: Case) -> None:
    real = real_runs[case]

    assert real.filed.outcome is Outcome.COMPLETED, real.filed.reason
    assert real.judged.over_U < 1, real.judged


@EACH
def test_every_sample_is_recorded_from_the_first_to_the_last(real_runs: dict[Case, Real], case: Case) -> None:
    with RunFile(real_runs[case].filed.path) as run:
        assert run.verify().whole
        blocks = list(run.blocks())
        assert {block.source for block in blocks} == {"pressures", "loops", "balance"}
        for source in ("pressures", "loops", "balance"):
            own = [block for block in blocks if block.source == source]
            ends = [block.first + len(block) for block in own]

            assert [block.first for block in own[1:]] == ends[:-1]
            assert run.totals[source].lost == 0
            assert sum(map(len, own)) == run.totals[source].samples
            times = np.concatenate([block.times for block in own])
            assert (np.diff(times) > 0).all()
            flags = np.concatenate([block.quality for block in own])
            assert not (flags & (Quality.AFTER_GAP | Quality.OPEN_LOOP)).any()
            told = [event for event in run.events if isinstance(event, Faulted) and event.source == source]
            missing = np.count_nonzero(flags & Quality.MISSING)
            assert missing == len(told), told
            assert missing <= 0.02 * len(flags)  # a crowded machine may keep the simulated balance from answering


@EACH
def test_there_are_as_many_samples_as_the_run_lasted(real_runs: dict[Case, Real], case: Case) -> None:
    """From its start to its end but for what was still under way. A balance is asked later on a crowded machine."""
    real = real_runs[case]
    rates = {name: device.rate for name, device in real.config.build(lambda: 0).items() if isinstance(device, Source)}
    with RunFile(real.filed.path) as run:
        (began,) = [event.time for event in run.events if event.kind == "run started"]
        (ended,) = [event.time for event in run.events if event.kind == "run finished"]
        for source, rate in rates.items():
            times = np.concatenate([block.times for block in run.blocks() if block.source == source])

            assert abs(times[0] - began) < 0.5 * SECOND
            assert abs(ended - times[-1]) < 0.5 * SECOND
            if source == "balance":
                assert np.median(np.diff(times)) == pytest.approx(SECOND / rate, rel=0.1)
            else:
                assert len(times) - 1 == pytest.approx(rate * (times[-1] - times[0]) / SECOND, abs=3), source


@EACH
def test_the_rig_is_left_safe(real_runs: dict[Case, Real], case: Case) -> None:
    """Coils and volts as the plant has them: without current feed and drain are closed and the vent is open."""
    outputs = real_runs[case].outputs_after

    assert set(outputs.values()) == {0.0}
    assert len(outputs) == 4


@EACH
def test_the_file_says_that_the_rig_was_simulated_and_on_what_it_ran(real_runs: dict[Case, Real], case: Case) -> None:
    real = real_runs[case]
    with RunFile(real.filed.path) as run:
        assert run.header.simulated
        assert run.header.rig_file == real.config.path.read_text(encoding="utf-8")
        assert run.header.truth == {}
        assert run.header.versions.keys() >= {"labrig", "python", "nidaqmx", "pyserial", "numpy"}
        assert real.filed.analysis is not None
        assert [analysis_as_json(filed.analysis) for filed in run.analyses] == [analysis_as_json(real.filed.analysis)]
