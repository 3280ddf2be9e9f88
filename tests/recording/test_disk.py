"""The recorder on disks that fail, fill up, or are not local."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labrig.clock import RealClock, VirtualClock
from labrig.errors import RecordingError
from labrig.model import Outcome
from labrig.recording import Recorder, RunFile, recover
from labrig.recording.disk import NETWORK, file_system
from tests.recording.runs import block, header, known

LINUX_ONLY = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="descriptors are found through /proc")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.labrig"


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


@pytest.mark.fault("STO-03")
def test_a_disk_that_will_be_full_soon_stops_the_run_while_there_is_room(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any disk will be full soon for whoever asks for room for thirty million years."""
    monkeypatch.setattr("labrig.recording.recorder.ROOM_SECONDS", 1e15)
    monkeypatch.setattr("labrig.recording.recorder.LOOK_SECONDS", 0.01)
    told = threading.Event()
    reasons: list[str] = []

    def on_failure(reason: str) -> None:
        reasons.append(reason)
        told.set()

    recorder = Recorder(path, header(), clock=RealClock(), on_failure=on_failure, reserve_bytes=0)
    recorder(block(0, 100))
    assert told.wait(10)
    recorder(block(100, 100))
    recorder.close(Outcome.FAILED, reasons[0])

    assert len(reasons) == 1
    assert "the disk will be full in" in reasons[0]
    with RunFile(path) as run:
        assert len(run.series("feed")) == 200
        assert run.reason == reasons[0]


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
