"""What a run file gives back, and what it refuses."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
import zlib
from pathlib import Path

import numpy as np
import pytest

from labrig.clock import VirtualClock
from labrig.errors import RecordingError
from labrig.model import Block, Event, Marked, Outcome, Quality, Series, Span, good
from labrig.recording import MemoryRun, Recorder, RunFile, Totals, recover
from tests.recording.runs import CHANNELS, MS, block, header, items, weighing


def record(path: Path, given: list[Block | Event], *, close: bool = True) -> Recorder:
    recorder = Recorder(path, header(), clock=VirtualClock(), threaded=False, reserve_bytes=0)
    for item in given:
        recorder(item)
    if close:
        recorder.close(Outcome.COMPLETED, "all steps done")
    return recorder


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.labrig"


def same(one: Series, other: Series) -> bool:
    return all(
        np.array_equal(a, b, equal_nan=a.dtype == np.float64)
        for a, b in ((one.times, other.times), (one.values, other.values), (one.quality, other.quality))
    )


def same_events(some: tuple[Event, ...], others: tuple[Event, ...]) -> bool:
    """NaN equals nothing, so events are compared by what they show."""
    return [repr(event) for event in some] == [repr(event) for event in others]


def test_a_run_file_and_a_run_in_memory_give_the_same(path: Path) -> None:
    memory = MemoryRun(header())
    for item in items():
        memory(item)
    memory.close(Outcome.COMPLETED, "all steps done")
    record(path, items())

    with RunFile(path) as run:
        assert run.header == memory.header
        assert same_events(run.events, memory.events)
        assert (run.outcome, run.reason) == (memory.outcome, memory.reason)
        assert run.spans("ramp") == memory.spans("ramp")
        assert [span.start for span in run.spans("plateau")] == [10 * MS, 20 * MS]
        for channel in ("feed", "back", "mass"):
            assert same(run.series(channel), memory.series(channel))
            for span in (*run.spans("plateau"), Span("x", 55 * MS, 71 * MS), Span("x", 10**12, 10**13)):
                assert same(run.series(channel, span), memory.series(channel, span))
        assert not run.damage


def test_values_come_back_in_si_with_nan_where_there_is_no_usable_one(path: Path) -> None:
    record(path, items())

    with RunFile(path) as run:
        feed, back = run.series("feed"), run.series("back")

    index = np.concatenate((np.arange(30), np.arange(50, 75)))
    expected = 100.0 + 68_947.0 * (index * 0.5 + 0.25)
    assert np.flatnonzero(np.isnan(feed.values)).tolist() == [51]
    assert feed.values[~np.isnan(feed.values)] == pytest.approx(np.delete(expected, 51), rel=1e-15)
    assert np.flatnonzero(np.isnan(back.values)).tolist() == [52, 53]
    assert feed.times[:30].tolist() == [number * MS for number in range(30)]
    assert feed.times[-1] == 70 * MS + 9 * 500_001


def test_the_first_sample_behind_a_gap_says_so(path: Path) -> None:
    record(path, items())

    with RunFile(path) as run:
        quality = run.series("feed").quality
        assert run.totals == {"daq": Totals(55, 20, 75), "balance": Totals(3, 0, 3)}

    assert np.flatnonzero(quality & Quality.AFTER_GAP).tolist() == [30]


def test_both_ends_of_a_span_belong_to_it(path: Path) -> None:
    record(path, [block(0, 100)])

    with RunFile(path) as run:
        assert run.series("feed", Span("x", 10 * MS, 20 * MS)).times.tolist() == [n * MS for n in range(10, 21)]


def test_small_blocks_share_a_row_and_a_gap_begins_another(path: Path) -> None:
    record(path, items())

    with RunFile(path) as run:
        spans = [(part.source, part.first, len(part)) for part in run.blocks()]

    assert spans == [("daq", 0, 30), ("daq", 50, 25), ("balance", 0, 3)]


def test_a_source_may_come_with_other_channels_later(path: Path) -> None:
    both = block(0, 4)
    one = Block("daq", ("back",), 4, 4 * MS + np.arange(2) * MS, np.array([[7.0], [8.0]]), good(2, 1))
    record(path, [both, one])

    with RunFile(path) as run:
        assert len(run.series("feed")) == 4
        assert len(run.series("back")) == 6
        assert [part.channels for part in run.blocks()] == [("feed", "back"), ("back",)]


def test_a_channel_that_the_header_does_not_have_is_kept_but_has_no_series(path: Path) -> None:
    odd = Block("odd", ("stray",), 0, np.array([5]), np.array([[1.5]]), good(1, 1))
    record(path, [odd])

    with RunFile(path) as run:
        assert next(run.blocks()).values.tolist() == [[1.5]]
        with pytest.raises(RecordingError, match="no channel 'stray'; it has feed, back, mass"):
            run.series("stray")


def test_an_empty_block_leaves_no_row(path: Path) -> None:
    record(path, [Block("daq", ("feed",), 0, np.empty(0, np.int64), np.empty((0, 1)), good(0, 1))])

    with RunFile(path) as run:
        assert list(run.blocks()) == []
        assert len(run.series("feed")) == 0
        assert run.verify().whole


def test_infinite_and_missing_numbers_survive(path: Path) -> None:
    values = np.array([[np.inf], [-np.inf], [np.nan], [-0.0], [5e-324]])
    record(path, [Block("b", ("mass",), 0, np.arange(5) * MS, values, good(5, 1))])

    with RunFile(path) as run:
        assert next(run.blocks()).values.tobytes() == values.tobytes()
        assert run.verify().whole


def test_a_closed_file_is_alone_in_its_folder_and_whole_as_a_copy(path: Path, tmp_path: Path) -> None:
    record(path, items())
    (tmp_path / "elsewhere").mkdir()
    copy = Path(shutil.copy(path, tmp_path / "elsewhere"))

    assert [entry.name for entry in sorted(tmp_path.iterdir())] == ["elsewhere", "run.labrig"]
    with RunFile(copy) as run:
        assert run.verify().whole
        assert len(run.series("feed")) == 55


@pytest.mark.fault("STO-14")
def test_a_file_of_a_later_version_is_refused(path: Path) -> None:
    record(path, [])
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 2")
    database.close()

    with pytest.raises(RecordingError, match="version 2; this labrig reads version 1"):
        RunFile(path)
    with pytest.raises(RecordingError, match="version 2"):
        recover(path)


@pytest.mark.parametrize("content", [b"", b"time,feed\n0,1\n" * 100, bytes(5000)])
def test_what_is_no_run_file_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    with pytest.raises(RecordingError, match="no run file"):
        RunFile(path)
    with pytest.raises(RecordingError, match="no run file"):
        recover(path)
    assert path.read_bytes() == content


def test_a_file_that_is_not_there_is_refused(path: Path) -> None:
    with pytest.raises(RecordingError, match="there is no such run file"):
        RunFile(path)
    assert not path.exists()


def test_reading_changes_nothing(path: Path) -> None:
    record(path, items())
    before = path.read_bytes(), path.stat().st_mtime_ns

    with RunFile(path) as run:
        run.verify()
        run.series("feed")

    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert list(path.parent.iterdir()) == [path]


def test_the_file_explains_itself_to_any_sqlite_tool(path: Path) -> None:
    record(path, items())
    database = sqlite3.connect(path)

    about = dict(database.execute("SELECT key, value FROM about"))
    overview = database.execute("SELECT * FROM overview WHERE channel = 'feed'").fetchall()
    unit, coefficients = database.execute("SELECT unit, coefficients FROM channel WHERE name = 'back'").fetchone()
    database.close()

    assert about["coupon"] == "C-17"
    assert "nanoseconds" in about["how to read"]
    assert overview[0] == ("daq", "feed", "V", 0, 30, 0.0, 0.029, 0.25, 14.75)
    assert (unit, coefficients) == ("kPa", "[-250000.0,62500000.0,3.0]")


def test_samples_can_be_read_without_labrig(path: Path) -> None:
    """The recipe of docs/run-file.md, with nothing but SQLite, zlib and the bytes of IEEE floats."""
    record(path, items())
    database = sqlite3.connect(path)

    row = database.execute(
        "SELECT samples.raw, block.n FROM samples JOIN block ON block.id = samples.block "
        "JOIN channel ON channel.id = samples.channel WHERE channel.name = 'feed' ORDER BY block.id"
    ).fetchone()
    kind, text, crc = database.execute("SELECT kind, json, crc FROM event WHERE id = 1").fetchone()
    database.close()

    assert np.frombuffer(row[0], "<f8").tolist() == [number * 0.5 + 0.25 for number in range(row[1])]
    words = [kind.encode(), text.encode()]
    covered = b"i" + (1).to_bytes(8, "little") + b"i" + (0).to_bytes(8, "little")
    covered += b"".join(b"t" + len(word).to_bytes(8, "little") + word for word in words)
    assert zlib.crc32(covered) == crc


def test_a_long_row_of_calls_needs_no_time_index_to_be_right(path: Path) -> None:
    """An interrupted file has no index by time, and gives the same."""
    recorder = record(path, [block(first, 10) for first in range(0, 1000, 10)], close=False)
    recorder._commit()  # noqa: SLF001 - a crash after a commit
    recorder._writer.abandon()  # noqa: SLF001
    span = Span("x", 313 * MS, 555 * MS)

    with RunFile(path) as run:
        before = run.series("feed", span)
    recover(path)
    with RunFile(path) as run:
        assert same(run.series("feed", span), before)
        assert len(before) == 243


def test_marks_come_in_order_of_time(path: Path) -> None:
    marks: list[Block | Event] = [Marked(9, Span("p", start, start + 1)) for start in (7, 3, 5)]
    record(path, marks)

    with RunFile(path) as run:
        assert [span.start for span in run.spans("p")] == [3, 5, 7]
        assert run.spans("other") == ()


def test_clock_pairs_are_kept_at_steps_and_each_minute(path: Path) -> None:
    clock = VirtualClock()
    recorder = Recorder(path, header(), clock=clock, threaded=False, reserve_bytes=0)
    for number in range(5):
        recorder(weighing(number, clock.now(), 1.0))
        clock.wait(30, threading.Event())
    recorder.close(Outcome.COMPLETED)

    with RunFile(path) as run:
        assert [time // 10**9 for time, _ in run.clock_pairs] == [0, 60, 120]
        assert run.clock_pairs[0][1] == header().started_utc
        assert run.clock_pairs[2][1] == "2000-01-01T00:02:00+00:00"


def test_a_file_in_a_folder_that_cannot_be_written_is_read(path: Path) -> None:
    record(path, items())
    path.chmod(0o444)
    path.parent.chmod(0o555)
    try:
        with RunFile(path) as run:
            assert run.verify().whole
        assert not recover(path).changed
    finally:
        path.parent.chmod(0o755)
    assert os.listdir(path.parent) == ["run.labrig"]  # noqa: PTH208


def test_every_channel_is_in_the_file_as_it_was_configured(path: Path) -> None:
    record(path, [])

    with RunFile(path) as run:
        assert run.header.channels == CHANNELS
