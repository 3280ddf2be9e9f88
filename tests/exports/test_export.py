"""Exports as a whole: all or nothing, whatever happens to the child that makes them."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from labrig.clock import VirtualClock
from labrig.exports import ExportFailed, export
from labrig.exports.export import place
from labrig.model import Outcome
from labrig.recording import Recorder
from tests.exports.runs import recorded
from tests.recording.runs import block, header

ROOT = Path(__file__).resolve().parents[2]
POSIX_ONLY = pytest.mark.skipif(sys.platform == "win32", reason="limits and signals of POSIX")


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    (tmp_path / "runs").mkdir()
    return recorded(tmp_path / "runs")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.mark.fault("STO-09")
def test_the_checksums_are_those_of_the_files(run_file: Path, target: Path) -> None:
    before = run_file.read_bytes()

    made = export(run_file, target)

    assert sorted(target.iterdir()) == sorted(made)
    lines = made[-1].read_text(encoding="utf-8").splitlines()
    listed = {name: total for total, name in (line.split("  ") for line in lines)}
    assert listed == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in made[:-1]}
    assert {path.suffix for path in made} == {".csv", ".h5", ".sha256"}
    assert run_file.read_bytes() == before


def test_an_export_again_takes_the_place_of_the_old_one(run_file: Path, target: Path) -> None:
    first = export(run_file, target, ["csv"])
    first[0].write_text("old")

    assert export(run_file, target, ["csv"]) == first
    assert first[0].read_text(encoding="utf-8-sig").startswith("# file")


def test_a_run_without_samples_and_events_is_exported(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "empty.labrig", header(), clock=VirtualClock(), threaded=False, reserve_bytes=0)
    recorder.close(Outcome.ABORTED)

    names = [path.name for path in export(tmp_path / "empty.labrig", tmp_path)]

    assert names == ["empty.events.csv", "empty.h5", "empty.sha256"]


def test_a_long_run_is_written_in_pieces_without_a_seam(tmp_path: Path) -> None:
    path = tmp_path / "long.labrig"
    recorder = Recorder(path, header(), clock=VirtualClock(), threaded=False, reserve_bytes=0)
    for first in range(0, 150_000, 5_000):
        recorder(block(first, 5_000))
    recorder.close(Outcome.COMPLETED)

    made = export(path, tmp_path)

    lines = made[0].read_text(encoding="utf-8-sig").splitlines()
    rows = [line for line in lines if not line.startswith("#")][1:]
    assert [int(row.split(",")[0]) for row in rows] == list(range(150_000))


def test_sources_whose_names_no_file_may_have_get_files_all_the_same(tmp_path: Path) -> None:
    from labrig.model import Block

    path = tmp_path / "odd.labrig"
    recorder = Recorder(path, header(), clock=VirtualClock(), threaded=False, reserve_bytes=0)
    for name in ("../up", "events", "COM1/0", ""):
        one = block(0, 3)
        recorder(Block(name, one.channels, 0, one.times, one.values, one.quality))
    recorder.close(Outcome.COMPLETED)

    made = export(path, tmp_path / "out")

    names = {made_file.name for made_file in made if made_file.suffix == ".csv"}
    assert names == {f"odd.{name}.csv" for name in ("up", "events-2", "COM1-0", "unnamed", "events")}
    assert all(made_file.parent == tmp_path / "out" for made_file in made)


def test_a_file_that_is_no_run_is_refused_in_words(tmp_path: Path, target: Path) -> None:
    (tmp_path / "no.labrig").write_bytes(b"nothing of the kind" * 100)

    with pytest.raises(ExportFailed, match=r"no run file.*Nothing was written"):
        export(tmp_path / "no.labrig", target)

    assert list(target.iterdir()) == []


def test_an_unknown_format_is_refused(run_file: Path, target: Path) -> None:
    with pytest.raises(ExportFailed, match="unknown export formats xls; known are csv, hdf5, excel and parquet"):
        export(run_file, target, ["xls"])  # type: ignore[list-item]

    with pytest.raises(ExportFailed, match="no export format"):
        export(run_file, target, [])
    assert not target.exists()


@pytest.mark.fault("STO-05")
def test_a_folder_that_cannot_be_made_is_refused_in_words(run_file: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")

    with pytest.raises(ExportFailed, match="the export could not be written"):
        export(run_file, tmp_path / "file" / "out")


@POSIX_ONLY
@pytest.mark.fault("STO-04")
@pytest.mark.parametrize("form", ["csv", "hdf5", "excel", "parquet"])
@pytest.mark.parametrize("limit", [0, 1_000, 4_000])
def test_a_full_disk_leaves_no_half_file(run_file: Path, target: Path, form: str, limit: int) -> None:
    program = (
        "import resource, sys, pathlib\n"
        "from labrig.exports import ExportFailed, export\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\n"
        "try:\n"
        f"    export(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), [{form!r}])\n"
        "except ExportFailed as error:\n"
        "    sys.stdout.write(str(error))\n"
    )
    before = run_file.read_bytes()

    parent = subprocess.run(
        [sys.executable, "-c", program, run_file, target], capture_output=True, text=True, timeout=60, check=False
    )

    assert parent.returncode == 0, parent.stderr
    assert "the export failed: " in parent.stdout
    assert f"{run_file} is as it was" in parent.stdout
    assert list(target.iterdir()) == []
    assert run_file.read_bytes() == before


@POSIX_ONLY
@pytest.mark.fault("STO-04")
@pytest.mark.parametrize("file", ["run-1.daq.csv", "run-1.events.csv", "run-1.sha256"])
def test_a_child_that_crashes_leaves_nothing_and_its_parent_alive(
    run_file: Path, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    """As HDF5 does on a full disk: by a segmentation fault, here at the moment at which it opens that file."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, signal, sys\n"
        "def strike(event, arguments):\n"
        f"    if event == 'open' and str(arguments[0]).endswith({file!r}):\n"
        "        os.kill(os.getpid(), signal.SIGSEGV)\n"
        "if 'labrig.exports' in sys.orig_argv:\n"
        "    sys.addaudithook(strike)\n"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))

    with pytest.raises(ExportFailed, match="its process was ended by SIGSEGV"):
        export(run_file, target)

    assert list(target.iterdir()) == []


