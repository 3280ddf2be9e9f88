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

import numpy as np

from labrig import units
from labrig.clock import SECOND, RealClock
from labrig.model import Block, Calibration, Channel, Coupon, Mounting, Outcome, RunHeader, good
from labrig.recording import Recorder, RunFile

BLOCK_SECONDS = 0.02


def main() -> None:
    """Measure, and print one figure a line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--channels", type=int, default=16)
    parser.add_argument("--rate", type=int, default=50_000, help="samples a second of each channel")
    parser.add_argument("--folder", type=Path, help="where to write; the folder for temporary files by default")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        measure(Path(folder), asked.seconds, asked.channels, asked.rate)


def measure(folder: Path, seconds: float, channels: int, rate: int) -> None:
    """Record, check, read, and write barely."""
    n = round(rate * BLOCK_SECONDS)
    values = np.random.default_rng(1).standard_normal((n, channels))
    path = folder / "run.labrig"
    failures: list[str] = []
    clock = RealClock()
    recorder = Recorder(path, header(channels, clock), clock=clock, on_failure=failures.append)
    before = cpu()
    calls, ages, backlog = feed(recorder, clock, values, rate, seconds)
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
        f"on the disk p50 {quantile(ages, 50) * 1e3:.0f} ms, p99 {quantile(ages, 99) * 1e3:.0f} ms, "
        f"max {max(ages) * 1e3:.0f} ms after it was handed over"
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
    """Seconds that each call took, seconds until each block was on the disk, and the longest backlog."""
    n, channels = values.shape
    names = tuple(f"c{number}" for number in range(channels))
    never = threading.Event()
    calls, ages, backlog = list[float](), list[float](), 0.0
    handed: list[int] = []
    start = clock.now()
    for number in range(round(seconds / BLOCK_SECONDS)):
        due = start + round((number + 1) * BLOCK_SECONDS * SECOND)
        never.wait(max(0, due - clock.now()) / SECOND)
        times = start + (number * n + np.arange(n)) * (SECOND // rate)
        block = Block("daq", names, number * n, times, values + number, good(n, channels))
        before = time.perf_counter()
        recorder(block)
        calls.append(time.perf_counter() - before)
        handed.append(clock.now())
        while handed and handed[0] <= recorder.recorded_through:
            ages.append((clock.now() - handed.pop(0)) / SECOND)
        backlog = max(backlog, recorder.backlog_seconds)
    return calls, ages, backlog


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
