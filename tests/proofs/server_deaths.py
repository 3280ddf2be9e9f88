"""Proof: whatever dies above it, the plant is safe in time, and nothing that was acknowledged is lost.

``python -m tests.proofs.server_deaths --times 50`` plays every scenario so often on one rig's real processes, or those
that are named, five times in turn, and prints a line for each (also of what there is when it is told to end):

kill, freeze   the server is killed or frozen at a random moment of a run
runner         the protocol's process is killed
stop, twice    a run is stopped by one client, by two at once, while the protocol opens the feed again and again
flood          the same, with commands queued behind it as fast as they go
loop           the protocol loops for ever and gives no sign of life

A figure is milliseconds by the plant's clock from the fault to the last safe output. A client in another process keeps
what it sees; what it had received before a moment up to which the server told that all is recorded is acknowledged.
A machine that is too busy to play the rig makes a guard channel silent, so that the run is refused, or ends before its
scenario has begun: that is counted as spoilt and played again. It exits with 1 where a figure is beyond its bound, a
value is lost, or anything else that the tests of ``tests/server`` ask for does not hold.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from labrig.client import Client, Refused
from labrig.clock import SECOND, monotonic
from labrig.endpoint import ServerGone, read_endpoint
from labrig.errors import LabrigError, RigError
from labrig.model import Outcome
from labrig.wire.documents import Control, RunPaper
from tests.proofs.witness import Witness
from tests.server import scenarios
from tests.server.harness import Rigged, rigged, wait_until

WATCHDOG: Final = 0.6
AT_ONCE: Final = 0.2
APART: Final = 5.5
"""Seconds between two deaths of the server: one that dies a dozen times a minute is given up by its supervisor."""
SPOILT: Final = 3
"""So often as the scenario is asked for may it be spoilt, before the machine is called too busy."""
PATIENCE: Final = 180.0
TRIES: Final = 20
IN_A_ROW: Final = 5
BOUNDS: Final = {
    "kill": WATCHDOG,
    "freeze": WATCHDOG,
    "runner": AT_ONCE,
    "stop": AT_ONCE,
    "twice": AT_ONCE,
    "flood": AT_ONCE,
    "loop": scenarios.SILENCE + AT_ONCE,
}


@dataclass
class Tally:
    """What became of one scenario."""

    asked: int
    seconds: list[float] = field(default_factory=list)
    acknowledged: int = 0
    lost: int = 0
    wrong: int = 0
    spoilt: int = 0

    @property
    def finished(self) -> bool:
        return len(self.seconds) + self.wrong >= self.asked or self.spoilt > SPOILT * self.asked

    def held(self, bound: float) -> bool:
        return len(self.seconds) == self.asked and max(self.seconds) <= bound and not self.lost and not self.wrong


def main() -> int:
    """Run the proof; 0 when it holds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", nargs="*", help=f"of {', '.join(BOUNDS)}; all by default")
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    if unknown := set(asked.scenario) - BOUNDS.keys():
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}; there are {', '.join(BOUNDS)}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    chance = random.Random(asked.seed)
    tallies = {name: Tally(asked.times) for name in asked.scenario or BOUNDS}
    with tempfile.TemporaryDirectory() as folder, rigged(Path(folder)) as up, suppress(KeyboardInterrupt):
        while unfinished := [name for name, tally in tallies.items() if not tally.finished]:
            for name in unfinished:
                repeated(up, name, tallies[name], chance)
    print(f"{'scenario':9} {'held':>9} {'spoilt':>6} {'p50 ms':>8} {'p99 ms':>8} {'max ms':>8} {'bound':>6}", end="")
    print(f" {'acknowledged':>13} {'lost':>5}")
    for name, tally in tallies.items():
        print(line(name, tally))
    print(f"load {os.getloadavg()[1]:.1f}")
    return 0 if all(tally.held(BOUNDS[name]) for name, tally in tallies.items()) else 1


def line(name: str, tally: Tally) -> str:
    """One line of the table."""
    figures = 1e3 * np.asarray(tally.seconds or [np.nan])
    in_time = sum(seconds <= BOUNDS[name] for seconds in tally.seconds)
    p50, p99, worst = np.percentile(figures, (50, 99, 100))
    return (
        f"{name:9} {in_time:>4}/{tally.asked:<4} {tally.spoilt:>6} {p50:>8.1f} {p99:>8.1f} {worst:>8.1f} "
        f"{1e3 * BOUNDS[name]:>6.0f} {tally.acknowledged or '':>13} {tally.lost if tally.acknowledged else '':>5}"
    )


