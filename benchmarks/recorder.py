"""How much the recorder takes: 16 channels at 50 kS/s by default, every commit on the disk, beside bare writes.

Run it as ``python benchmarks/recorder.py --seconds 30``. It feeds a recorder in real time, in blocks of 20 ms,
checks that every sample is in the file and right, and writes the same bytes in the same pieces, each with a
``fsync``, into a plain file.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import threading
import time
from pathlib import Path
from typing import get_args

import numpy as np

from labrig import units
from labrig.clock import SECOND, RealClock, spawn
from labrig.exports import Format, export
from labrig.model import Block, Calibration, Channel, Coupon, Mounting, Outcome, RunHeader, good
from labrig.recording import Recorder, RunFile

BLOCK_SECONDS = 0.02


def main() -> None:
    """Measure, and print one figure a line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--channels", type=int, default=16)
    parser.add_argument("--rate", type=int, default=50_000, help="samples a second of each channel")
    parser.add_argument("--exports", action="store_true", help="export the recorded file too")
    parser.add_argument("--folder", type=Path, help="where to write; the folder for temporary files by default")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        path = measure(Path(folder), asked.seconds, asked.channels, asked.rate)
        if asked.exports:
            measure_exports(path)


def measure(folder: Path, seconds: float, channels: int, rate: int) -> Path:
    """Record, check, read, and write barely; returns the run file."""
    n = round(rate * BLOCK_SECONDS)
    values = np.random.default_rng(1).standard_normal((n, channels))
    path = folder / "run.labrig"
    failures: list[str] = []
    clock = RealClock()
    recorder = Recorder(path, header(channels, clock), clock=clock, on_failure=failures.append)
    before = cpu()
    calls, commits, backlog = feed(recorder, clock, values, rate, seconds)
    started = time.perf_counter()
    recorder.close(Outcome.COMPLETED)
    closing = time.perf_counter() - started
    print(f"fed         {len(calls)} blocks of {n} x {channels}, {values.nbytes / BLOCK_SECONDS / 1e6:.2f} MB/s")
    print(f"failures    {failures or 'none'}; longest backlog {backlog:.3f} s")
    print(
        f"one call    p50 {quantile(calls, 50) * 1e6:.0f} us, p99 {quantile(calls, 99) * 1e6:.0f} us, "
        f"max {max(calls) * 1e6:.0f} us"
    )
    print(
        f"commits     every {quantile(commits, 50) * 1e3:.0f} ms p50, {quantile(commits, 99) * 1e3:.0f} ms p99, "
        f"{max(commits) * 1e3:.0f} ms max"
    )
    print(
        f"CPU         {(cpu() - before) / seconds * 100:.0f} % of one core, feeding included; closing {closing:.2f} s"
    )
    check(path, values, len(calls))
    recorded = bare(folder / "with-the-recorder.bin", values, len(calls), 4)
    print(
        f"bare writes {recorded:.2f} s with an fsync each 80 ms of data "
        f"(of {seconds:.0f} s: the disk is busy {recorded / seconds * 100:.0f} %)"
    )
    unpaced = as_fast_as_it_can(folder / "fast.labrig", values, len(calls), clock)
    print(f"unpaced     {unpaced:.2f} s for the recorder, ratio {unpaced / recorded:.1f} to bare writes")
    return path


def measure_exports(path: Path) -> None:
    """Export, each format by itself."""
    for form in get_args(Format):
        started = time.perf_counter()
        made = export(path, path.parent, [form])
        size = sum(one.stat().st_size for one in made)
        print(f"export      {form}: {time.perf_counter() - started:.1f} s, {size / 1e6:.0f} MB")


