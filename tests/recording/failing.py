"""A process whose disk fails while it records; it prints, as JSON, what the recorder said and promised.

``python -m tests.recording.failing HOW FILE``. Most failures are the operating system's own: a limit on the size of
files, and the write-ahead log put onto ``/dev/full`` (no room) or ``/dev/null`` (takes bytes, cannot sync). For a disk
that has room again once the reserve is gone, SQLite is told how many pages the file may have.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
from pathlib import Path

from labrig.clock import RealClock
from labrig.errors import RecordingError
from labrig.model import Noted, Outcome
from labrig.recording import Recorder
from tests.recording.runs import block, header

N = 500


class Failing:
    """Records until the recorder gives up, and then a little more, as a station does while it stops."""

    def __init__(self, how: str, path: Path) -> None:
        self.how, self.path = how, path
        self.reasons: list[str] = []
        self.handed: list[int] = []
        self.failed = threading.Event()
        self.clock = RealClock()
        reserve = 1_000_000 if how == "full-with-reserve" else 0
        self.recorder = Recorder(path, header(), clock=self.clock, on_failure=self.on_failure, reserve_bytes=reserve)

    def run(self) -> dict[str, object]:
        while not self.failed.is_set():
            if len(self.handed) == 50:
                self.break_disk()
            self.hand()
            self.failed.wait(0.002)
        handed_at_failure = len(self.handed)
        for _ in range(20):
            self.hand()
            threading.Event().wait(0.01)
        error = ""
        try:
            self.recorder.close(Outcome.FAILED, "the disk failed")
        except RecordingError as raised:
            error = str(raised)
        return {
            "reasons": self.reasons,
            "acknowledged": sum(1 for time in self.handed if time <= self.recorder.recorded_through),
            "handed": len(self.handed),
            "handed_at_failure": handed_at_failure,
            "error": error,
        }

    def hand(self) -> None:
        number = len(self.handed)
        self.recorder(block(number * N, N))
        self.recorder(Noted(self.clock.now(), f"block {number}"))
        self.handed.append(self.clock.now())

    def break_disk(self) -> None:
        if self.how == "full-with-reserve":
            self.limit_pages(50)
        elif self.how == "limit":
            resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, 1_500_000))
        else:
            replacement = os.open("/dev/null" if self.how == "no-sync" else "/dev/full", os.O_RDWR)
            os.dup2(replacement, log())
            os.close(replacement)

    def limit_pages(self, pages: int) -> None:
        self.recorder._writer._connection.execute(f"PRAGMA max_page_count = {pages}")  # noqa: SLF001

    def on_failure(self, reason: str) -> None:
        self.reasons.append(reason)
        if self.how == "full-with-reserve":
            assert not self.path.with_name(self.path.name + "-reserve").exists()
            self.limit_pages(100_000)
        self.failed.set()


def log() -> int:
    """The descriptor of the write-ahead log."""
    for entry in Path("/proc/self/fd").iterdir():
        if entry.is_symlink() and str(entry.readlink()).endswith(".labrig-wal"):
            return int(entry.name)
    raise AssertionError("the recorder has no log open")


if __name__ == "__main__":
    sys.stdout.write(json.dumps(Failing(sys.argv[1], Path(sys.argv[2])).run()))
