"""What a rig's memory grows by in a day: a station in virtual time, run after run, each recorded into a file.

Run it as ``python benchmarks/memory_day.py``. Guardian, bus, both levels of the history, recorder and run files are
those of the server; the twin plays the rig. It prints the process's memory after the first run and every few hours.
The coarse level of the history keeps a day and doubles its room on the way there; ``--days 3`` shows that it ends.
"""

from __future__ import annotations

import argparse
import gc
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from labrig.clock import SECOND, VirtualClock
from labrig.config import RigConfig, find_rig, load_rig
from labrig.errors import AnalysisError
from labrig.header import Order
from labrig.model import Analysis, Coupon, RunData
from labrig.operators import Prepared
from labrig.plant import Plant, load_membrane
from labrig.protocol import Method
from labrig.recording import Recorder
from labrig.rig import Rig
from labrig.station import Station, started
from labrig.twin import Twin


@dataclass(frozen=True, slots=True)
class Hours:
    """A long run that does little: a step and a note each minute."""

    title: ClassVar[str] = "Hours"
    needs: ClassVar[tuple[str, ...]] = ("vent",)

    hours: float = 1.0

    @property
    def skipped(self) -> tuple[str, ...]:
        return ()

    def run(self, rig: Rig) -> None:
        for minute in range(round(60 * self.hours)):
            with rig.step(f"minute {minute}"):
                rig.wait(60.0)
                rig.note("a minute is over")

    def analyse(self, run: RunData) -> Analysis:
        raise AnalysisError("there is nothing to analyse")


def main() -> None:
    """Measure, and print a line every few hours."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rig", default="bench-25")
    parser.add_argument("--rate", default="100 Hz", help="of each analog channel")
    parser.add_argument("--days", type=float, default=1.0)
    parser.add_argument("--hours", type=float, default=1.0, help="of each run")
    parser.add_argument("--every", type=int, default=2, help="runs between two lines")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{asked.rig}.toml"
        text = find_rig(asked.rig).read_text(encoding="utf-8")
        path.write_text(text.replace('rate = "100 Hz"', f'rate = "{asked.rate}"'), encoding="utf-8")
        live(load_rig(path), Path(folder), round(24 * asked.days / asked.hours), asked.hours, asked.every)


def live(config: RigConfig, folder: Path, runs: int, hours: float, every: int) -> None:
    """One station, so many runs of so many hours."""
    clock = VirtualClock()
    assert config.file.simulation is not None
    plant = Plant(config.file.simulation, load_membrane("example-v"), seed=0)
    station = Station(config, Twin(config, plant, clock), clock, holds=False)
    clock.follow(lambda _: station.guardian.cycle())
    with started(station):
        for number in range(1, runs + 1):
            outcome = one_run(station, folder / f"{number}.labrig", Hours(hours))
            if number == 1 or not number % every:
                print(f"{clock.now() / 3600 / SECOND:6.1f} h: {resident():.1f} MB, last run {outcome}", flush=True)


def one_run(station: Station, path: Path, protocol: Hours) -> str:
    """Recorded into a file, which is deleted afterwards."""
    method = Method("hours", "1", "hours", protocol)
    order = Order(method.facts, Coupon("benchmark"), "benchmark")
    header = station.prepare(order)
    recorder = Recorder(path, header, clock=station.clock, threaded=False)
    session = station.begin(order, header, recorder, Prepared("benchmark"))
    outcome = station.run(session, protocol)
    recorder.close(outcome, session.tenure.ending.reason)
    path.unlink()
    return outcome.value


def resident() -> float:
    """Megabytes of memory that this process holds."""
    gc.collect()
    found = re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text(encoding="utf-8"))
    return int(found[1]) / 1024 if found else 0.0


if __name__ == "__main__":
    main()
