"""One process on a rig's devices, whatever file and folder it was started with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from labrig.config import find_rig, load_rig
from labrig.riglock import HardwareLock, RigLock, RigTaken, UpLock

HOLD = """
import sys
from pathlib import Path
from labrig.riglock import HardwareLock
with HardwareLock(sys.argv[2:], "left bench", Path("/data/left"), Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def holding(folder: Path, *addresses: str) -> subprocess.Popen[str]:
    """Another process that uses these devices until its input ends."""
    command = [sys.executable, "-c", HOLD, str(folder), *addresses]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_on_a_device_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    other = holding(tmp_path, "cDAQ1", "COM3")
    try:
        with pytest.raises(RigTaken) as caught, HardwareLock(["COM3"], "right bench", Path("/data/right"), tmp_path):
            pass
    finally:
        other.communicate()

    assert str(caught.value) == (
        f"COM3 is in use by process {other.pid} for the rig 'left bench' with its data in /data/left. "
        "Nothing was opened. End that first."
    )


def test_a_process_that_was_killed_holds_nothing(tmp_path: Path) -> None:
    other = holding(tmp_path, "COM3")
    other.kill()
    other.communicate()

    with HardwareLock(["COM3"], "right bench", tmp_path, tmp_path):
        pass


def test_refused_for_one_device_it_holds_no_other(tmp_path: Path) -> None:
    other = holding(tmp_path, "COM3")
    try:
        with pytest.raises(RigTaken), HardwareLock(["cDAQ1", "COM3"], "right bench", tmp_path, tmp_path):
            pass
        holding(tmp_path, "cDAQ1").communicate()
    finally:
        other.communicate()


def test_simulated_rigs_are_nobodys_devices() -> None:
    assert load_rig(find_rig("bench-25")).addresses == ()


def test_a_real_rig_names_each_device_once(tmp_path: Path) -> None:
    """The shipped bench with its simulation taken away and a balance on a port, reached by another of its names."""
    text = find_rig("bench-25").read_text(encoding="utf-8").partition("\n[simulation]")[0]
    (tmp_path / "ttyUSB0").touch()
    (tmp_path / "balance").symlink_to(tmp_path / "ttyUSB0")
    text = text.replace('server = "sim://ni"\n', "").replace("sim://balance", str(tmp_path / "balance"))
    (tmp_path / "real.toml").write_text(text, encoding="utf-8")

    addresses = load_rig(tmp_path / "real.toml").addresses

    assert set(addresses) == {f"cDAQ1Mod{n}" for n in (1, 2, 3, 4)} | {"cDAQ1", str(tmp_path / "ttyUSB0")}


def test_of_two_starts_of_a_rig_at_once_the_second_is_refused_in_words(tmp_path: Path) -> None:
    with (
        UpLock(tmp_path, "bench"),
        pytest.raises(RigTaken, match="being started by another labrig up"),
    ):
        UpLock(tmp_path, "bench").__enter__()
    with UpLock(tmp_path, "bench"), RigLock(tmp_path, "bench"):
        pass
