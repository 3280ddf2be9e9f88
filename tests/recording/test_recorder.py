"""The recorder among threads, beside slow and failing disks, and under kill -9."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from labrig.clock import SECOND, RealClock, VirtualClock, spawn
from labrig.errors import RecordingError
from labrig.model import Block, Noted, Outcome, good
from labrig.recording import Recorder, RunFile, recover
from tests.proofs.kill_recorder import kill_once
from tests.recording.runs import MS, block, header, known, weighing


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.labrig"


def wait_until(recorder: Recorder, moment: int) -> None:
    deadline = time.monotonic() + 10
    while recorder.recorded_through < moment and time.monotonic() < deadline:
        threading.Event().wait(0.005)


def test_what_is_acknowledged_is_on_the_disk_within_a_tenth_of_a_second(path: Path) -> None:
    clock = RealClock()
    recorder = Recorder(path, header(), clock=clock, reserve_bytes=0)
    recorder(block(0, 10))
    handed = clock.now()

    wait_until(recorder, handed)

    assert recorder.recorded_through >= handed
    assert (clock.now() - handed) / SECOND < 1.0  # a busy machine; the usual figure stands in docs/figures.md
    assert recorder.backlog_seconds == 0.0
    recorder.close(Outcome.COMPLETED)


def test_many_threads_record_at_once_without_loss(path: Path) -> None:
    clock = RealClock()
    recorder = Recorder(path, header(), clock=clock, reserve_bytes=0)

    def weigh(number: int) -> None:
        for k in range(200):
            reading = Block(f"s{number}", ("mass",), k, np.array([k]), np.array([[number + k / 7]]), good(1, 1))
            recorder(reading)
            recorder(Noted(k, f"{number} {k}"))

    threads = [spawn(f"weigh {number}", lambda number=number: weigh(number)) for number in range(6)]  # type: ignore[misc]
    for thread in threads:
        thread.join()
    recorder.close(Outcome.COMPLETED)

    with RunFile(path) as run:
        for number in range(6):
            values = np.concatenate([part.values[:, 0] for part in run.blocks() if part.source == f"s{number}"])
            assert values.tolist() == [number + k / 7 for k in range(200)]
        assert len(run.events) == 1200
        assert all(total.lost == 0 for total in run.totals.values())
        assert run.verify().whole


def test_a_file_is_never_written_over(path: Path) -> None:
    path.write_bytes(b"precious")

    with pytest.raises(RecordingError, match="never writes over a run"):
        Recorder(path, header(), clock=VirtualClock(), threaded=False)

    assert path.read_bytes() == b"precious"
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_is_being_recorded_is_left_alone(path: Path) -> None:
    recorder = Recorder(path, header(), clock=RealClock(), reserve_bytes=0)
    for attempt in (lambda: Recorder(path, header(), clock=RealClock()), lambda: RunFile(path), lambda: recover(path)):
        with pytest.raises(RecordingError, match=r"in use|a file of this name"):
            attempt()
    recorder(block(0, 5))
    recorder.close(Outcome.COMPLETED)

    with RunFile(path) as run:
        assert run.verify().whole
        assert len(run.series("feed")) == 5


def test_another_process_cannot_recover_a_file_that_is_being_recorded(path: Path) -> None:
    recorder = Recorder(path, header(), clock=RealClock(), reserve_bytes=0)
    attempt = "import sys, pathlib; from labrig.recording import recover; recover(pathlib.Path(sys.argv[1]))"

    other = subprocess.run(
        [sys.executable, "-c", attempt, path], capture_output=True, text=True, timeout=60, check=False
    )
    recorder.close(Outcome.COMPLETED)

    assert other.returncode != 0
    assert "the file is in use" in other.stderr


@pytest.mark.fault("STO-05")
def test_a_folder_that_is_not_there_or_not_writable_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    for folder in (tmp_path / "absent", tmp_path / "file", Path("/proc")):
        with pytest.raises(RecordingError, match="cannot be created"):
            Recorder(folder / "run.labrig", header(), clock=VirtualClock(), threaded=False)


@pytest.mark.fault("STO-06")
def test_a_disk_that_falls_behind_stops_the_run_once_and_every_loss_shows(path: Path) -> None:
    reasons: list[str] = []
    recorder = Recorder(
        path, header(), clock=RealClock(), on_failure=reasons.append, queue_bytes=20_000, reserve_bytes=0
    )
    for number in range(200):
        recorder(block(number * 100, 100))
        recorder(Noted(number, str(number)))
    recorder.close(Outcome.FAILED, "disk")

    assert len(reasons) == 1
    assert "the disk is too slow" in reasons[0]
    with RunFile(path) as run:
        assert run.end is not None
        total = run.totals["daq"]
        dropped = run.end.dropped["daq"]
        assert dropped > 0
        assert total.samples + dropped == 200 * 100
        assert len(run.events) == 200
        series = run.series("feed")
        index = series.times // MS
        assert series.values == pytest.approx(header().channels[0].calibration.apply(known(index)[:, 0]))
        assert run.verify().whole


def test_age_counts_as_well_as_size(path: Path) -> None:
    clock = VirtualClock()
    reasons: list[str] = []
    recorder = Recorder(path, header(), clock=clock, on_failure=reasons.append, queue_seconds=10, reserve_bytes=0)
    recorder._stop.set()  # noqa: SLF001 - a writer that does not come back
    recorder._thread.join()  # type: ignore[union-attr] # noqa: SLF001
    for second in range(14):
        recorder(weighing(second, clock.now(), 1.0))
        assert bool(reasons) == (second > 5)
        clock.wait(1.0, threading.Event())
    recorder.close(Outcome.FAILED)

    with RunFile(path) as run:
        assert run.end is not None
        assert run.end.dropped == {"balance": 3}
        assert run.totals["balance"].samples == 11


@pytest.mark.expected_logs("labrig.recording.recorder")
def test_recording_goes_on_when_the_one_who_is_told_of_trouble_fails(path: Path) -> None:
    def on_failure(reason: str) -> None:
        raise RuntimeError(reason)

    recorder = Recorder(path, header(), clock=RealClock(), on_failure=on_failure, queue_bytes=6_000, reserve_bytes=0)
    recorder(block(0, 150))
    wait_until(recorder, recorder._clock.now())  # noqa: SLF001
    recorder(block(150, 20))
    recorder.close(Outcome.COMPLETED)

    with RunFile(path) as run:
        assert len(run.series("feed")) == 170


def test_nothing_is_taken_after_the_closing_and_closing_twice_is_harmless(path: Path) -> None:
    recorder = Recorder(path, header(), clock=VirtualClock(), threaded=False, reserve_bytes=0)
    recorder.close(Outcome.ABORTED, "stop button")
    before = path.read_bytes()
    recorder(block(0, 5))
    recorder.close(Outcome.COMPLETED)

    assert path.read_bytes() == before
    with RunFile(path) as run:
        assert (run.outcome, run.reason) == (Outcome.ABORTED, "stop button")


@pytest.mark.expected_logs("labrig.recording.recorder")
def test_an_item_that_cannot_be_written_is_a_failure_and_not_a_silence(path: Path) -> None:
    reasons: list[str] = []
    recorder = Recorder(path, header(), clock=RealClock(), on_failure=reasons.append, reserve_bytes=0)
    recorder(block(0, 5))
    recorder(Noted(2**70, "a time that no clock tells"))
    deadline = time.monotonic() + 10
    while not reasons and time.monotonic() < deadline:
        threading.Event().wait(0.01)

    with pytest.raises(RecordingError, match="counts as interrupted"):
        recorder.close(Outcome.COMPLETED)

    assert len(reasons) == 1
    assert recover(path).changed


@pytest.mark.fault("STO-01")
def test_no_kill_costs_anything_that_was_acknowledged(tmp_path: Path) -> None:
    chance = random.Random(20)
    acknowledged = 0
    for number in range(5):
        folder = tmp_path / str(number)
        folder.mkdir()

        told, wrong = kill_once(folder / "run.labrig", chance)

        assert wrong == []
        acknowledged += told.blocks
    assert acknowledged > 0
