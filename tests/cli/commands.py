"""The command line as somebody types it: in a process of its own, or in this one where that is enough."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from labrig.cli import main
from labrig.clock import spawn
from labrig.config import find_rig

COMMAND: Final = (sys.executable, "-m", "labrig.cli")
SHORT: Final = ("--set", "zero=1 s", "--set", "settle=1 s", "--set", "window=3 s")
"""Plateaus that are just long enough for a test."""
PATIENCE: Final = 60.0
"""Seconds that anything may take on a busy machine."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str


def typed(arguments: Sequence[str], *, cwd: Path | None = None, env: dict[str, str] | None = None) -> Said:
    """A command in a process of its own."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        env=os.environ | (env or {}), cwd=cwd, stdin=subprocess.DEVNULL,
        capture_output=True, encoding="utf-8", check=False, timeout=PATIENCE,
    )  # fmt: skip
    return Said(done.returncode, done.stdout, done.stderr)


def exit_code(arguments: Sequence[str]) -> int:
    """A command in this process; what it printed is for ``capsys``."""
    before, sys.argv = sys.argv, ["labrig", *arguments]
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    finally:
        sys.argv = before
    return 0


class Running:
    """A command that runs: what it said so far, and its end."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: list[str] = []
        self.out = ""
        self._heard = threading.Condition()
        self._ears = [spawn("stderr of labrig", self._hear), spawn("stdout of labrig", self._read)]

    def wait_for(self, words: str) -> None:
        """Until a line on standard error holds those words."""
        with self._heard:
            came = self._heard.wait_for(lambda: any(words in line for line in self.said) or self._over(), PATIENCE)
        assert came, f"never said {words!r}: {self.said}"
        assert any(words in line for line in self.said), f"ended without {words!r}: {self.said}"

    def end(self) -> Said:
        """Wait for the end."""
        code = self.process.wait(PATIENCE)
        for ear in self._ears:
            ear.join(PATIENCE)
        return Said(code, self.out, "".join(self.said))

    def _hear(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._heard:
                self.said.append(line)
                self._heard.notify_all()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.out = self.process.stdout.read()
        with self._heard:
            self._heard.notify_all()

    def _over(self) -> bool:
        return self.process.poll() is not None


@contextmanager
def running(*arguments: str, cwd: Path | None = None) -> Iterator[Running]:
    """``labrig`` with those arguments, in a session of its own as a terminal gives it; killed at the end if need be."""
    with subprocess.Popen(
        [*COMMAND, *arguments], cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        encoding="utf-8", start_new_session=True,
    ) as process:  # fmt: skip
        command = Running(process)
        try:
            yield command
        finally:
            process.kill()
            command.end()


def rig_text(name: str = "bench-25") -> str:
    """A shipped rig file."""
    return find_rig(name).read_text(encoding="utf-8")


def write(folder: Path, text: str, *changes: tuple[str, str]) -> Path:
    """A rig file with each text replaced by another; it must be there."""
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    path = folder / "bench.toml"
    path.write_text(text, encoding="utf-8")
    return path


def wired(text: str, ni: str, balance: str) -> str:
    """A rig file as somebody writes it for a real bench: addresses, and no word of a simulation."""
    text, _, _ = text.partition("\n[simulation]")
    return text.replace("sim://ni", ni).replace("sim://balance", balance)


def until(holds: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Whether it came to hold in time."""
    never = threading.Event()
    for _ in range(round(seconds / 0.02)):
        if holds():
            return True
        never.wait(0.02)
    return holds()


def children(pid: int) -> set[int]:
    """Processes that this one started, directly or not."""
    parents = {int(stat.split(" ", 1)[0]): int(stat.rpartition(")")[2].split()[1]) for stat in _stats()}
    family = {pid}
    while grown := {child for child, parent in parents.items() if parent in family} - family:
        family |= grown
    return family - {pid}


def _stats() -> Iterator[str]:
    for entry in Path("/proc").iterdir():
        if re.fullmatch(r"\d+", entry.name):
            try:
                yield (entry / "stat").read_text()
            except OSError:
                continue


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False
