"""A rig's real processes for the tests and proofs of this folder: supervisor, server, runners and the simulated rig.

What becomes of the rig is judged through the simulated rig's control port, which tells what its valves were last
commanded, and when by the plant's own clock, whatever has become of the processes above it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from labrig.client import Client, Refused
from labrig.clock import SECOND, monotonic
from labrig.config import RigConfig, load_rig
from labrig.endpoint import Endpoint, ServerGone, read_endpoint
from labrig.recording import RunFile
from labrig.wire.documents import Ordered, RunPaper, Status
from labrig_instruments.simulated.control import Control
from tests.server import benches

RIG: Final = benches.RIG
FEED, VENT, DRAIN, SETPOINT = "cDAQ1Mod3/port0/line0", "cDAQ1Mod3/port0/line1", "cDAQ1Mod3/port0/line2", "cDAQ1Mod4/ao0"
SAFE: Final = {FEED: 0.0, VENT: 0.0, DRAIN: 0.0, SETPOINT: 0.0}
"""Raw commands of the safe state: feed and drain closed, vent open (it opens without current), no pressure."""
LONG: Final = 180.0
"""Seconds to wait for what must come to pass: a crowded machine takes a minute to start a process."""


@dataclass
class Rigged:
    """One rig that is up."""

    data: Path
    supervisor: int
    endpoint: Endpoint
    control: Control
    methods: Path
    mark: str
    """In the environment of each of its processes."""
    clients: list[Client] = field(default_factory=list)
    refused: tuple[subprocess.CompletedProcess[str], ...] = ()
    """Further starts in the same moment."""

    def client(self) -> Client:
        """A new client of the server as it is now; closed with the rig."""
        self.endpoint = read_endpoint(self.data, self.endpoint.rig)
        self.clients.append(Client(self.endpoint))
        return self.clients[-1]

    def order(self, deed: str = "nothing", *, attended: bool = False, coupon: str = "T-1", **changes: Any) -> Ordered:  # noqa: ANN401
        """An order of the misbehaving protocol, and from now on its deed."""
        (self.methods.parents[1] / "site" / "deed").write_text(deed, encoding="utf-8")
        return Ordered(
            method=str(self.methods / "misbehaving.toml"),
            changes=changes,
            coupon=coupon,
            attended=attended,
        )

    def start(self, client: Client, order: Ordered, *, tries: int = 5) -> RunPaper:
        """Start a run and wait until its deed is being done: the feed is open and pressure stands.

        A machine that is too busy to play the rig makes a guard channel silent, which is a trip; then anew.
        """
        try:
            started = client.start(order)
        except Refused as refusal:
            if not any(word in str(refusal) for word in ("silent", "meantime", "tripped")):
                raise
            started = self.ready(client).start(order)
        wait_until(lambda: in_step(client, "Deed") or over(client), "the deed begins")
        paper = client.status().run
        if tries > 1 and paper is not None and paper.outcome == "tripped" and "silent" in paper.reason:
            return self.start(self.ready(client), order, tries=tries - 1)
        return client.run(started.run)

    def plant_time(self) -> int:
        """Now, by the plant's clock (monotonic ns)."""
        return self.control.time()[1]

    def outputs(self) -> dict[str, float]:
        return dict(self.control.outputs())

    @property
    def safe(self) -> bool:
        """Whether the plant's outputs stand in their safe state."""
        commanded = self.outputs()
        return all(commanded[address] == raw for address, raw in SAFE.items())

    @property
    def pressurised(self) -> bool:
        return self.outputs()[FEED] == 1.0

    def seconds_until_safe(self, since: int, patience: float = 10.0) -> float:
        """Seconds from ``since`` (monotonic ns) until the last of the plant's outputs was safe for good."""
        wait_until(lambda: self.safe, "the outputs are safe", patience)
        settled: dict[str, int] = {}
        for time_, address, raw in self.control.commands(since):
            if raw != SAFE.get(address, raw):
                settled.pop(address, None)
            elif address in SAFE:
                settled.setdefault(address, time_)
        assert settled, "nothing was commanded"
        return (max(settled.values()) - since) / SECOND

    def stays_safe(self, seconds: float, since: int | None = None) -> None:
        """Fails where an output is commanded out of its safe state within that time, or was since."""
        since = monotonic() if since is None else since
        assert self.safe, self.outputs()
        threading.Event().wait(seconds)
        left = [command for command in self.control.commands(since) if command[2] != SAFE.get(command[1], command[2])]
        assert not left, left

    def last_run(self, client: Client) -> RunPaper:
        """The last run, when it is over."""
        wait_until(lambda: over(client), "the run is over")
        paper = client.status().run
        assert paper is not None
        return paper

    def file(self, paper: RunPaper) -> RunFile:
        return RunFile(Path(paper.file))

    @property
    def config(self) -> RigConfig:
        """Its rig file."""
        return load_rig(Path(self.endpoint.rig_file))

    @property
    def log(self) -> str:
        return (self.data / "servers" / f"{self.endpoint.rig}.log").read_text(encoding="utf-8", errors="replace")

    def renewed(self, before: Endpoint) -> Endpoint:
        """The endpoint of the server that comes after ``before``, once it answers."""

        def answers() -> bool:
            with suppress(ServerGone):
                now = read_endpoint(self.data, before.rig)
                if now.token != before.token:
                    with Client(now) as client:
                        client.status()
                    self.endpoint = now
                    return True
            return False

        wait_until(answers, "a new server answers")
        return self.endpoint

    def ready(self, client: Client) -> Client:
        """The rig reset where it is tripped, so that the next run may begin."""
        from labrig.wire.documents import Control as Wish

        def free() -> bool:
            status = client.status()
            if status.state == "tripped":
                with suppress(Refused):
                    client.control(Wish(verb="reset", by="test"))
            if status.state in {"running", "hold"}:
                client.stop("left over", "test")
            return status.state == "safe" and (status.run is None or bool(status.run.outcome))

        wait_until(free, "the rig is free")
        return client


