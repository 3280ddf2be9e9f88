"""The supervisor: starts a rig's server (and the simulated rig where the rig file has one), watches, restarts.

Tiny, and loads nothing heavy. A server that dies or freezes is started again into the safe state, never into the run.
Started by ``labrig up`` with one JSON argument.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Final

from labrig.clock import spawn
from labrig.simulator import SimulatedRig

LOOK: Final = 0.2
RESTARTS: Final = 12
RESTART_WINDOW: Final = 60.0
"""Seconds: a server that ends `RESTARTS` times within it is given up."""
FROZEN: Final = 5.0
"""Seconds without a heartbeat after which a server counts as frozen and is ended."""
START: Final = 60.0
"""Seconds until the first heartbeat."""
END: Final = 20.0
TAKEN: Final = 3
"""Exit code of a server that another one keeps from the rig; trying again would not help."""
BAD_INPUT: Final = 2
"""Exit code of a server that refuses its rig file; at the first start trying again would not help either."""


@dataclass(frozen=True, slots=True)
class Orders:
    """What a supervisor is started with."""

    rig: str
    data: str
    log: str
    membrane: str = ""
    seed: int = 0
    simulated: bool = False


@dataclass
class _Pulse:
    """A server's heartbeat: each line on its standard output is one."""

    last: float = field(default_factory=time.monotonic)
    beats: int = 0

    def listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for _ in lines:
                self.last, self.beats = time.monotonic(), self.beats + 1

    def frozen(self) -> bool:
        return time.monotonic() - self.last > (FROZEN if self.beats else START)


def supervise(orders: Orders) -> int:
    """Until told to end, until the server ends in order, or until it cannot be kept alive (then 1)."""
    ended = threading.Event()

    def end(_: int, __: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    log = Path(orders.log)
    with ExitStack() as stack:
        command, lifeline = _server_command(orders, stack)
        starts: list[float] = []
        again = False
        while not ended.is_set():
            starts = [start for start in starts if time.monotonic() - start < RESTART_WINDOW]
            if len(starts) >= RESTARTS:
                _say(log, f"the server ended {RESTARTS} times within {RESTART_WINDOW:g} s; the supervisor gives up")
                return 1
            starts.append(time.monotonic())
            code = _serve_once(command, lifeline, log, ended)
            if code in {0, TAKEN} or ended.is_set():
                return TAKEN if code == TAKEN else 0
            if code == BAD_INPUT and not again:
                return BAD_INPUT
            again = True
            _say(log, f"the server ended unexpectedly (code {code}); it is started again, with the rig safe")
    return 0


def _server_command(orders: Orders, stack: ExitStack) -> tuple[list[str], tuple[int, ...]]:
    """The server's command, and the simulated rig's lifeline that it inherits."""
    command = [sys.executable, "-m", "labrig.cli", "serve", orders.rig, "--data", orders.data]
    command += ["--supervisor", str(os.getpid()), "--heartbeat"]
    if not orders.simulated:
        return command, ()
    rig = stack.enter_context(SimulatedRig(Path(orders.rig), orders.membrane, orders.seed))
    command += ["--endpoints", json.dumps({**rig.endpoints}), "--control", rig.control, "--membrane", orders.membrane]
    return command, (rig.lifeline,) if sys.platform != "win32" else ()


def _serve_once(command: list[str], lifeline: tuple[int, ...], log: Path, ended: threading.Event) -> int:
    """One life of the server; returns its exit code."""
    with log.open("ab") as errors:
        server = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, pass_fds=lifeline
        )
    pulse = _Pulse()
    listener = spawn("server's pulse", lambda: pulse.listen(server))
    try:
        return _watch(server, pulse.frozen, log, ended)
    finally:
        listener.join(END)


def _watch(server: subprocess.Popen[bytes], frozen: Callable[[], bool], log: Path, ended: threading.Event) -> int:
    while server.poll() is None:
        if ended.wait(LOOK):
            server.terminate()
            try:
                return server.wait(END)
            except subprocess.TimeoutExpired:
                server.kill()
                return server.wait()
        if frozen():
            _say(log, f"the server has not answered for {FROZEN:g} s; it is ended")
            server.kill()
            return server.wait()
    return server.returncode


def _say(log: Path, words: str) -> None:
    with log.open("a", encoding="utf-8") as file:
        file.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} supervisor: {words}\n")


def start(orders: Orders) -> subprocess.Popen[bytes]:
    """A supervisor of its own session: it lives on when whoever started it ends."""
    Path(orders.log).parent.mkdir(parents=True, exist_ok=True)
    document = json.dumps({name: getattr(orders, name) for name in Orders.__dataclass_fields__})
    detached: dict[str, Any] = (
        {"creationflags": subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP}  # type: ignore[attr-defined, unused-ignore]
        if sys.platform == "win32"
        else {"start_new_session": True}
    )
    with Path(orders.log).open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "labrig.supervisor", document],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            **detached,
        )


if __name__ == "__main__":
    sys.exit(supervise(Orders(**json.loads(sys.argv[1]))))
