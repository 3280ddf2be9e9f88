"""What the tests of drivers share: a device on a socket that answers as told, and an NI server that fails as told."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import cast

import grpc
import pytest

from labrig.clock import spawn
from tests.simulated.conftest import Endpoints, fresh_process, known_process

__all__ = ["Answer", "Fault", "NiProxy", "Peer", "Refusal", "fresh_process", "known_process"]

Answer = Callable[[bytes], Iterable[bytes]]
"""The pieces that a request ending in CR LF is answered with; each is sent on its own."""


class Peer:
    """A device at the other end of a socket, which may also speak unasked and hang up."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._connections: list[socket.socket] = []
        self.url = f"socket://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = spawn("peer", self._serve)

    def say(self, data: bytes) -> None:
        self._connections[-1].sendall(data)

    def hang_up(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self._thread.join()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._connections.append(connection)
                self._converse(connection)

    def _converse(self, connection: socket.socket) -> None:
        heard = b""
        while piece := connection.recv(4096):
            heard += piece
            *requests, heard = heard.split(b"\r\n")
            for request in requests:
                for part in self._answer(request):
                    connection.sendall(part)


@pytest.fixture
def peer() -> Iterator[Callable[[Answer], Peer]]:
    peers: list[Peer] = []

    def start(answer: Answer) -> Peer:
        peers.append(Peer(answer))
        return peers[-1]

    yield start
    for each in peers:
        each.hang_up()


Fault = Callable[[bytes, Callable[[], bytes]], bytes]
"""Answers a call in place of the server: the request, and a function that asks the server after all."""


class Refusal(Exception):
    """An error of NI-DAQmx, by number."""

    def __init__(self, code: int, text: str = "refused by the test") -> None:
        super().__init__(text)
        self.code = code


class NiProxy(grpc.GenericRpcHandler):
    """Stands between a driver and an NI server, hands calls through, and answers some of them as a test wants."""

    def __init__(self, target: str) -> None:
        self.faults: dict[str, Fault] = {}
        """By name of the RPC; raises `Refusal` for an error of NI-DAQmx."""
        self.calls: list[tuple[str, bytes]] = []
        self._channel = grpc.insecure_channel(target, options=[("grpc.use_local_subchannel_pool", 1)])
        self._workers = ThreadPoolExecutor(8)
        self._server = grpc.server(self._workers, handlers=[self])
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes]:
        return grpc.unary_unary_rpc_method_handler(partial(self._answer, handler_call_details.method))

    def requests(self, name: str) -> list[bytes]:
        """The requests of one RPC so far."""
        return [request for called, request in self.calls if called == name]

    def refuse(self, code: int, times: int = 1_000_000) -> Fault:
        """A fault that is an error of NI-DAQmx, for so many calls."""
        left = iter(range(times))

        def answer(_: bytes, forward: Callable[[], bytes]) -> bytes:
            if next(left, None) is None:
                return forward()
            raise Refusal(code)

        return answer

    def close(self) -> None:
        self._server.stop(None).wait()
        self._workers.shutdown()
        self._channel.close()

    def _answer(self, method: str, request: bytes, context: grpc.ServicerContext) -> bytes:
        name = method.rpartition("/")[2]
        self.calls.append((name, request))

        def forward() -> bytes:
            call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = self._channel.unary_unary(method)
            return call(request)

        try:
            return self.faults[name](request, forward) if name in self.faults else forward()
        except Refusal as refusal:
            context.set_trailing_metadata((("ni-error", str(refusal.code)),))
            context.abort(grpc.StatusCode.UNKNOWN, str(refusal))
        except grpc.RpcError as error:
            call = cast("grpc.Call", error)  # what a failed call raises is both
            context.set_trailing_metadata(call.trailing_metadata())
            context.abort(call.code(), call.details())


@pytest.fixture
def proxy(known_process: Endpoints) -> Iterator[NiProxy]:
    """The simulated NI server behind a proxy."""
    between = NiProxy(known_process.ni)
    yield between
    between.close()
