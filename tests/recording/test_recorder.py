"""The recorder among threads, beside slow and failing disks, and under kill -9."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labrig.clock import SECOND, RealClock, VirtualClock, spawn
from labrig.errors import RecordingError
from labrig.model import Block, Noted, Outcome, good
from labrig.recording import Recorder, RunFile, recover
from labrig.recording.disk import NETWORK, file_system
from tests.proofs.kill_recorder import kill_once
from tests.recording.runs import MS, block, header, known, weighing

LINUX_ONLY = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="descriptors are found through /proc")


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


def failing(how: str, path: Path) -> dict[str, Any]:
    """What the child that records onto a failing disk had to say; Any: JSON."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.recording.failing", how, path],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def all_there(path: Path, blocks: int) -> None:
    with RunFile(path) as run:
        series = run.series("feed")
        assert len(series) >= blocks * 500
        assert len(run.events) >= blocks
        assert series.values == pytest.approx(
            header().channels[0].calibration.apply(known(np.arange(len(series)))[:, 0])
        )


@LINUX_ONLY
@pytest.mark.parametrize(
    "how",
    [
        pytest.param("limit", marks=pytest.mark.fault("STO-07")),
        pytest.param("no-sync", marks=pytest.mark.fault("STO-07")),
        pytest.param("full", marks=pytest.mark.fault("STO-03")),
    ],
)
def test_a_failed_write_is_told_once_and_what_was_acknowledged_is_there(path: Path, how: str) -> None:
    said = failing(how, path)

    assert len(said["reasons"]) == 1
    assert "nothing more is recorded" in said["reasons"][0]
    assert "counts as interrupted" in said["error"]
    assert 0 < said["acknowledged"] <= said["handed_at_failure"]
    all_there(path, said["acknowledged"])
    assert recover(path).end.outcome is Outcome.INTERRUPTED
    all_there(path, said["acknowledged"])
    with RunFile(path) as run:
        assert run.verify().whole


@LINUX_ONLY
@pytest.mark.fault("STO-03")
def test_a_full_disk_still_takes_the_end_of_the_run_into_the_space_set_aside(path: Path) -> None:
    said = failing("full-with-reserve", path)

    assert said["error"] == ""
    assert len(said["reasons"]) == 1
    assert "the disk is full" in said["reasons"][0]
    assert said["acknowledged"] == said["handed"]
    all_there(path, said["handed"])
    with RunFile(path) as run:
        assert (run.outcome, run.reason) == (Outcome.FAILED, "the disk failed")
        assert run.verify().whole
    assert list(path.parent.iterdir()) == [path]


@LINUX_ONLY
@pytest.mark.fault("STO-03")
def test_a_disk_without_room_for_the_reserve_stops_the_start(path: Path) -> None:
    with pytest.raises(RecordingError, match=r"no room for .* nothing was started"):
        Recorder(path, header(), clock=VirtualClock(), threaded=False, reserve_bytes=2**60)

    assert list(path.parent.iterdir()) == []


def test_the_reserve_stands_beside_the_file_and_goes_with_the_end(path: Path) -> None:
    recorder = Recorder(path, header(), clock=VirtualClock(), threaded=False, reserve_bytes=50_000)
    reserve = path.with_name("run.labrig-reserve")
    assert reserve.stat().st_size == 50_000

    recorder.close(Outcome.COMPLETED)

    assert list(path.parent.iterdir()) == [path]


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


MOUNTS = """\
22 1 254:0 / / rw,relatime - ext4 /dev/root rw
30 22 0:40 / /mnt/lab rw - cifs //server/share rw
31 22 0:41 / /mnt/lab/local rw - xfs /dev/sdb1 rw
32 22 0:42 / /mnt/with\\040blank rw,nosuid shared:3 - nfs4 server:/x rw
33 22 0:43 / /home/a/remote rw - fuse.sshfs a@b:/ rw
a torn line
"""


@pytest.mark.fault("STO-12")
@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("/data/run.labrig", "ext4"),
        ("/mnt/lab/run.labrig", "cifs"),
        ("/mnt/lab/local/run.labrig", "xfs"),
        ("/mnt/labelled/run.labrig", "ext4"),
        ("/mnt/with blank/deep/run.labrig", "nfs4"),
        ("/home/a/remote/run.labrig", "fuse.sshfs"),
    ],
)
def test_network_drives_are_known_by_the_mount_that_a_path_stands_on(place: str, kind: str) -> None:
    assert file_system(Path(place), MOUNTS) == kind
    assert (kind in NETWORK) == (kind not in {"ext4", "xfs"})


def test_where_nothing_is_known_of_mounts_nothing_is_refused() -> None:
    assert file_system(Path("/data/run.labrig"), "") == ""
