"""Proof: a power cut takes from a run only what no commit had brought to the disk yet.

``python -m tests.proofs.power_cut --times 50`` (as root, on Linux, with xfsprogs) records 16 channels at 1 kS/s, and
sometimes as fast as it goes, onto ext4 on a block device of its own. At random moments that device's image is cloned in
one go while it is written: what the device had taken by then is in the clone, and nothing else. Each clone is mounted,
so that ext4 replays its journal, and its run file is recovered and held against what the recording process had told
through a pipe before the cut. It exits with 1 where an acknowledged sample or event is not there, a value is wrong, or
a second recovery changes anything.

The device has no cache that forgets: a disk that says to have written what it has not is not proved here.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from labrig.clock import SECOND, monotonic, spawn
from labrig.errors import LabrigError
from labrig.recording import RunFile
from labrig.server.archive import LEFT_OPEN
from tests.proofs.disks import clone, file_system, mounted
from tests.proofs.kill_recorder import NAMES, N, Told, check, is_unbegun, recording, understood

IMAGE: Final = "device"
RUN: Final = "run.labrig"
AFTER_THE_FIRST: Final = 0.8
"""Share of the runs whose cuts come after their first block; the others may be cut while the file is being created."""
CUTS_OF_A_RUN: Final = 5
DEVICE: Final = 256
POOL: Final = 2048
"""Megabytes of the device, and of the file system that clones it."""


@dataclass(frozen=True, slots=True)
class Cut:
    """One clone."""

    image: Path
    said: tuple[str, ...]
    """What the recording process had said before it."""
    paced: bool
    between: float
    """The longest time between two commits of that run, s."""

    @property
    def told(self) -> Told:
        return understood(list(self.said))

    def lost(self, kept: int) -> float:
        """Seconds from the handing over of the first block that is not kept to that of the last before the cut."""
        handed = [int(line.split()[0]) for line in self.said if line != "closed"]
        return (handed[-1] - handed[kept]) / SECOND if kept < len(handed) else 0.0


def main() -> int:
    """Run the proof; 0 when it holds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    faults = number = acknowledged = unbegun = closed = 0
    unsaved: list[float] = []
    between: list[float] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        pool = stack.enter_context(file_system(folder / "pool", "xfs", POOL, "-m", "reflink=1"))
        device = stack.enter_context(file_system(pool / IMAGE, "ext4", DEVICE, direct=True))
        while number < asked.times:
            for cut in cuts(pool, device, min(CUTS_OF_A_RUN, asked.times - number), chance):
                wrong, kept = judged(cut)
                for line in wrong:
                    print(f"cut {number}: {line}", flush=True)
                number, faults = number + 1, faults + bool(wrong)
                acknowledged += cut.told.blocks * N * len(NAMES)
                unbegun, closed = unbegun + (not cut.told.handed), closed + cut.told.closed
                if cut.paced and cut.told.handed and not cut.told.closed:
                    unsaved.append(cut.lost(kept))
                    between.append(cut.between)
    print(
        f"{number} cuts, {unbegun} before the first block, {closed} after the closing: {acknowledged} values ", end=""
    )
    print(f"acknowledged, {faults} files wrong")
    for what, seconds in (("handed over in real time and lost", unsaved), ("longest between commits", between)):
        p50, worst = 1e3 * np.percentile(seconds or [np.nan], (50, 100))
        print(f"{what}: p50 {p50:.0f} ms, max {worst:.0f} ms of {len(seconds)} cuts")
    print(f"load {os.getloadavg()[0]:.1f}")
    return 1 if faults else 0


def cuts(pool: Path, device: Path, times: int, chance: random.Random) -> list[Cut]:
    """Record one run, and cut the power so often meanwhile."""
    paced, seconds = chance.random() < 0.7, chance.uniform(0.5, 4.0)
    folder = device / "runs"
    folder.mkdir()
    child = recording(folder / RUN, seconds, paced=paced)
    assert child.stdout is not None
    lines = child.stdout
    lines.readline()  # it is about to create the file
    first = [lines.readline().strip()] if chance.random() < AFTER_THE_FIRST else []
    began, never, said = monotonic(), threading.Event(), first

    def listen() -> None:
        for line in lines:
            said.append(line.strip())

    listener = spawn("listener", listen)
    made: list[tuple[Path, tuple[str, ...]]] = []
    for moment in sorted(chance.uniform(0.0, seconds + 0.3) for _ in range(times)):
        never.wait(max(0.0, moment - (monotonic() - began) / SECOND))
        made.append((pool / f"cut-{len(made)}", tuple(said)))
        clone(pool / IMAGE, made[-1][0])
    listener.join()
    child.wait()
    lines.close()
    shutil.rmtree(folder)
    longest = longest_between_commits(said)
    return [Cut(image, before, paced, longest) for image, before in made]


def longest_between_commits(said: list[str]) -> float:
    """Seconds between two of them, by what the recording process told of a whole run."""
    pairs = [tuple(map(int, line.split())) for line in said if line != "closed"]
    commits = sorted({through for _, through in pairs} | {max((handed for handed, _ in pairs), default=0)})
    return max(np.diff(commits), default=0) / SECOND


def judged(cut: Cut) -> tuple[list[str], int]:
    """What is wrong with the file in a clone, and how many blocks were kept. The clone is gone afterwards."""
    try:
        with mounted(cut.image) as folder:
            path = folder / "runs" / RUN
            if not cut.told.handed and is_unbegun(path):
                return [], 0
            left = any(path.with_name(path.name + end).exists() for end in LEFT_OPEN)
            wrong = check(path, cut.told)
            if not left and not cut.told.closed and cut.told.handed:
                wrong.append("nothing beside the file tells that it was left open")
            with RunFile(path) as run:
                kept = len(run.series(NAMES[0])) // N
            if cut.lost(kept) > cut.between:
                wrong.append(f"{cut.lost(kept):.3f} s lost, with {cut.between:.3f} s between two commits at most")
            return wrong, kept
    except LabrigError as error:
        return [str(error)], 0
    finally:
        cut.image.unlink()


if __name__ == "__main__":
    sys.exit(main())