def header(channels: int, clock: RealClock) -> RunHeader:
    """A header with so many channels."""
    names = tuple(
        Channel(f"c{number}", units.unit("psi"), "V", 0.0, 1e6, Calibration((0.0, 1e5))) for number in range(channels)
    )
    return RunHeader(
        run_id="benchmark", started_utc=clock.utc().isoformat(), started_ns=clock.now(), protocol="benchmark",
        parameters={}, method="", coupon=Coupon(""), mounting=Mounting("", 0.0, 0.0), operator="", rig="", rig_file="",
        channels=names, roles={}, simulated=True, versions={},
    )  # fmt: skip


def feed(
    recorder: Recorder, clock: RealClock, values: np.ndarray, rate: int, seconds: float
) -> tuple[list[float], list[float], float]:
    """Seconds that each call took, seconds from one commit to the next, and the longest backlog."""
    n, channels = values.shape
    names = tuple(f"c{number}" for number in range(channels))
    calls: list[float] = []
    backlog = 0.0
    done = threading.Event()
    commits: list[int] = []
    watcher = spawn("watcher", lambda: watch(recorder, done, commits))
    start = clock.now()
    for number in range(round(seconds / BLOCK_SECONDS)):
        due = start + round((number + 1) * BLOCK_SECONDS * SECOND)
        done.wait(max(0, due - clock.now()) / SECOND)
        times = start + (number * n + np.arange(n)) * (SECOND // rate)
        block = Block("daq", names, number * n, times, values + number, good(n, channels))
        before = time.perf_counter()
        recorder(block)
        calls.append(time.perf_counter() - before)
        backlog = max(backlog, recorder.backlog_seconds)
    done.set()
    watcher.join()
    return calls, (np.diff(commits) / SECOND).tolist(), backlog


def watch(recorder: Recorder, done: threading.Event, commits: list[int]) -> None:
    """Note each new ``recorded_through``."""
    while not done.wait(0.002):
        if not commits or recorder.recorded_through != commits[-1]:
            commits.append(recorder.recorded_through)


def check(path: Path, values: np.ndarray, blocks: int) -> None:
    """Every sample is there and right; how long reading takes."""
    n = len(values)
    with RunFile(path) as run:
        started = time.perf_counter()
        series = run.series("c1")
        reading = time.perf_counter() - started
        expected = (values[:, 1] + np.arange(blocks)[:, None]).ravel() * 1e5
        right = len(series) == blocks * n and bool((series.values == expected).all())
        started = time.perf_counter()
        whole = run.verify().whole
        verifying = time.perf_counter() - started
    print(
        f"check       {len(series)} of {blocks * n} samples {'right' if right else 'WRONG'}, file whole: {whole}, "
        f"{path.stat().st_size / 1e6:.0f} MB"
    )
    print(f"reading     one channel {reading:.2f} s; verifying everything {verifying:.2f} s")


def bare(path: Path, values: np.ndarray, blocks: int, together: int) -> float:
    """Seconds to write the same bytes into a plain file, with an fsync after so many blocks."""
    started = time.perf_counter()
    with path.open("wb", buffering=0) as file:
        for number in range(blocks):
            file.write((values + number).tobytes())
            if number % together == together - 1:
                os.fsync(file.fileno())
    return time.perf_counter() - started


def as_fast_as_it_can(path: Path, values: np.ndarray, blocks: int, clock: RealClock) -> float:
    """Seconds for the same blocks without waiting for their time, the closing included."""
    n, channels = values.shape
    names = tuple(f"c{number}" for number in range(channels))
    recorder = Recorder(path, header(channels, clock), clock=clock)
    never = threading.Event()
    started = time.perf_counter()
    for number in range(blocks):
        times = clock.now() + np.arange(n) * 20_000
        recorder(Block("daq", names, number * n, times, values + number, good(n, channels)))
        while recorder.backlog_seconds > 1.0:
            never.wait(0.01)
    recorder.close(Outcome.COMPLETED)
    return time.perf_counter() - started


def quantile(values: list[float], percent: float) -> float:
    """The percentile of a list."""
    return float(np.percentile(values, percent))


def cpu() -> float:
    """Seconds of processor that this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