def over(client: Client) -> bool:
    run = client.status().run
    return run is not None and bool(run.outcome)


def in_step(client: Client, step: str) -> bool:
    status = client.status()
    return status.run is not None and status.run.step == step


def state(client: Client) -> str:
    return client.status().state


def wait_until(condition: Callable[[], bool], what: str, within: float = LONG) -> None:
    """Look twenty times a second until it holds; fails after ``within`` seconds."""
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, f"within {within:g} s it did not come to pass that {what}"
        threading.Event().wait(0.05)


def status_when(client: Client, condition: Callable[[Status], bool], what: str, within: float = LONG) -> Status:
    """The first status that meets a condition."""
    seen: list[Status] = []

    def met() -> bool:
        seen.append(client.status())
        return condition(seen[-1])

    wait_until(met, what, within)
    return seen[-1]


@contextmanager
def rigged(
    folder: Path, rig: str | Path = RIG, *, environment: Mapping[str, str] | None = None, at_once: int = 1
) -> Iterator[Rigged]:
    """A rig that is up until the block ends; afterwards none of its processes is left, whatever happened.

    ``at_once``: how often it is started in the same moment; all starts but one must be refused.
    """
    mark = f"LABRIG_HARNESS={os.getpid()}-{monotonic()}"
    data = folder / "data"
    methods = benches.installed(folder)
    place = {**os.environ, **dict([mark.split("=")]), "PYTHONPATH": benches.python_path(folder), **(environment or {})}
    try:
        command = ("up", str(rig), "--data", str(data), "--json")
        with ThreadPoolExecutor(at_once) as pool:
            starts = list(pool.map(lambda _: labrig(*command, environment=place, timeout=120.0), range(at_once)))
        (done,) = sorted(starts, key=lambda start: start.returncode)[:1]
        assert done.returncode == 0, done.stderr
        facts = json.loads(done.stdout)
        endpoint = read_endpoint(data, facts["rig"])
        with Control(endpoint.control) as control:
            up = Rigged(data, facts["supervisor"], endpoint, control, methods, mark)
            up.refused = tuple(start for start in starts if start is not done)
            try:
                yield up
            finally:
                for client in up.clients:
                    client.close()
    finally:
        _end(mark)


def _end(mark: str) -> None:
    """End every process with this mark in order, supervisors first; fails where one has to be killed."""
    found = processes(mark)
    for pid in sorted(found, key=lambda pid: "labrig.supervisor" not in found[pid]):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
            if "labrig.supervisor" in found[pid]:
                os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + LONG
    while (left := processes(mark)) and time.monotonic() < end:
        if not any("labrig.supervisor" in line for line in left.values()):
            for pid, line in left.items():
                with suppress(ProcessLookupError):
                    if "serve" in line:
                        os.kill(pid, signal.SIGTERM)
        threading.Event().wait(0.1)
    for pid in left:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert not left, f"processes that did not end when told to: {left}"


def processes(mark: str) -> dict[int, str]:
    """Living processes that carry a mark in their environment, with their command lines."""
    found = {}
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and mark.encode() in (entry / "environ").read_bytes().split(b"\0"):
                found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    return found


def children_of(pid: int, module: str) -> list[int]:
    """Living children of a process that run a module."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            if entry.name.isdigit() and module.encode() in (entry / "cmdline").read_bytes().split(b"\0"):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[1]) == pid and fields[0] != "Z":
                    found.append(int(entry.name))
    return found


def runner_of(up: Rigged) -> int:
    """The process of the present run's protocol."""
    (pid,) = children_of(up.endpoint.pid, "labrig.runner")
    return pid


def labrig(
    *arguments: str, environment: Mapping[str, str] | None = None, timeout: float = LONG
) -> subprocess.CompletedProcess[str]:
    """The command line."""
    command = [sys.executable, "-m", "labrig.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, env=environment)
