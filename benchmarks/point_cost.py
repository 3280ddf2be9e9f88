"""What a software-timed point costs: set an output, read a value, keep both; labrig beside PyMeasure.

Run it as ``python benchmarks/point_cost.py``. It makes a throw-away environment with PyMeasure
(``benchmarks/requirements.txt``), and lets both sweep the same number of points over instruments that answer at once
from memory, in processes of their own on this machine. Nothing waits for a physical quantity.

labrig: a protocol on a station in the same process; each point is ``rig.set``, ``rig.measure`` over the last 500 ms of
a channel that a source delivers at 100 Hz meanwhile, and ``rig.mark`` with the value. Interlocks are judged, every
sample and event is recorded, each commit is on the disk. It is done when the run file is closed.

PyMeasure: a ``Procedure`` whose ``execute`` sets and reads properties of an instrument on an adapter that answers from
memory, and emits the results to its ``Worker``, whose recorder writes a CSV file without a sync. It is done when the
worker has ended. The same loop without ``emit`` tells what the instrument takes of it.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
import venv
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent


def main() -> None:
    """Measure, and print one line each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--points", type=int, default=5000)
    parser.add_argument("--child", nargs=2, metavar=("WAY", "FOLDER"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    ways = {"labrig": labrig, "pymeasure": pymeasure, "pymeasure-without-emit": pymeasure_without_emit}
    if asked.child:
        print(json.dumps(ways[asked.child[0]](asked.points, Path(asked.child[1]))))
        return
    with tempfile.TemporaryDirectory() as folder:
        other = environment(Path(folder) / "venv")
        for way in ways:
            python = sys.executable if way == "labrig" else other
            command = [python, __file__, "--points", str(asked.points), "--child", way, folder]
            found = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.splitlines()[-1])
            print(
                f"{way:23} {found['loop'] / asked.points * 1e6:6.0f} us a point in the loop, "
                f"{found['whole'] / asked.points * 1e6:6.0f} us until all is kept, "
                f"{found['cpu'] / asked.points * 1e6:6.0f} us of processor; {found['kept']} points kept",
                flush=True,
            )


def environment(folder: Path) -> str:
    """Python of a new environment with PyMeasure."""
    venv.create(folder, with_pip=True)
    python = str(folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python"))
    install = [python, "-m", "pip", "install", "-qq", "--require-hashes", "--no-deps"]
    subprocess.run([*install, "-r", str(HERE / "requirements.txt")], check=True)
    return python


def labrig(points: int, folder: Path) -> dict[str, float]:
    """In this process: seconds in the loop, seconds until the file is closed, processor seconds, points in the file."""
    from labrig.clock import RealClock
    from labrig.config import find_rig, load_rig
    from labrig.header import MethodFacts, Order
    from labrig.model import Coupon
    from labrig.operators import Prepared
    from labrig.recording import Recorder, RunFile
    from labrig.station import Station, started

    clock, config = RealClock(), load_rig(find_rig("bench-25"))
    facts = MethodFacts("sweep", "1", "sweep", "Sweep", {}, skipped=(), needs=("pressure", "feed_pressure"))
    order = Order(facts, Coupon("C"), "benchmark")
    sweep = Sweep(points)
    with started(Station(config, Memory(config, clock), clock)) as station:
        threading.Event().wait(0.2)
        header = station.prepare(order)
        recorder = Recorder(folder / "run.labrig", header, clock=clock)
        session = station.begin(order, header, recorder, Prepared("benchmark"))
        before, began = cpu(), time.perf_counter()
        outcome = station.run(session, sweep)
        recorder.close(outcome, session.tenure.ending.reason)
        whole, used = time.perf_counter() - began, cpu() - before
        assert outcome.value == "completed", session.tenure.ending.reason
    with RunFile(recorder.path) as run:
        kept = len(run.spans("point"))
    return {"loop": sweep.loop, "whole": whole, "cpu": used, "kept": kept}


class Sweep:
    """The protocol of the sweep."""

    def __init__(self, points: int) -> None:
        self.points, self.loop = points, 0.0

    def run(self, rig: Any) -> None:  # noqa: ANN401 - labrig is imported late, as PyMeasure's environment has none
        from labrig.model import Span
        from labrig.units import psi

        rig.wait(0.6)
        began = time.perf_counter()
        for number in range(self.points):
            rig.set("pressure", (number % 50) * psi)
            now = rig.wait(0.0).end
            span = Span("point", now - 500_000_000, now)
            rig.mark("point", span, value=rig.measure("feed_pressure", span))
        self.loop = time.perf_counter() - began


class Memory:
    """Outputs that remember, and a source of 100 samples a second that is always there."""

    def __init__(self, config: Any, clock: Any) -> None:  # noqa: ANN401
        self._config, self._clock = config, clock
        self._over = threading.Event()
        self._thread: Any = None
        self.actuators = {owner: Remembering(owner, config) for owner in set(config.owners.values())}

    def start(self, publish: Any, lost: Any) -> None:  # noqa: ANN401
        from labrig.clock import spawn

        self._publish = publish
        self._thread = spawn("memory", self._deliver)

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _deliver(self) -> None:
        import numpy as np

        from labrig.model import Block, good

        sources: dict[str, list[str]] = {}
        for name, channel in self._config.channels.items():
            sources.setdefault(channel.address.split("/")[0], []).append(name)
        first, n = 0, 2
        raw = {"V": 1.0, "A": 0.012, "g": 50.0}
        while not self._over.wait(0.02):
            times = self._clock.now() - np.array([10_000_000, 0])
            for source, names in sources.items():
                row = [raw[self._config.channels[name].raw_unit] for name in names]
                self._publish(Block(source, tuple(names), first, times, np.array([row, row]), good(n, len(names))))
            first += n


class Remembering:
    """Outputs of one instrument, each at its safe value first."""

    def __init__(self, name: str, config: Any) -> None:  # noqa: ANN401
        self.name = name
        self.outputs = tuple(output for key, output in config.outputs.items() if config.owners[key] == name)
        self._verbs = {output.name: Remembered(output) for output in self.outputs}

    def open(self) -> str:
        return self.name

    def close(self) -> None:
        return

    def output(self, name: str) -> Remembered:
        return self._verbs[name]

    def make_safe(self) -> None:
        for verbs in self._verbs.values():
            verbs.value = verbs.safe


class Remembered:
    """A regulator or a valve, whichever is asked for."""

    def __init__(self, output: Any) -> None:  # noqa: ANN401
        self.low, self.high, self.safe = output.low, output.high, output.safe
        self.value = self.safe

    def set(self, target: float) -> None:
        self.value = target

    def setpoint(self) -> float:
        return self.value

    def open(self) -> None:
        self.value = 1.0

    def close(self) -> None:
        self.value = 0.0

    def is_open(self) -> bool:
        return self.value > 0.5


def pymeasure(points: int, folder: Path) -> dict[str, float]:
    """The same for PyMeasure, in its environment."""
    from pymeasure.experiment import Procedure, Results, Worker

    class Sweeping(Procedure):
        DATA_COLUMNS = ("Target (V)", "Value (V)")

        def startup(self) -> None:
            self.instrument = instrument()

        def execute(self) -> None:
            began = time.perf_counter()
            for number in range(points):
                self.instrument.voltage = target = float(number % 50)
                self.emit("results", {"Target (V)": target, "Value (V)": self.instrument.voltage})
            self.loop = time.perf_counter() - began

    procedure, path = Sweeping(), folder / "results.csv"
    worker = Worker(Results(procedure, str(path)))
    before, began = cpu(), time.perf_counter()
    worker.start()
    worker.join(timeout=3600)
    whole, used = time.perf_counter() - began, cpu() - before
    lines = path.read_text(encoding="utf-8").splitlines()
    kept = sum(1 for line in lines if not line.startswith(("#", "Target")))
    return {"loop": procedure.loop, "whole": whole, "cpu": used, "kept": kept}


def pymeasure_without_emit(points: int, folder: Path) -> dict[str, float]:
    """Only the instrument: nothing is kept."""
    device = instrument()
    before, began = cpu(), time.perf_counter()
    for number in range(points):
        device.voltage = float(number % 50)
        assert device.voltage == number % 50
    whole = time.perf_counter() - began
    return {"loop": whole, "whole": whole, "cpu": cpu() - before, "kept": 0}


def instrument() -> Any:  # noqa: ANN401 - PyMeasure is not here when this is checked
    """An instrument of PyMeasure with one property, on an adapter that answers from memory."""
    from pymeasure.adapters import FakeAdapter
    from pymeasure.instruments import Instrument

    class Source(Instrument):
        voltage = Instrument.control("VOLT?", "VOLT %g", "Voltage.")

    class Adapter(FakeAdapter):
        """Keeps the number that was set and answers with it."""

        held = "0"

        def _write(self, command: str, **_: object) -> None:
            if command.startswith("VOLT "):
                self.held = command.removeprefix("VOLT ")

        def _read(self, **_: object) -> str:
            return self.held

    return Source(Adapter(), "memory", includeSCPI=False)


def cpu() -> float:
    """Seconds of processor that this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
