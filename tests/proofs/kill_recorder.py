"""Proof: a recorder that is killed loses nothing that it had acknowledged.

``python -m tests.proofs.kill_recorder --times 50`` starts so many recording processes, kills each with SIGKILL at a
random moment (while recording in real time, at full speed, or while closing), and compares what the files hold with
what the processes had told through a pipe. It exits with 1 where one acknowledged sample or event is not there, where
a value is wrong, or where a second recovery changes anything.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from labrig import units
from labrig.clock import SECOND, RealClock
from labrig.errors import RecordingError
from labrig.model import Block, Calibration, Channel, Coupon, Mounting, Noted, Outcome, RunHeader, good
from labrig.recording import Recorder, RunFile, recover

NAMES = tuple(f"c{number}" for number in range(16))
STEP = 1_000_000  # 1 kHz
N = 20


@dataclass(frozen=True, slots=True)
class Told:
    """What a process said before it was killed."""

    blocks: int
    """How many blocks it had handed over at the moment up to which it was told that all is recorded."""
    handed: int
    closed: bool


def main() -> int:
    """Run the proof; 0 when it holds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--child", nargs=3, metavar=("FILE", "SECONDS", "PACED"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        record(Path(asked.child[0]), float(asked.child[1]), paced=asked.child[2] == "paced")
        return 0
    chance = random.Random(asked.seed)
    faults, acknowledged, closed = 0, 0, 0
    for number in range(asked.times):
        with tempfile.TemporaryDirectory() as folder:
            told, found = kill_once(Path(folder) / "run.labrig", chance)
        acknowledged += told.blocks * N * len(NAMES)
        closed += told.closed
        faults += bool(found)
        for line in found:
            print(f"kill {number}: {line}")
    print(f"{asked.times} kills, {closed} after the closing: {acknowledged} values acknowledged, {faults} files wrong")
    return 1 if faults else 0


def kill_once(path: Path, chance: random.Random) -> tuple[Told, list[str]]:
    """Start a recording process, kill it, and check; what was told, and what is wrong with the file."""
    paced = chance.random() < 0.6
    seconds = chance.uniform(0.3, 1.0)
    child = recording(path, seconds, paced=paced)
    assert child.stdout is not None
    child.stdout.readline()  # it has begun
    timer = threading.Timer(chance.uniform(0.0, seconds + 0.2), child.kill)
    timer.start()
    text = child.stdout.read()
    child.stdout.close()
    child.wait()
    timer.cancel()
    timer.join()
    told = understood(text[: text.rfind("\n") + 1].splitlines())
    return told, check(path, told)


def recording(path: Path, seconds: float, *, paced: bool) -> subprocess.Popen[str]:
    """A process that records for so long and tells of it."""
    command = [sys.executable, __file__, "--child", str(path), str(seconds), "paced" if paced else "unpaced"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def understood(lines: list[str]) -> Told:
    """What whole lines say: each but a last ``closed`` is ``handed-over-at recorded-through``."""
    closed = lines[-1:] == ["closed"]
    pairs = [tuple(map(int, line.split())) for line in lines[: len(lines) - closed]]
    through = max((pair[1] for pair in pairs), default=0)
    acknowledged = sum(1 for pair in pairs if pair[0] <= through)
    return Told(len(pairs) if closed else acknowledged, len(pairs), closed)


def check(path: Path, told: Told) -> list[str]:
    """What is wrong with the file, before and after its recovery."""
    if not told.handed and is_unbegun(path):
        return []
    wrong: list[str] = []
    before = contents(path)
    wrong += differences(path, told, "unrecovered")
    if contents(path) != before:
        wrong.append("reading changed the file")
    first = recover(path)
    if told.closed and first.changed:
        wrong.append("a closed file was taken for an interrupted one")
    wrong += differences(path, told, "recovered")
    if [entry.name for entry in path.parent.iterdir()] != [path.name]:
        wrong.append(f"left beside it: {[entry.name for entry in path.parent.iterdir()]}")
    recovered = contents(path)
    if recover(path).changed or contents(path) != recovered:
        wrong.append("a second recovery changed the file")
    return wrong


def is_unbegun(path: Path) -> bool:
    """Whether the process was killed before its file had a header: then it is refused as what it is."""
    try:
        RunFile(path).close()
    except RecordingError as error:
        return not path.exists() or "before it began" in str(error)
    return False


def differences(path: Path, told: Told, state: str) -> list[str]:
    """What the file lacks of what was acknowledged, and where it is wrong."""
    wrong = []
    try:
        with RunFile(path) as run:
            verified = run.verify()
            samples = run.series(NAMES[3])
            notes = len(run.events)
            values = np.concatenate([part.values for part in run.blocks()] or [np.empty((0, len(NAMES)))])
    except RecordingError as error:
        return [f"{state}: {error}"]
    if verified.damaged or (state == "recovered" and not verified.whole):
        wrong.append(f"{state}: damaged {verified}")
    if len(samples) < told.blocks * N:
        wrong.append(f"{state}: {len(samples)} samples of {told.blocks * N} acknowledged")
    if notes < told.blocks:
        wrong.append(f"{state}: {notes} events of {told.blocks} acknowledged")
    if not np.array_equal(values, known(np.arange(len(values)))):
        wrong.append(f"{state}: wrong values")
    return wrong


def contents(path: Path) -> list[bytes]:
    """Of the file and its log; SQLite's ``-shm`` is an index and no data."""
    files = (path, path.with_name(path.name + "-wal"))
    return [file.read_bytes() if file.exists() else b"" for file in files]


def record(path: Path, seconds: float, *, paced: bool) -> None:
    """Record and tell after each block; this is the process that is killed."""
    clock = RealClock()
    start = clock.now()
    print("begun", flush=True)
    recorder = Recorder(path, header(start), clock=clock)
    never = threading.Event()
    number = 0
    while clock.now() - start < seconds * SECOND:
        index = number * N + np.arange(N)
        recorder(Block("daq", NAMES, number * N, start + index * STEP, known(index), good(N, len(NAMES))))
        recorder(Noted(clock.now(), f"block {number}"))
        print(clock.now(), recorder.recorded_through, flush=True)
        number += 1
        if paced:
            never.wait(max(0, start + number * N * STEP - clock.now()) / SECOND)
    recorder.close(Outcome.COMPLETED)
    print("closed", flush=True)


def known(index: np.ndarray) -> np.ndarray:
    """The value of each sample and channel, shape (n, 16)."""
    return np.asarray(index[:, None] * float(len(NAMES)) + np.arange(len(NAMES)) + 0.125)


def header(start: int) -> RunHeader:
    """The header of a recording that is about to be killed."""
    channels = tuple(Channel(name, units.unit("psi"), "V", 0.0, 1e6, Calibration((0.0, 1.0))) for name in NAMES)
    return RunHeader(
        run_id="killed", started_utc="2026-01-01T00:00:00+00:00", started_ns=start, protocol="proof", parameters={},
        method="", coupon=Coupon("C"), mounting=Mounting("", 0.0, 0.0), operator="", rig="", rig_file="",
        channels=channels, roles={}, simulated=True, versions={},
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
