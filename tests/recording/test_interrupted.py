"""Files of runs that were cut off: what can be read of them, and what a recovery does."""

from __future__ import annotations

import shutil
import sqlite3
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from labrig import units
from labrig.clock import VirtualClock
from labrig.errors import RecordingError
from labrig.model import Block, Calibration, Channel, Outcome, good
from labrig.recording import Recorder, RunFile, Totals, add_analysis, recover
from tests.recording.runs import MS, block, header, items
from tests.recording.test_analyses import analysis

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An interrupted file with its log, in a folder of its own."""
    folder = tmp_path / "cut"
    folder.mkdir()
    recorder = Recorder(folder / "run.labrig", header(), clock=VirtualClock(), threaded=False, reserve_bytes=10_000)
    for item in items():
        recorder(item)
    recorder._commit()  # noqa: SLF001
    # What a kill leaves is what a copy finds: nothing of it is in the process.
    shutil.copytree(folder, tmp_path / "copy")
    recorder.close(Outcome.COMPLETED)
    return tmp_path / "copy" / "run.labrig"


def test_everything_that_was_committed_is_read_and_nothing_is_changed(path: Path) -> None:
    log = path.with_name("run.labrig-wal")
    before = path.read_bytes(), log.read_bytes()

    with RunFile(path) as run:
        assert run.outcome is Outcome.INTERRUPTED
        assert run.end is None
        assert len(run.series("feed")) == 55
        assert run.totals == {"daq": Totals(55, 20, 75), "balance": Totals(3, 0, 3)}
        verified = run.verify()

    assert (path.read_bytes(), log.read_bytes()) == before
    assert verified.damaged == ()
    assert verified.hash_fits is None
    assert not verified.whole


def test_a_recovery_gives_the_file_its_end_and_leaves_it_alone_in_its_folder(path: Path) -> None:
    recovered = recover(path, now=NOON)

    assert recovered.changed
    assert recovered.end.outcome is Outcome.INTERRUPTED
    assert recovered.end.reason == "the recording was cut off; recovered on 2026-03-01T12:00:00+00:00"
    assert recovered.end.time == 70 * MS + 9 * 500_001
    assert recovered.end.totals == {"daq": Totals(55, 20, 75), "balance": Totals(3, 0, 3)}
    assert [entry.name for entry in path.parent.iterdir()] == ["run.labrig"]
    with RunFile(path) as run:
        assert run.verify().whole
        assert run.end == recovered.end
        assert len(run.events) == len([item for item in items() if not isinstance(item, Block)])


def test_a_second_recovery_changes_nothing(path: Path) -> None:
    first = recover(path, now=NOON)
    before = path.read_bytes(), path.stat().st_mtime_ns

    second = recover(path)

    assert not second.changed
    assert second.end == first.end
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_a_file_whose_log_was_not_copied_along_still_says_what_it_is(path: Path) -> None:
    path.with_name("run.labrig-wal").unlink()

    with RunFile(path) as run:
        assert run.header == header()
        assert run.outcome is Outcome.INTERRUPTED
        assert len(run.series("feed")) == 0
    assert recover(path).changed
    with RunFile(path) as run:
        assert run.verify().whole


def test_a_damaged_log_gives_what_stands_before_the_damage(path: Path) -> None:
    log = path.with_name("run.labrig-wal")
    content = bytearray(log.read_bytes())
    content[len(content) // 2] ^= 1
    log.write_bytes(content)

    with RunFile(path) as run:
        assert run.verify().damaged == ()
        assert len(run.series("feed")) in {0, 55}


def test_results_whose_filing_was_cut_off_are_taken_back_whole(path: Path, tmp_path: Path) -> None:
    recover(path)
    add_analysis(path, analysis("1"))
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA cache_size = 1")
    database.execute("BEGIN IMMEDIATE")
    database.execute("UPDATE analysis SET json = hex(zeroblob(100000))")
    torn = tmp_path / "torn"
    shutil.copytree(path.parent, torn)
    database.close()
    assert (torn / "run.labrig-journal").exists()

    with pytest.raises(RecordingError, match="results were being added"):
        RunFile(torn / "run.labrig")
    assert not recover(torn / "run.labrig").changed

    with RunFile(torn / "run.labrig") as run:
        assert run.verify().whole
        assert [filed.analysis.version for filed in run.analyses] == ["1"]


def test_one_channel_is_read_without_the_others_in_memory(tmp_path: Path) -> None:
    names = tuple(f"c{number}" for number in range(16))
    channels = tuple(Channel(name, units.unit("V"), "V", 0.0, 1.0, Calibration((0.0, 1.0))) for name in names)
    path = tmp_path / "wide.labrig"
    recorder = Recorder(path, header(channels), clock=VirtualClock(), threaded=False, reserve_bytes=0)
    for first in range(0, 200_000, 5_000):
        values = np.random.default_rng(first).standard_normal((5_000, 16))
        recorder(Block("daq", names, first, first + np.arange(5_000), values, good(5_000, 16)))
    recorder.close(Outcome.COMPLETED)

    with RunFile(path) as run:
        tracemalloc.start()
        series = run.series("c7")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert len(series) == 200_000
    assert peak < 0.5 * path.stat().st_size
    assert path.stat().st_size < 1.1 * 200_000 * 16 * 8


def test_an_interrupted_file_without_rows_is_recovered(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "r.labrig", header(), clock=VirtualClock(), threaded=False, reserve_bytes=0)
    shutil.copytree(tmp_path, tmp_path / "copy")
    recorder.close(Outcome.COMPLETED)

    recovered = recover(tmp_path / "copy" / "r.labrig")

    assert recovered.changed
    assert recovered.end.totals == {}


def test_blocks_after_the_last_commit_are_not_there_and_earlier_ones_are(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "r.labrig", header(), clock=VirtualClock(), threaded=False, reserve_bytes=0)
    recorder(block(0, 10))
    recorder._commit()  # noqa: SLF001
    recorder(block(10, 10))
    shutil.copytree(tmp_path, tmp_path / "copy")
    recorder.close(Outcome.COMPLETED)

    with RunFile(tmp_path / "copy" / "r.labrig") as run:
        assert len(run.series("feed")) == 10
