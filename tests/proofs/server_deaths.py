"""Proof: whatever dies above it, the plant is safe in time, and nothing that was acknowledged is lost.

``python tests/proofs/server_deaths.py kill --times 200`` plays one scenario so often on one rig's real processes and
prints the figures: seconds by the plant's clock from the fault to the last safe output. It exits with 1 where one is
beyond its bound or anything else that the tests of ``tests/server`` ask for does not hold.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from labrig.client import Client
from tests.server import scenarios
from tests.server.harness import Rigged, rigged

WATCHDOG = 0.6
AT_ONCE = 0.2


def played(up: Rigged, chance: random.Random) -> dict[str, tuple[Callable[[], float], float]]:
    """Scenarios by name, each with its bound."""
    return {
        "kill": (lambda: scenarios.server_dies(up, signal.SIGKILL, chance.uniform(0.0, 2.0)), WATCHDOG),
        "freeze": (lambda: scenarios.server_dies(up, signal.SIGSTOP, chance.uniform(0.0, 1.0)), WATCHDOG),
        "runner": (lambda: scenarios.runner_killed(up, up.client()), AT_ONCE),
        "stop": (lambda: stopped(up, stop_of), AT_ONCE),
        "twice": (lambda: stopped(up, scenarios.stop_twice_at_once), AT_ONCE),
        "flood": (lambda: stopped(up, stop_of, "flood"), AT_ONCE),
        "loop": (lambda: scenarios.deed_done(up, up.client(), "loop", "sign of life"), scenarios.SILENCE + AT_ONCE),
    }


def stopped(up: Rigged, how: Callable[[Client], Callable[[], object]], deed: str = "swallow") -> float:
    client = up.client()
    return scenarios.stopped(up, client, how(client), deed)


def stop_of(client: Client) -> Callable[[], object]:
    return lambda: client.stop("proof", "proof")


def main() -> int:
    """Run the proof; 0 when it holds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("scenario", choices=["kill", "freeze", "runner", "stop", "twice", "flood", "loop"])
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    figures: list[float] = []
    faults = 0
    with tempfile.TemporaryDirectory() as folder, rigged(Path(folder)) as up:
        play, bound = played(up, random.Random(asked.seed))[asked.scenario]
        for number in range(asked.times):
            try:
                figures.append(play())
            except Exception:  # noqa: BLE001 - counted and shown
                faults += 1
                print(f"{number}: {traceback.format_exc(limit=-2)}")
            while len(up.clients) > 1:
                up.clients.pop().close()
    late = [figure for figure in figures if figure > bound]
    figures.sort()
    if figures:
        p50, p99, worst = (1e3 * figures[min(len(figures) - 1, len(figures) * p // 100)] for p in (50, 99, 100))
        print(f"{asked.scenario}: {len(figures)} of {asked.times}, to the last safe output: p50 {p50:.1f} ms, ", end="")
        print(f"p99 {p99:.1f} ms, max {worst:.1f} ms; {len(late)} beyond {1e3 * bound:.0f} ms, {faults} wrong")
    return 1 if late or faults else 0


if __name__ == "__main__":
    sys.exit(main())
