"""The way to a gRPC server that plays NI-DAQmx. Imported only where a rig file names one.

nidaqmx gives its calls no deadline: a server that hangs would hang its clients for ever. A time-out in gRPC's service
configuration would do in one line, but grpcio 1.85 counts it from a moment that may lie more than a second back.
"""

from __future__ import annotations

from typing import Any

import grpc


def connected(server: str, patience: float) -> grpc.Channel:
    """A channel whose calls are given up after ``patience`` seconds, with DEADLINE_EXCEEDED."""
    channel = grpc.insecure_channel(
        server,
        options=[
            ("grpc.enable_http_proxy", 0),
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 1000),
            ("grpc.max_receive_message_length", -1),
        ],
    )
    return grpc.intercept_channel(channel, _Impatient(patience))


class _Impatient(grpc.UnaryUnaryClientInterceptor):
    def __init__(self, patience: float) -> None:
        self._patience = patience

    # gRPC's hook: the details are a named tuple without a public type, requests those of whichever call.
    def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:  # noqa: ANN401
        return continuation(client_call_details._replace(timeout=self._patience), request)
