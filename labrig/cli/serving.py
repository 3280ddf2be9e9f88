"""``labrig up``, ``serve``, ``down``, ``stop`` and ``status``: a rig's server from the command line."""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from rich.console import Console

from labrig import supervisor
from labrig.cli.ordering import data_folder
from labrig.client import Client
from labrig.endpoint import Endpoint, ServerGone, endpoint_path, known_rigs, read_endpoint
from labrig.errors import ConfigError
from labrig.riglock import RigLock, RigTaken, UpLock
from labrig.wire.documents import Control, Status

READY: Final = 180.0
"""Seconds that simulated rig and server may take to answer while their supervisor lives."""
GONE: Final = 120.0
"""Seconds that a server may take to end: it files its last run first."""
LOOK: Final = 0.1


def serve(
    rig: str, data: Path | None, *, endpoints: str, control: str, membrane: str, supervisor_pid: int, heartbeat: bool
) -> int:
    """Serve a rig in this process until told to end."""
    from labrig.server.process import ServerOptions
    from labrig.server.process import serve as serve_it

    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    addresses = json.loads(endpoints) if endpoints else {}
    options = ServerOptions(rig, data_folder(data), addresses, control, membrane, supervisor_pid, heartbeat)
    try:
        return serve_it(options, sys.stdout)
    except RigTaken as taken:
        print(f"labrig: {taken}", file=sys.stderr)
        return supervisor.TAKEN


def up(rig: str, data: Path | None, membrane: str, seed: int, *, as_json: bool) -> int:
    """Start a rig's server under a supervisor and wait until it answers; 1 where it does not."""
    from labrig.config import find_rig, load_rig

    config, folder = load_rig(find_rig(rig)), data_folder(data)
    log = endpoint_path(folder, config.name).with_suffix(".log")
    in_cell = membrane or config.default_membrane
    orders = supervisor.Orders(str(config.path), str(folder), str(log), in_cell, seed, config.simulated)
    with UpLock(folder, config.name):
        endpoint = _started(orders, folder, config.name)
    if endpoint is None:
        print(f"labrig: the server of {config.name} did not start; the end of {log}:", file=sys.stderr)
        print("\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-8:]), file=sys.stderr)
        return 1
    if as_json:
        print(
            json.dumps({"rig": endpoint.rig, "pid": endpoint.pid, "supervisor": endpoint.supervisor, "log": str(log)})
        )
    else:
        print(f"{endpoint.rig} is up (server process {endpoint.pid}). Its log: {log}")
    return 0


def _started(orders: supervisor.Orders, folder: Path, rig: str) -> Endpoint | None:
    """A new supervisor's server, once it answers; None where it did not come up. Raises `ServerGone` where one is."""
    before = _endpoint(folder, rig)
    if before is not None and _answers(before):
        raise ServerGone(f"{rig} is already served (process {before.pid}); use it, or: labrig down")
    process = supervisor.start(orders)
    endpoint = _wait_for(folder, rig, before, lambda: process.poll() is None)
    if endpoint is None:
        process.terminate()
        process.wait()
    return endpoint


def down(rig: str, data: Path | None) -> int:
    """End a rig's server and supervisor; the rig is made safe first."""
    folder = data_folder(data)
    endpoint = read_endpoint(folder, _which(rig, folder))
    with Client(endpoint) as client:
        client.control(Control(verb="shutdown", by="labrig down"))
    end = time.monotonic() + GONE
    while _served(folder, endpoint.rig):
        if time.monotonic() > end:
            print(f"labrig: {endpoint.rig}'s outputs are safe, but its server has not ended yet", file=sys.stderr)
            return 1
        _pause()
    print(f"{endpoint.rig} is down; its outputs are safe.")
    return 0


def stop(rig: str, data: Path | None, reason: str, *, as_json: bool) -> int:
    """Make the rig safe now and stop its run."""
    folder = data_folder(data)
    with Client(read_endpoint(folder, _which(rig, folder))) as client:
        stopped = client.stop(reason, "labrig stop")
    if as_json:
        print(stopped.model_dump_json())
    else:
        print(f"Stopped: outputs were commanded safe within {stopped.milliseconds:.0f} ms; the rig is {stopped.state}.")
    return 0


def refilled(rig: str, data: Path | None) -> int:
    """The feed vessel was filled."""
    folder = data_folder(data)
    endpoint = read_endpoint(folder, _which(rig, folder))
    with Client(endpoint) as client:
        client.control(Control(verb="refilled", by="labrig refilled"))
    print(f"The feed of {endpoint.rig} counts as full from now on.")
    return 0


def status(rig: str, data: Path | None, *, as_json: bool) -> int:
    """How the rig stands; 1 where no server answers."""
    folder = data_folder(data)
    with Client(read_endpoint(folder, _which(rig, folder))) as client:
        present = client.status()
    if as_json:
        print(present.model_dump_json(indent=2))
    else:
        _show(present)
    return 0


def _show(present: Status) -> None:
    console = Console(highlight=False)
    console.print(f"[bold]{present.state.upper()}[/bold]  {present.reason}")
    console.print("Safe to open." if present.safe_to_open else f"Not safe to open: {present.not_safe_because}.")
    run = present.run
    if run is not None:
        how = run.outcome or f"in step {run.step or 'one'}"
        console.print(f"Run {run.run[:8]}: {run.method} on {run.coupon}, {how} {run.reason}".rstrip())
    for words in (*present.warnings, *present.forecasts):
        console.print(f"- {words}")
    if present.question is not None:
        console.print(f"Waits for an answer: {present.question.text} ({', '.join(present.question.choices)})")


def _which(rig: str, folder: Path) -> str:
    """The rig's name: as given, that of a rig file, or the only one that is served."""
    if not rig:
        rigs = known_rigs(folder)
        if len(rigs) == 1:
            return rigs[0]
        raise ConfigError("RIG", "", f"one of {', '.join(rigs)}" if rigs else "a rig that is up", rig)
    if rig.endswith(".toml"):
        from labrig.config import load_rig

        return load_rig(Path(rig)).name
    return rig


def _endpoint(folder: Path, rig: str) -> Endpoint | None:
    try:
        return read_endpoint(folder, rig)
    except ServerGone:
        return None


def _served(folder: Path, rig: str) -> bool:
    """Whether a process still holds the rig."""
    try:
        with RigLock(folder, rig):
            return False
    except RigTaken:
        return True


def _answers(endpoint: Endpoint) -> bool:
    try:
        with Client(endpoint) as client:
            client.status()
    except ServerGone:
        return False
    return True


def _wait_for(folder: Path, rig: str, before: Endpoint | None, alive: Callable[[], bool]) -> Endpoint | None:
    """The new server's endpoint once it answers; None where its supervisor ended or time ran out."""
    end = time.monotonic() + READY
    while alive() and time.monotonic() < end:
        endpoint = _endpoint(folder, rig)
        if endpoint is not None and endpoint != before and _answers(endpoint):
            return endpoint
        _pause()
    return None


def _pause() -> None:
    threading.Event().wait(LOOK)