@pytest.mark.fault("SEC-15")
def test_the_child_loads_no_filter_plug_ins(
    run_file: Path, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os, pathlib, sys\n"
        "if 'labrig.exports' in sys.orig_argv:\n"
        f"    pathlib.Path({str(tmp_path / 'seen')!r}).write_text(os.environ['HDF5_PLUGIN_PRELOAD'])\n"
    )
    monkeypatch.setenv("HDF5_PLUGIN_PATH", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))

    export(run_file, target, ["hdf5"])

    assert (tmp_path / "seen").read_text() == "::"


def test_the_caller_loads_neither_hdf5_nor_pandas() -> None:
    program = "import sys, labrig.exports, labrig.recording; print({'h5py', 'pandas', 'scipy'} & set(sys.modules))"

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)

    assert said.stdout.strip() == "set()"


@pytest.mark.fault("STO-15")
def test_a_file_that_is_open_elsewhere_is_left_and_the_new_one_is_numbered(tmp_path: Path) -> None:
    held = {tmp_path / "run.daq.csv", tmp_path / "run.daq (2).csv"}

    def replace(part: Path, target: Path) -> None:
        """As on Windows while Excel has the file open."""
        if target in held:
            raise PermissionError(13, "used by another process", str(target))
        part.replace(target)

    (tmp_path / "part").write_text("new")

    assert place(tmp_path / "part", tmp_path / "run.daq.csv", replace) == tmp_path / "run.daq (3).csv"
    assert (tmp_path / "run.daq (3).csv").read_text() == "new"


def test_a_folder_in_which_nothing_may_be_replaced_is_an_error(tmp_path: Path) -> None:
    def replace(_part: Path, _target: Path) -> None:
        raise PermissionError(13, "denied")

    with pytest.raises(PermissionError):
        place(tmp_path / "part", tmp_path / "run.csv", replace)
