"""How long from Stop, and from a sample above its limit, until the feed valve is commanded; by the plant's clock.

Run it as ``python benchmarks/latency.py --times 200`` and with ``--busy``, which keeps every core busy. The rig's real
processes run on the simulated rig, which tells when each command came. Beside the figures stands how late an idle
100 Hz loop of this program woke up meanwhile, and how late the guardian did.
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
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from labrig.client import Client
from labrig.clock import SECOND, Lateness, monotonic, spawn
from labrig.config import find_rig
from labrig.units import psi
from labrig.wire.documents import RunPaper
from tests.server.harness import FEED, RIG, Rigged, rigged, wait_until

LIMIT = 12.0
"""psi: the interlock's limit here, below the protocol's set point."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--busy", action="store_true", help="keep every core busy meanwhile")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, burning(os.cpu_count() or 1 if asked.busy else 0), bare() as lateness:
        with rigged(Path(folder), limited(Path(folder))) as up:
            client = up.client()
            aborts = [abort(up, client) for _ in range(asked.times)]
            trips = [over_pressure(up, client) for _ in range(asked.times)]
        log = (Path(folder) / "data" / "servers" / f"{RIG}.log").read_text(encoding="utf-8")
    print(f"{'every core busy' if asked.busy else 'idle'}, {asked.times} each, ms: p50, p99, max")
    show("stop to valve commanded", aborts)
    show("sample above its limit to valve commanded", trips)
    print(f"bare 100 Hz loop: {lateness}")
    print(*re.findall(r"guardian: .*", log), sep="\n")


def abort(up: Rigged, client: Client) -> float:
    """Seconds from the call of stop."""
    up.start(up.ready(client), up.order(pressure="5 psi", after="0.1 s"))
    since = monotonic()
    client.stop("benchmark", "benchmark")
    return (closed(up, since) - since) / SECOND


def over_pressure(up: Rigged, client: Client) -> float:
    """Seconds from the time of the sample that breaks the limit by the rule of two in three."""
    up.ready(client)
    since = monotonic()
    up.start(client, up.order("overshoot", pressure="8 psi", after="0.1 s"))
    paper = up.last_run(client)
    assert paper.outcome == "tripped", paper.reason
    return (closed(up, opened(up, since)) - deciding(up, paper)) / SECOND


def opened(up: Rigged, since: int) -> int:
    return next(time for time, address, raw in up.control.commands(since) if address == FEED and raw == 1.0)


def closed(up: Rigged, since: int) -> int:
    """When the feed was next commanded shut."""
    wait_until(lambda: not up.pressurised, "the feed is shut")
    return next(time for time, address, raw in up.control.commands(since) if address == FEED and raw == 0.0)


def deciding(up: Rigged, paper: RunPaper) -> int:
    with up.file(paper) as run:
        series = run.series("feed_pressure")
    above = series.values > LIMIT * psi
    votes = np.convolve(above.astype(int), (1, 1, 1))[: len(above)]
    return int(series.times[np.flatnonzero(above & (votes >= 2))[0]])


def limited(folder: Path) -> Path:
    """The shipped rig with a lower limit."""
    text = find_rig(RIG).read_text(encoding="utf-8")
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
