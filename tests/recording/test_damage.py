"""Damaged files: never a wrong value, and never a silent loss."""

from __future__ import annotations

import random
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from labrig.clock import VirtualClock
from labrig.errors import RecordingError
from labrig.model import Block, Event, Noted, Outcome, Quality, good
from labrig.recording import Recorder, RunFile, recover
from tests.recording.runs import MS, block, header, known, weighing

ROW = 240
ROWS = 40


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A closed run file with regular and irregular times, several sources and many events."""
    path = tmp_path_factory.mktemp("original") / "run.labrig"
    clock = VirtualClock()
    recorder = Recorder(path, header(), clock=clock, threaded=False, reserve_bytes=0)
    for number in range(ROWS):
        recorder(shaken(number) if number % 7 == 3 else block(number * ROW, ROW))
        recorder(weighing(number, number * ROW * MS, float(number)))
        recorder(Noted(number * ROW * MS, f"note {number}"))
        recorder._commit()  # noqa: SLF001 - a row for each block, as in real time
    recorder.close(Outcome.COMPLETED)
    return path.read_bytes()


@pytest.fixture
def interrupted(tmp_path: Path) -> Path:
    """A file that was cut off with half of its rows in the log."""
    clock = VirtualClock()
    recorder = Recorder(tmp_path / "run.labrig", header(), clock=clock, threaded=False, reserve_bytes=0)
    for number in range(ROWS):
        recorder(block(number * ROW, ROW))
        recorder._commit()  # noqa: SLF001
        if number == ROWS // 2:
            recorder._writer._connection.execute("PRAGMA wal_checkpoint")  # noqa: SLF001
    (tmp_path / "cut").mkdir()
    for name in ("run.labrig", "run.labrig-wal"):
        shutil.copy(tmp_path / name, tmp_path / "cut")
    recorder.close(Outcome.COMPLETED)
    return tmp_path / "cut" / "run.labrig"


def shaken(number: int) -> Block:
    """A block whose times are not regular and whose samples are not all good."""
    index = number * ROW + np.arange(ROW)
    quality = np.zeros((ROW, 2), np.uint8)
    quality[::9] = Quality.UNSETTLED
    return Block("daq", ("feed", "back"), number * ROW, index * MS + index % 5, known(index), quality)


@dataclass(frozen=True)
class Read:
    """All that a file gave."""

    columns: dict[tuple[str, str], np.ndarray]
    """By source and channel: index, time, value, quality of each sample, shape (n, 4)."""
    events: tuple[Event, ...]
    whole: bool
    said: bool
    """The reader itself, without a verification, named damage."""

    @property
    def samples(self) -> int:
        return sum(len(column) for column in self.columns.values())


def read(path: Path) -> Read | None:
    """None where the file is refused."""
    found: dict[tuple[str, str], list[np.ndarray]] = {}
    try:
        with RunFile(path) as run:
            assert run.header == header(), "a wrong header was accepted"
            for part in run.blocks():
                index = part.first + np.arange(len(part))
                for at, name in enumerate(part.channels):
                    cells = (index, part.times, part.values[:, at], part.quality[:, at])
                    found.setdefault((part.source, name), []).append(np.column_stack(cells))
            columns = {key: np.concatenate(parts) for key, parts in found.items()}
            return Read(columns, run.events, run.verify().whole, bool(run.damage))
    except RecordingError:
        return None


def judged(path: Path, truth: Read) -> str:
    """``refused``, ``reported`` or ``harmless``; fails where anything is wrong and not named."""
    found = read(path)
    if found is None:
        return "refused"
    lost = len(truth.events) - len(found.events) + truth.samples - found.samples
    for key, column in found.columns.items():
        true = truth.columns[key][column[:, 0].astype(int)]
        odd = (column != true).any(axis=1)
        assert np.isnan(column[odd, 2]).all()
        assert (column[odd, 3] == Quality.MISSING).all()
        assert np.array_equal(column[:, :2], true[:, :2])
        lost += int(odd.sum())
    assert set(found.events) <= set(truth.events)
    if lost:
        assert found.said
        assert not found.whole
    return "harmless" if found.whole else "reported"


@pytest.mark.fault("STO-08")
@pytest.mark.fault("STO-11")
def test_no_flipped_bit_is_ever_taken_for_a_value(original: bytes, tmp_path: Path) -> None:
    path = tmp_path / "flipped.labrig"
    path.write_bytes(original)
    truth = read(path)
    assert truth is not None
    assert truth.samples == ROWS * (2 * ROW + 1)
    chance = random.Random(8)
    verdicts = []
    for _ in range(300):
        content = bytearray(original)
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        path.write_bytes(content)
        verdicts.append(judged(path, truth))

    values = 8 * truth.samples / len(original)
    assert 300 - verdicts.count("harmless") > 0.9 * 300 * values, "the others hit unused parts of pages"


@pytest.mark.fault("STO-08")
def test_a_lost_page_costs_what_was_in_it_and_is_named(original: bytes, tmp_path: Path) -> None:
    path = tmp_path / "run.labrig"
    path.write_bytes(original)
    truth = read(path)
    assert truth is not None
    pages = len(original) // 4096
    left = []
    for page in range(1, pages, pages // 12):
        path.write_bytes(original[: page * 4096] + bytes(4096) + original[(page + 1) * 4096 :])

        verdict = judged(path, truth)

        found = read(path)
        assert verdict in {"reported", "refused"}
        left.append(found.samples / truth.samples if found else 0.0)
    assert np.median(left) > 0.95


@pytest.mark.fault("STO-08")
def test_no_overwritten_sector_is_ever_taken_for_values(original: bytes, tmp_path: Path) -> None:
    path = tmp_path / "run.labrig"
    path.write_bytes(original)
    truth = read(path)
    assert truth is not None
    chance = random.Random(9)
    for _ in range(40):
        content = bytearray(original)
        start = 512 * chance.randrange(len(content) // 512)
        content[start : start + 512] = chance.randbytes(512)
        path.write_bytes(content)

        judged(path, truth)


@pytest.mark.fault("STO-08")
def test_a_recovery_of_a_damaged_file_names_the_damage_or_refuses(interrupted: Path, tmp_path: Path) -> None:
    truth = read(interrupted)
    assert truth is not None
    original, log = interrupted.read_bytes(), interrupted.with_name("run.labrig-wal").read_bytes()
    chance = random.Random(10)
    for number in range(60):
        path = tmp_path / str(number) / "run.labrig"
        path.parent.mkdir()
        content = bytearray(original)
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        path.write_bytes(content)
        path.with_name("run.labrig-wal").write_bytes(log)
        try:
            recover(path)
        except RecordingError:
            continue

        judged(path, truth)
        assert not recover(path).changed


@pytest.mark.fault("STO-08")
def test_a_file_cut_short_is_never_taken_for_a_whole_one(original: bytes, tmp_path: Path) -> None:
    path = tmp_path / "run.labrig"
    path.write_bytes(original)
    truth = read(path)
    assert truth is not None
    for part in (0.999, 0.9, 0.5, 0.1):
        path.write_bytes(original[: int(len(original) * part)])

        assert judged(path, truth) in {"reported", "refused"}


def test_a_damaged_channel_is_missing_and_the_other_channels_are_not(original: bytes, tmp_path: Path) -> None:
    path = tmp_path / "run.labrig"
    path.write_bytes(original)
    with sqlite3.connect(path) as database:
        (number,) = database.execute(
            "SELECT samples.id FROM samples JOIN block ON block.id = block JOIN channel ON channel.id = channel "
            "WHERE name = 'feed' AND block.first = 2400"
        ).fetchone()
        database.execute("UPDATE samples SET raw = zeroblob(length(raw)) WHERE id = ?", (number,))
    database.close()

    with RunFile(path) as run:
        feed, back = run.series("feed"), run.series("back")
        verified = run.verify()

        assert run.damage == [f"samples {number}: damaged"]
    assert np.flatnonzero(np.isnan(feed.values)).tolist() == list(range(2400, 2400 + ROW))
    assert (feed.quality[2400 : 2400 + ROW] == Quality.MISSING).all()
    assert not np.isnan(back.values).any()
    assert verified.damaged == (f"samples {number}: damaged",)
    assert verified.hash_fits is False


@pytest.mark.parametrize("table", ["header", "source", "channel"])
def test_what_gives_the_samples_their_meaning_is_there_twice(original: bytes, tmp_path: Path, table: str) -> None:
    path = tmp_path / "run.labrig"
    path.write_bytes(original)
    with RunFile(path) as run:
        before = run.series("feed")
    with sqlite3.connect(path) as database:
        database.execute(f"UPDATE {table} SET crc = crc + 1 WHERE id = 1")
    database.close()

    with RunFile(path) as run:
        after = run.series("feed")

        assert run.header == header()
        assert f"{table} 1: damaged" in run.verify().damaged
    assert np.array_equal(after.values, before.values)
    assert np.array_equal(after.times, before.times)


def test_a_vanished_row_is_a_gap_that_is_named(original: bytes, tmp_path: Path) -> None:
    path = tmp_path / "run.labrig"
    path.write_bytes(original)
    with sqlite3.connect(path) as database:
        (number,) = database.execute("SELECT id FROM block WHERE first = 2400").fetchone()
        database.execute("DELETE FROM block WHERE id = ?", (number,))
    database.close()

    with RunFile(path) as run:
        feed = run.series("feed")

        assert run.damage == [f"block {number}: missing"]
    assert np.flatnonzero(feed.quality & Quality.AFTER_GAP).tolist() == [2400]
    assert len(feed) == (ROWS - 1) * ROW


@pytest.mark.parametrize("table", ["block", "event", "samples"])
def test_rows_lost_at_the_end_are_missed(original: bytes, tmp_path: Path, table: str) -> None:
    path = tmp_path / "run.labrig"
    path.write_bytes(original)
    with sqlite3.connect(path) as database:
        database.execute(f"DELETE FROM {table} WHERE id = (SELECT max(id) FROM {table})")
    database.close()

    with RunFile(path) as run:
        verified = run.verify()

    assert any(text.startswith(table) and text.endswith("missing") for text in verified.damaged)
    assert not verified.whole


def test_a_changed_value_with_a_crc_to_match_is_found_by_the_hash(original: bytes, tmp_path: Path) -> None:
    from labrig.recording.schema import crc, select

    path = tmp_path / "run.labrig"
    path.write_bytes(original)
    with sqlite3.connect(path) as database:
        row = list(database.execute(f"{select('event')} WHERE id = 5").fetchone())
        row[3] = row[3].replace("note 4", "note 5")
        database.execute("UPDATE event SET json = ?, crc = ? WHERE id = 5", (row[3], crc(tuple(row[:-1]))))
    database.close()

    with RunFile(path) as run:
        verified = run.verify()

    assert verified.damaged == ()
    assert verified.hash_fits is False
    assert not verified.whole


def test_a_damaged_end_is_written_again_and_the_damage_stays_named(original: bytes, tmp_path: Path) -> None:
    path = tmp_path / "run.labrig"
    path.write_bytes(original)
    with sqlite3.connect(path) as database:
        database.execute("UPDATE end SET reason = 'other'")
        database.execute("UPDATE samples SET low = 7.5 WHERE id = 3")
    database.close()

    recovered = recover(path)

    assert recovered.changed
    assert recovered.end.outcome is Outcome.INTERRUPTED
    assert recovered.end.damaged == ("samples 3: damaged",)
    with RunFile(path) as run:
        assert run.outcome is Outcome.INTERRUPTED
        assert run.verify().hash_fits
        assert not run.verify().whole


def test_good_samples_cost_no_flags(tmp_path: Path) -> None:
    path = tmp_path / "run.labrig"
    recorder = Recorder(path, header(), clock=VirtualClock(), threaded=False, reserve_bytes=0)
    recorder(Block("b", ("mass",), 0, np.arange(9), np.zeros((9, 1)), good(9, 1)))
    recorder.close(Outcome.COMPLETED)
    database = sqlite3.connect(path)

    assert database.execute("SELECT length(raw), length(quality) FROM samples").fetchone() == (72, 0)
    database.close()
