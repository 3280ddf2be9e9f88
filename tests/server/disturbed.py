"""Installed as ``sitecustomize`` for a rig's server: lets a test set that server's wall clock, and stall its disk.

Both are files of a folder: ``clock`` holds seconds that UTC is ahead by; while ``stall`` is there, no write returns.
The machine's own clock and disks are left alone.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event


def _disturb(folder: Path) -> None:
    from labrig.clock import RealClock
    from labrig.model import Block
    from labrig.model import Event as Happening
    from labrig.recording.writer import ClockPair, RunWriter

    utc, write = RealClock.utc, RunWriter.write

    def disturbed_utc(clock: RealClock) -> datetime:
        ahead = folder / "clock"
        return utc(clock) + timedelta(seconds=float(ahead.read_text("utf-8")) if ahead.exists() else 0.0)

    def disturbed_write(writer: RunWriter, items: Sequence[Block | Happening | ClockPair]) -> None:
        while (folder / "stall").exists():
            Event().wait(0.02)
        write(writer, items)

    RealClock.utc, RunWriter.write = disturbed_utc, disturbed_write  # type: ignore[assignment,method-assign]


if "serve" in sys.orig_argv:
    _disturb(Path(os.environ["LABRIG_DISTURBED"]))
