"""The gRPC server that the real ``nidaqmx`` package talks to; on this machine only.

It turns refusals into NI's error metadata, counts calls, and notices when a client is gone: the tasks of a process that
died are cleared within a fraction of a second, as the local driver does.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NoReturn

import grpc
from grpc._cython import cygrpc  # type: ignore[attr-defined]

from labrig_instruments.simulated.live import LivePlant
from labrig_instruments.simulated.ni.attribute_calls import AttributeCalls
from labrig_instruments.simulated.ni.calls import Call, Message, Streaming, Unary, name_of
from labrig_instruments.simulated.ni.driver import Driver, SessionExists, SessionMissing
from labrig_instruments.simulated.ni.errors import ClientGone, DriverError
from labrig_instruments.simulated.ni.event_calls import EventCalls
from labrig_instruments.simulated.ni.sample_calls import SampleCalls
from labrig_instruments.simulated.ni.stream import Caller
from labrig_instruments.simulated.ni.task_calls import TaskCalls
from labrig_instruments.simulated.ni.watchdog_calls import WatchdogCalls

LOOPBACK: Final = "127.0.0.1"
SERVICE: Final = "nidaqmx_grpc.NiDAQmx"
WORKERS: Final = 64
"""A synchronous server spends one on every waiting read and every open event stream."""
PARTING: Final = 1.0
"""Seconds that a call may still take when the server ends."""


class NiServer:
    """The driver behind its door."""

    def __init__(self, plant: LivePlant) -> None:
        self.driver = Driver(plant)
        self.silence = Silence(plant)
        self._counts: Counter[str] = Counter()
        self._counting = threading.Lock()
        known = set(_server_ids())
        self._workers = ThreadPoolExecutor(WORKERS, "ni rpc")
        self._server = grpc.server(
            self._workers,
            handlers=[grpc.method_handlers_generic_handler(SERVICE, self._handlers())],
            options=[("grpc.so_reuseport", 0), ("grpc.enable_channelz", 1)],
        )
        self._ids = set(_server_ids()) - known
        self.address = f"{LOOPBACK}:{self._server.add_insecure_port(f'{LOOPBACK}:0')}"
        self._server.start()

    def counters(self) -> Mapping[str, int]:
        """Calls of each RPC so far."""
        with self._counting:
            return dict(sorted(self._counts.items()))

    def keep_up(self) -> None:
        """To be called several times a second: clears up after clients that are gone."""
        self.driver.keep_up()
        owners = self.driver.owners()
        if owners:
            connected = _connected(self._ids)
            self.driver.abandon({owner for owner in owners if owner not in connected})

    def close(self) -> None:
        self.silence.keep(0.0)
        stopped = self._server.stop(PARTING)
        self.driver.close()  # ends every read that waits and every event stream
        stopped.wait()
        self._workers.shutdown()

    def _handlers(self) -> dict[str, grpc.RpcMethodHandler[Any, Any]]:
        driver = self.driver
        parts = (
            *(TaskCalls(driver), SampleCalls(driver), AttributeCalls(driver), EventCalls(driver)),
            WatchdogCalls(driver),
        )
        return {name_of(call): self._handler(call) for part in parts for call in part.calls()}

    def _handler(self, call: Call) -> grpc.RpcMethodHandler[Any, Any]:
        make = grpc.unary_unary_rpc_method_handler if isinstance(call, Unary) else grpc.unary_stream_rpc_method_handler
        behaviour = self._answering(call) if isinstance(call, Unary) else self._telling(call)
        return make(behaviour, request_deserializer=call.request.FromString, response_serializer=_serialized)

    def _answering(self, call: Unary) -> Callable[[Message, grpc.ServicerContext], Message | bytes]:
        name = name_of(call)

        def behaviour(request: Message, context: grpc.ServicerContext) -> Message | bytes:
            with self._counting:
                self._counts[name] += 1
            caller = _caller(context)
            try:
                self.silence.outlast(caller, context.time_remaining())
                return call.answer(request, caller)
            except (DriverError, SessionExists, SessionMissing, ClientGone) as error:
                _refuse(context, error)

        return behaviour

    def _telling(self, call: Streaming) -> Callable[[Message, grpc.ServicerContext], Iterator[Message]]:
        name = name_of(call)

        def behaviour(request: Message, context: grpc.ServicerContext) -> Iterator[Message]:
            with self._counting:
                self._counts[name] += 1
            caller = _caller(context)
            try:
                answers = call.register(request, caller)
            except DriverError as error:
                _refuse(context, error)
            context.send_initial_metadata(())
            yield from answers

        return behaviour


class Silence:
    """A server that answers nothing for a while. Calls that are given up meanwhile are not carried out."""

    def __init__(self, plant: LivePlant) -> None:
        self._plant = plant
        self._turn = threading.Condition()
        self._until = 0.0

    def keep(self, seconds: float) -> None:
        """From now on, for so long; 0 ends it."""
        with self._turn:
            self._until = self._plant.now() + seconds
            self._turn.notify_all()

    def outlast(self, caller: Caller, patience: float | None) -> None:
        """Wait until the server answers again; `ClientGone` after the client's own ``patience`` (s)."""
        began = self._plant.now()
        if began >= self._until:
            return
        with self._turn, caller.waiting_on(self._turn):
            while (left := self._until - self._plant.now()) > 0:
                if caller.gone:
                    raise ClientGone
                self._turn.wait(left)
        if caller.gone or (patience is not None and self._plant.now() - began >= patience):
            raise ClientGone


def _serialized(answer: Message | bytes) -> bytes:
    return answer if isinstance(answer, bytes) else bytes(answer.SerializeToString())


def _caller(context: grpc.ServicerContext) -> Caller:
    caller = Caller(context.peer())
    if not context.add_callback(caller.leave):
        caller.leave()
    return caller


def _refuse(context: grpc.ServicerContext, error: Exception) -> NoReturn:
    """End the call as NI's server does."""
    match error:
        case DriverError():
            read = [] if error.read is None else [("ni-samps-per-chan-read", str(error.read))]
            context.set_trailing_metadata((("ni-error", str(int(error.code))), *read))
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        case SessionExists():
            context.abort(grpc.StatusCode.ALREADY_EXISTS, f"Cannot initialize {error}: the session already exists.")
        case SessionMissing():
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"Cannot attach to {error}: no such session.")
        case _:
            context.abort(grpc.StatusCode.CANCELLED, "The client has hung up.")


def _server_ids() -> list[int]:
    """Every gRPC server of this process, by the number under which the library's own diagnostics know it."""
    return [int(server["ref"]["serverId"]) for server in json.loads(cygrpc.channelz_get_servers(0)).get("server", [])]


def _connected(servers: set[int]) -> set[str]:
    """Peers with an open connection, spelt as a call's context spells them.

    gRPC for Python tells a server of no connection's end; its diagnostics (channelz) list the open ones.
    """
    peers: set[str] = set()
    for server in servers:
        first, more = 0, True
        while more:
            answer = json.loads(cygrpc.channelz_get_server_sockets(server, first, 0))
            sockets = answer.get("socketRef", [])
            peers |= {socket["name"].rpartition(" ")[2] for socket in sockets}
            more = bool(sockets) and not answer.get("end", False)
            first = max((int(socket["socketId"]) for socket in sockets), default=0) + 1
    return peers
