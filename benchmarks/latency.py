"""How long from a wish to stop, and from a pressure above its limit, until the feed valve is commanded shut.

Run it as ``python benchmarks/latency.py --times 200`` and with ``--busy``, which keeps every core busy; it ends after
nine minutes with what it has. The rig's real processes run on the simulated rig, which tells when each command came.
Each turn begins a run with the feed open and ends it one way: through the stop door, through the main port, or by a
pressure that passes an interlock's limit (from the crossing between two samples; the votes of the rule and the block
that brings them are part of the figure). Beside them stands how late an idle 100 Hz loop of this program woke up
meanwhile, how late the guardian did, and how long its looks took.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from labrig.client import Client
from labrig.clock import SECOND, Lateness, monotonic, spawn
from labrig.config import find_rig
from labrig.units import psi
from labrig.wire.documents import CommandAnswer, CommandOrder, RunPaper
from tests.server.harness import FEED, RIG, Rigged, rigged, wait_until

LIMIT = 12.0
"""psi: the interlock's limit here, below the protocol's set point."""
RATE, BLOCK = "1 kHz", "10 ms"
"""How the guarded pressure is read here: as fast as the rule asks for."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--busy", action="store_true", help="keep every core busy meanwhile")
    parser.add_argument("--minutes", type=float, default=9.0, help="end after so long, with fewer turns")
    asked = parser.parse_args()
    ways: dict[str, Callable[[Rigged, Client], float]] = {
        "stop door": stop_door,
        "end through the main port": main_port,
        "pressure above its limit": over_pressure,
    }
    found: dict[str, list[float]] = {name: [] for name in ways}
    with tempfile.TemporaryDirectory() as folder, burning(os.cpu_count() or 1 if asked.busy else 0), bare() as lateness:
        with rigged(Path(folder), limited(Path(folder))) as up:
            client = up.client()
            for name, way in ways.items():  # one after the other: an order that is the last one's is not rehearsed anew
                until = monotonic() + round(asked.minutes / len(ways) * 60 * SECOND)
                while len(found[name]) < asked.times and monotonic() < until:
                    found[name].append(way(up, client))
        log = (Path(folder) / "data" / "servers" / f"{RIG}.log").read_text(encoding="utf-8")
    load = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    print(f"{'every core busy' if asked.busy else 'idle'}, load {load}; to feed valve commanded, ms: p50, p99, max")
    for name, seconds in found.items():
        show(f"{name}, {len(seconds)} times", seconds)
    print(f"bare 100 Hz loop: {lateness}")
    print(*re.findall(r"guardian: .*|priority: (?:nice|as) .*", log), sep="\n")


def stop_door(up: Rigged, client: Client) -> float:
    """Seconds from the call of stop."""
    up.start(up.ready(client), up.order(pressure="5 psi", after="0 s"))
    since = monotonic()
    client.stop("benchmark", "benchmark")
    return (closed(up, since) - since) / SECOND


def main_port(up: Rigged, client: Client) -> float:
    """Seconds from the call by which a run's own process ends it."""
    paper = up.start(up.ready(client), up.order(pressure="5 psi", after="0 s"))
    leave = CommandOrder(run=paper.run, output="", verb="leave", outcome="aborted", reason="benchmark")
    since = monotonic()
    client.ask("Command", leave, CommandAnswer)
    return (closed(up, since) - since) / SECOND


def over_pressure(up: Rigged, client: Client) -> float:
    """Seconds from when the signal passed the limit."""
    up.ready(client)
    since = monotonic()
    up.start(client, up.order("overshoot", pressure="8 psi", after="0 s"))
    paper = up.last_run(client)
    assert paper.outcome == "tripped", paper.reason
    return (closed(up, opened(up, since)) - crossing(up, paper)) / SECOND


def opened(up: Rigged, since: int) -> int:
    return next(time for time, address, raw in up.control.commands(since) if address == FEED and raw == 1.0)


def closed(up: Rigged, since: int) -> int:
    """When the feed was next commanded shut."""
    wait_until(lambda: not up.pressurised, "the feed is shut")
    return next(time for time, address, raw in up.control.commands(since) if address == FEED and raw == 0.0)


def crossing(up: Rigged, paper: RunPaper) -> int:
    """When the signal passed the limit, between the last two samples of which one lies below."""
    with up.file(paper) as run:
        series = run.series("feed_pressure")
    above = series.values > LIMIT * psi
    votes = np.convolve(above.astype(int), (1, 1, 1))[: len(above)]
    decided = int(np.flatnonzero(above & (votes >= 2))[0])
    below = int(np.flatnonzero(~above[:decided])[-1])
    (t0, t1), (p0, p1) = series.times[below : below + 2], series.values[below : below + 2]
    return int(t0 + (t1 - t0) * (LIMIT * psi - p0) / (p1 - p0))


def limited(folder: Path) -> Path:
    """The shipped rig with a lower limit, and a pressure that is read as often as a guarded one can be."""
    text = find_rig(RIG).read_text(encoding="utf-8")
    text = text.replace('rate = "100 Hz"', f'rate = "{RATE}"\nblock = "{BLOCK}"', 1)
    path = folder / f"{RIG}.toml"
    path.write_text(
        re.sub(r'(channel = "feed_pressure"\nhigh = )"[^"]*"', rf'\1"{LIMIT:g} psi"', text), encoding="utf-8"
    )
    return path


@contextmanager
def burning(cores: int) -> Iterator[None]:
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(cores)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


@contextmanager
def bare() -> Iterator[Lateness]:
    """A loop that does nothing but wake up, as the guardian does."""
    lateness, over = Lateness(), threading.Event()

    def loop() -> None:
        due = monotonic()
        while not over.wait(max(0.0, (due - monotonic()) / SECOND)):
            lateness.add((monotonic() - due) / SECOND)
            due = monotonic() + SECOND // 100

    job = spawn("bare loop", loop)
    try:
        yield lateness
    finally:
        over.set()
        job.join()


def show(what: str, seconds: list[float]) -> None:
    figures = 1e3 * np.asarray(seconds)
    print(f"{what}: {np.percentile(figures, 50):.1f}, {np.percentile(figures, 99):.1f}, {figures.max():.1f}")


if __name__ == "__main__":
    main()
