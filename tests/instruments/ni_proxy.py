"""An NI server that fails as told, for tests of drivers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import cast

import grpc

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