def repeated(up: Rigged, name: str, tally: Tally, chance: random.Random) -> None:
    """One scenario a few times in a row: the server need not check the same order twice."""
    play = played(up, chance, tally)[name]
    for _ in range(IN_A_ROW):
        if tally.finished:
            return
        settled(up)
        began = monotonic()
        try:
            tally.seconds.append(play())
            print(f"{name}: {1e3 * tally.seconds[-1]:.1f} ms", file=sys.stderr, flush=True)
        except (AssertionError, LabrigError, ValueError, OSError, IndexError):
            words = traceback.format_exc(limit=-3)
            settled(up)
            if "silent" in words or spoilt(up, began):
                tally.spoilt += 1
            else:
                tally.wrong += 1
                print(f"{name}: {words}", flush=True)
        while up.clients:
            up.clients.pop().close()


def played(up: Rigged, chance: random.Random, tally: Tally) -> dict[str, Callable[[], float]]:
    """What plays a scenario once."""
    return {
        "kill": lambda: died(up, signal.SIGKILL, chance.uniform(0.0, 2.0), tally),
        "freeze": lambda: died(up, signal.SIGSTOP, chance.uniform(0.0, 1.0), tally),
        "runner": lambda: scenarios.runner_killed(up, up.client()),
        "stop": lambda: stopped(up, stop_of),
        "twice": lambda: stopped(up, scenarios.stop_twice_at_once),
        "flood": lambda: stopped(up, stop_of, "flood"),
        "loop": lambda: scenarios.deed_done(up, up.client(), "loop", "sign of life"),
    }


def died(up: Rigged, number: int, pause: float, tally: Tally) -> float:
    """The server is killed or frozen at some moment; what an outside client saw is held against the file."""
    never, began = threading.Event(), monotonic()
    client = up.ready(up.client())
    paper = up.start(client, up.order())
    assert up.pressurised
    witness = Witness(client)
    wait_until(lambda: witness.has_proof, "something is acknowledged")
    never.wait(pause)
    before, since = up.endpoint, monotonic()
    os.kill(before.pid, number)
    seconds = up.seconds_until_safe(since)
    up.renewed(before)
    witness.leave()
    filed = up.client().run(paper.run)
    assert filed.outcome == Outcome.INTERRUPTED.value
    with up.file(filed) as run:
        assert run.verify().whole
        acknowledged, lost = witness.held_against(run)
    tally.acknowledged += acknowledged
    tally.lost += lost
    up.stays_safe(0.2, since + round((seconds + 0.001) * SECOND))
    never.wait(APART - (monotonic() - began) / SECOND)
    return seconds


def stopped(up: Rigged, how: Callable[[Client], Callable[[], object]], deed: str = "swallow") -> float:
    client = up.client()
    return scenarios.stopped(up, client, how(client), deed)


def stop_of(client: Client) -> Callable[[], object]:
    return lambda: client.stop("proof", "proof")


def under_way(up: Rigged, **changes: Any) -> tuple[Client, RunPaper]:  # noqa: ANN401 - parameters of the protocol
    """A run that has pressure; begun again where the machine was too busy to play the rig."""
    for _ in range(TRIES):
        settled(up)
        client = up.client()
        with suppress(Refused):
            paper = up.start(client, up.order(**changes))
            if up.pressurised:
                return client, paper
    raise RigError(f"no run began in {TRIES} tries: this machine is too busy")


def settled(up: Rigged) -> None:
    """A server answers again, no run is going on, and the rig is reset."""

    def free() -> bool:
        with suppress(ServerGone, Refused):
            up.endpoint = read_endpoint(up.data, up.endpoint.rig)
            with Client(up.endpoint) as client:
                status = client.status()
                if status.state == "tripped":
                    client.control(Control(verb="reset", by="proof"))
                if status.run is not None and not status.run.outcome:
                    client.stop("left over", "proof")
                return status.state == "safe"
        return False

    wait_until(free, "the rig is free", PATIENCE)


def spoilt(up: Rigged, began: int) -> bool:
    """Whether what ended the run since then is that a guard channel was silent: nobody killed or stopped it."""
    with Client(up.endpoint) as client:
        status = client.status()
    run = status.run
    return "silent" in status.reason or (run is not None and run.started >= began and "silent" in run.reason)


if __name__ == "__main__":
    sys.exit(main())
