"""The server's life: one rig, two ports, and every output safe at its beginning and its end."""

from __future__ import annotations

import gc
import json
import logging
import os
import secrets
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import Any, Final, TextIO

import grpc

from labrig.acquisition import Acquisition
from labrig.client import OPTIONS
from labrig.clock import RealClock
from labrig.config import RigConfig, find_rig, load_rig
from labrig.endpoint import Endpoint, endpoint_path, write_endpoint
from labrig.model import Outcome
from labrig.riglock import HardwareLock, RigLock
from labrig.server import children, priority
from labrig.server.archive import Archive
from labrig.server.conduct import Conduct
from labrig.server.front import Front, describe
from labrig.server.keeper import Heartbeat, Keeper
from labrig.server.service import Service, StopDoor, TokenGuard
from labrig.server.watchers import MOST
from labrig.station import Station, started
from labrig.wire.rig_pb2_grpc import add_RigServicer_to_server, add_StopDoorServicer_to_server

log = logging.getLogger(__name__)
WORKERS: Final = MOST + 16
DOOR_WORKERS: Final = 4
ENDING: Final = 1.0
KEEPALIVE: Final = (("grpc.keepalive_time_ms", 5000), ("grpc.keepalive_timeout_ms", 5000))
"""A client that is frozen does not answer pings; its watch ends after ten seconds, and with it its attendance."""


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """What a server is started with."""

    rig: str
    data: Path
    endpoints: dict[str, str]
    """Of a running simulated rig, by name; empty for a real one."""
    control: str = ""
    membrane: str = ""
    supervisor: int = 0
    heartbeat: bool = False
    """Whether to print an empty line now and then, for the supervisor."""


def serve(options: ServerOptions, announce: TextIO) -> int:
    """Serve until told to end; prints one JSON line when ready. Raises `LabrigError` where it cannot begin."""
    ended = threading.Event()
    config = load_rig(find_rig(options.rig), options.endpoints)
    priority.go_first()
    folder = options.data / "runs"
    with ExitStack() as stack:
        stack.enter_context(RigLock(options.data, config.name))
        stack.enter_context(HardwareLock(config.addresses, config.name, options.data))
        _stop_on_signals(ended)
        archive = Archive(folder)
        recovered = list(archive.recover_all())
        methods = children.describe({"what": "methods", "folders": [str(options.data / "methods")]})
        pulse = stack.enter_context(Heartbeat(announce))
        front = stack.enter_context(_front(options, config, methods, archive, ended))
        for words in recovered:
            log.warning("%s", words)
            front.warn(words, words)
        print(json.dumps(_announcement(options, config)), file=announce, flush=True)
        if options.heartbeat:
            pulse.guards(front)
            stack.callback(pulse.ends)
        gc.collect()
        gc.freeze()
        ended.wait()
    return 0


@contextmanager
def _front(
    options: ServerOptions, config: RigConfig, methods: list[dict[str, Any]], archive: Archive, ended: threading.Event
) -> Iterator[Front]:
    """Devices, station, conduct and both ports; taken down in the order that keeps the rig safe."""
    clock, folder = RealClock(), options.data / "runs"
    with ExitStack() as stack:
        acquisition = Acquisition(config.build(clock.now), clock, reconnect=True)
        identities = acquisition.open()
        stack.callback(acquisition.close)
        log.info("opened %s", "; ".join(f"{name}: {who}" for name, who in identities.items()))
        station = Station(config, acquisition, clock, watchdogs=acquisition.watchdogs)
        server, door = _grpc(WORKERS, token := secrets.token_urlsafe(32)), _grpc(DOOR_WORKERS, "")
        endpoint = Endpoint(
            rig=config.name,
            rig_file=str(config.path),
            address=f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}",
            stop_address=f"127.0.0.1:{door.add_insecure_port('127.0.0.1:0')}",
            token=token,
            pid=os.getpid(),
            supervisor=options.supervisor,
            control=options.control,
        )
        later: list[Front] = []

        def changed() -> None:
            for front in later:
                front.watchers.changed()

        conduct = Conduct(station, folder, options.membrane, endpoint, changed)
        front = Front(station, conduct, archive, describe(config, methods, folder, version("labrig")), ended.set)
        later.append(front)
        acquisition.tell(front.warn)
        stack.callback(conduct.close)
        stack.enter_context(station.bus.last(front, conduct.note_step))
        stack.enter_context(started(station))
        stack.enter_context(Keeper(front))
        add_RigServicer_to_server(Service(front), server)  # type: ignore[no-untyped-call]  # generated
        add_StopDoorServicer_to_server(StopDoor(front), door)  # type: ignore[no-untyped-call]
        for port in (server, door):
            port.start()
            stack.callback(_ended, port)
        stack.callback(front.watchers.close)
        write_endpoint(options.data, endpoint)
        stack.callback(endpoint_path(options.data, config.name).unlink, missing_ok=True)
        try:
            yield front
        finally:
            station.guardian.stop(Outcome.ABORTED, "the rig server was ended")


def _grpc(workers: int, token: str) -> grpc.Server:
    interceptors: list[grpc.ServerInterceptor] = [TokenGuard(token)] if token else []
    pool = ThreadPoolExecutor(workers, thread_name_prefix="rpc" if token else "stop door")
    return grpc.server(pool, interceptors=interceptors, options=(*OPTIONS, *KEEPALIVE, ("grpc.so_reuseport", 0)))


def _ended(port: grpc.Server) -> None:
    port.stop(ENDING).wait()


def _stop_on_signals(ended: threading.Event) -> None:
    def end(number: int, _: FrameType | None) -> None:
        log.info("told to end by %s", signal.Signals(number).name)
        ended.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)


def _announcement(options: ServerOptions, config: RigConfig) -> dict[str, object]:
    return {"rig": config.name, "endpoint": str(endpoint_path(options.data, config.name)), "pid": os.getpid()}
