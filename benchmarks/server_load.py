"""What a rig's processes take with everything on: 16 channels at 1, 10 and 50 kS/s, a run, and one who watches.

Run it as ``python benchmarks/server_load.py``. For each rate it starts a supervisor, the server and the simulated rig
(guardian, watchdog, recorder with every commit on the disk, bins for screens), a run whose protocol waits in a process
of its own, and another that follows digests, events and status as a desktop does. It prints the share of a core that
each process took (time of the processor, so that a busy machine changes it little), its memory at the beginning and at
the end, the samples lost, and how late the guardian looked.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.acquisition import cpu_of, module, transmitter
from labrig.client import Client
from labrig.clock import SECOND, monotonic
from labrig.config import find_rig
from labrig.endpoint import read_endpoint
from tests.proofs.server_deaths import under_way
from tests.server.harness import RIG, Rigged, over, processes, rigged, runner_of, wait_until

MORE: Final = {"a": ("cDAQ1Mod5", 4), "b": ("cDAQ2Mod1", 4), "c": ("cDAQ2Mod2", 3)}
"""Voltage modules and their inputs beside the five channels of the shipped rig, which are read as fast as these."""


@dataclass(frozen=True, slots=True)
class Use:
    """What a process has taken up to now."""

    cpu: float
    megabytes: float

    @classmethod
    def of(cls, pid: int) -> Use:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        kilobytes = re.search(r"VmRSS:\s+(\d+)", status)
        return cls(cpu_of(pid), int(kilobytes[1]) / 1024 if kilobytes else 0.0)


def main() -> None:
    """Measure, and print a few lines for each rate."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rates", type=int, nargs="+", default=[1_000, 10_000, 50_000])
    parser.add_argument("--watch", type=Path, metavar="DATA", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.watch:
        watch(asked.watch)
        return
    for rate in asked.rates:
        with tempfile.TemporaryDirectory() as folder:
            report(Path(folder), rate, asked.seconds)


def report(folder: Path, rate: int, seconds: float) -> None:
    """One rate."""
    with rigged(folder, rig_file(folder, rate)) as up, watcher(up) as watching:
        client, paper = under_way(up, lasting="1 h")
        pids = {"server": up.endpoint.pid, "simulated rig": simulated(up), "runner": runner_of(up), "watcher": watching}
        pids["supervisor"] = up.supervisor
        began, before = monotonic(), {name: Use.of(pid) for name, pid in pids.items()}
        threading.Event().wait(seconds)
        took, after = (monotonic() - began) / SECOND, {name: Use.of(pid) for name, pid in pids.items()}
        ended = "" if not over(client) else f"; THE RUN ENDED: {client.status().reason}"
        client.stop("enough", "benchmark")
        wait_until(lambda: over(client), "the run is over")
        with up.file(paper) as run:
            totals = run.totals.values()
            lost, samples, whole = sum(t.lost for t in totals), sum(t.samples for t in totals), run.verify().whole
    print(f"{rate / 1000:g} kS/s, {took:.0f} s, load {os.getloadavg()[0]:.1f}: {samples} rows of samples, ", end="")
    print(f"{lost} lost, file whole: {whole}{ended}")
    for name in pids:
        share = (after[name].cpu - before[name].cpu) / took
        print(f"    {name:13} {share:6.1%} of a core, {before[name].megabytes:.0f} to {after[name].megabytes:.0f} MB")
    log = (folder / "data" / "servers" / f"{RIG}.log").read_text(encoding="utf-8")
    print(*(f"    {line}" for line in re.findall(r"guardian: .*", log)), sep="\n", flush=True)


def rig_file(folder: Path, rate: int) -> Path:
    """The shipped bench with three more modules, everything at one rate; a crowded machine does not trip it."""
    text = find_rig(RIG).read_text(encoding="utf-8").replace('rate = "100 Hz"', f'rate = "{rate} Hz"')
    text = re.sub(r'(high = "8[58] psi")', r'\1\nstale_after = "30 s"', text).replace('"0.5 s"', '"10 s"')
    head, _, tail = text.partition("\n[instruments.valves]")
    more = "".join(module(name, device, rate, inputs) for name, (device, inputs) in MORE.items())
    tail += "".join(transmitter(f"{device}/ai0") for device, _ in MORE.values())
    path = folder / f"{RIG}.toml"
    path.write_text(f"{head}\n{more}\n[instruments.valves]{tail}", encoding="utf-8")
    return path


def simulated(up: Rigged) -> int:
    """The simulated rig's process."""
    (pid,) = [pid for pid, line in processes(up.mark).items() if " sim " in line]
    return pid


@contextmanager
def watcher(up: Rigged) -> Iterator[int]:
    """Somebody who watches from a process of its own."""
    command = [sys.executable, __file__, "--watch", str(up.data)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    try:
        yield child.pid
    finally:
        child.terminate()
        child.wait()
        child.stdout.close()


def watch(data: Path) -> None:
    """Take everything that a desktop is sent, until ended."""
    with Client(read_endpoint(data, RIG)) as client:
        print("watching", flush=True)
        for _ in client.watch(attending=True, name="benchmark"):
            pass


if __name__ == "__main__":
    main()
