"""Proof: a disk that stalls or fills up under a rig's server costs no acknowledged sample, and not the rig's safety.

``python -m tests.proofs.sick_disks --times 5`` (as root, on Linux) gives a rig's real processes a data folder on a file
system of its own, starts a run, and then

stall   freezes the file system for six seconds: the run goes on, people are told, and not one sample is missing
stop    freezes it and stops the run: the plant is safe at once by its own clock, the end is recorded after the thaw
soon    fills it up but for a megabyte: the run is stopped while there is room
full    fills it up at once: the run is stopped, and its end stands in the space that was set aside

It exits with 1 where one does not hold.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from labrig.client import Client
from labrig.clock import SECOND, monotonic
from labrig.errors import LabrigError
from labrig.recording import RunFile
from labrig.wire.documents import RunPaper
from tests.proofs.disks import MEGABYTE, file_system, frozen
from tests.proofs.server_deaths import AT_ONCE, under_way
from tests.proofs.witness import Witness
from tests.server.harness import Rigged, over, rigged, wait_until

STALL: Final = 6.0
DEVICE: Final = 160
LEFT: Final = {"soon": MEGABYTE, "full": 0}


def main() -> int:
    """Run the proof; 0 when it holds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5)
    asked = parser.parse_args()
    plays: dict[str, Callable[[Rigged, Path], str]] = {"stall": stall, "stop": stop, "soon": soon, "full": full}
    held = True
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        disk = stack.enter_context(file_system(folder / "disk", "ext4", DEVICE))
        up = stack.enter_context(rigged(disk))
        for name, play in plays.items():
            good = sum(played(name, play, up, disk) for _ in range(asked.times))
            print(f"{name}: {good} of {asked.times} held; load {os.getloadavg()[0]:.1f}", flush=True)
            held &= good == asked.times
    return 0 if held else 1


def played(name: str, play: Callable[[Rigged, Path], str], up: Rigged, disk: Path) -> bool:
    """Play it once and say what came of it."""
    try:
        print(f"{name}: {play(up, disk)}", flush=True)
    except (AssertionError, LabrigError, OSError):
        print(f"{name}: {traceback.format_exc(limit=-3)}", flush=True)
        return False
    finally:
        (disk / "ballast").unlink(missing_ok=True)
        while up.clients:
            up.clients.pop().close()
    return True


def stall(up: Rigged, disk: Path) -> str:
    """No sample is missing, and people were told meanwhile."""
    client, witness, paper = begun(up)
    with frozen(disk):
        threading.Event().wait(STALL)
        warnings = client.status().warnings
        assert up.pressurised, f"the run ended: {client.status().run}"
    threading.Event().wait(1.0)
    client.stop("enough", "proof")
    ended = up.last_run(client)
    assert ended.outcome == "aborted", ended.reason
    assert any("disk is slow" in words for words in warnings), warnings
    return f"{ended.outcome} afterwards; {kept(up, witness, paper)}"


def stop(up: Rigged, disk: Path) -> str:
    """The plant does not wait for the disk."""
    client, witness, paper = begun(up)
    with frozen(disk):
        threading.Event().wait(1.0)
        since = monotonic()
        client.stop("enough", "proof")
        seconds = up.seconds_until_safe(since)
        threading.Event().wait(1.0)
    assert seconds < AT_ONCE, seconds
    ended = up.last_run(client)
    assert ended.outcome == "aborted", ended.reason
    return f"safe after {1e3 * seconds:.1f} ms; {kept(up, witness, paper)}"


def soon(up: Rigged, disk: Path) -> str:
    """The recorder looks ahead every ten seconds."""
    return filled(up, disk, "soon")


def full(up: Rigged, disk: Path) -> str:
    """The next commit finds no room."""
    return filled(up, disk, "full")


def filled(up: Rigged, disk: Path, how: str) -> str:
    """The disk takes no more; the run ends in order, and the file is whole."""
    client, witness, paper = begun(up)
    since = monotonic()
    with (disk / "ballast").open("wb", buffering=0) as ballast:
        space = os.statvfs(disk)
        os.posix_fallocate(ballast.fileno(), 0, max(1, space.f_bavail * space.f_frsize - LEFT[how]))
    wait_until(lambda: over(client), "the run is over")
    seconds = up.seconds_until_safe(since)
    ended = up.last_run(client)
    assert ended.outcome == "failed", ended.reason
    assert "disk" in ended.reason, ended.reason
    return f"safe {seconds:.1f} s later: {ended.reason!r}; {kept(up, witness, paper)}"


def begun(up: Rigged) -> tuple[Client, Witness, RunPaper]:
    """A run that is going on, and a client that follows it."""
    client, paper = under_way(up)
    witness = Witness(client)
    wait_until(lambda: witness.has_proof, "something is acknowledged")
    return client, witness, paper


def kept(up: Rigged, witness: Witness, paper: RunPaper) -> str:
    """Fails where the file is not whole, or lacks an acknowledged or any other sample."""
    witness.leave()
    with up.file(paper) as run:
        assert run.verify().whole, run.verify()
        acknowledged, lost = witness.held_against(run)
        gaps = {name: total.lost for name, total in run.totals.items() if total.lost}
        seconds = length(run)
    assert not lost, f"{lost} of {acknowledged} acknowledged values"
    assert not gaps, f"samples lost: {gaps}"
    return f"{seconds:.1f} s recorded, {acknowledged} values acknowledged, none lost"


def length(run: RunFile) -> float:
    times = [int(block.times[end]) for block in run.blocks() for end in (0, -1)]
    return (max(times) - min(times)) / SECOND


if __name__ == "__main__":
    sys.exit(main())
