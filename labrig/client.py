"""A rig server from outside: what the desktop, the command line and scripts call.

Each call raises `ServerGone` when no server answers in time and `Refused` when it answered no; nothing is retried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

import grpc

from labrig.endpoint import Endpoint, ServerGone
from labrig.errors import LabrigError
from labrig.model import Digest, Event
from labrig.recording.codec import event_from_json
from labrig.wire import rig_pb2
from labrig.wire.documents import (
    Checks,
    Control,
    Description,
    Nothing,
    Ordered,
    Paper,
    RunPaper,
    RunsOrder,
    RunsPaper,
    Started,
    Status,
    StopOrder,
    Stopped,
    WatchOrder,
    pack,
    unpack,
)
from labrig.wire.packing import unpack_digest
from labrig.wire.rig_pb2_grpc import RigStub, StopDoorStub

P = TypeVar("P", bound=Paper)
TIMEOUT: Final = 5.0
PREFLIGHT_TIMEOUT: Final = 250.0
"""Longer than the server allows the two children that check an order, so that its words arrive."""
RESET_TIMEOUT: Final = 20.0
OPTIONS: Final = (("grpc.max_receive_message_length", 64 << 20), ("grpc.enable_http_proxy", 0))


class Refused(LabrigError):
    """The server understood, and said no; the message says why."""


class Client:
    """Connection to one server. Thread-safe; `close` it."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._channel = grpc.insecure_channel(endpoint.address, OPTIONS)
        self._stop_channel = grpc.insecure_channel(endpoint.stop_address, OPTIONS)
        self._rig: Any = RigStub(self._channel)  # type: ignore[no-untyped-call]  # generated
        self._door: Any = StopDoorStub(self._stop_channel)  # type: ignore[no-untyped-call]
        self._metadata = (("authorization", f"Bearer {endpoint.token}"),)

    def close(self) -> None:
        self._channel.close()
        self._stop_channel.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def describe(self) -> Description:
        return self._ask(self._rig.Describe, Nothing(), Description)

    def status(self) -> Status:
        return self._ask(self._rig.Status, Nothing(), Status)

    def preflight(self, order: Ordered) -> Checks:
        """Every check before a start, with its words; rehearses, so it may take seconds."""
        return self._ask(self._rig.Preflight, order, Checks, PREFLIGHT_TIMEOUT)

    def start(self, order: Ordered) -> Started:
        """Begin a run; returns when the first sample may be recorded."""
        return self._ask(self._rig.Start, order, Started, PREFLIGHT_TIMEOUT)

    def control(self, wish: Control) -> Status:
        """Hold, resume, reset, note, answer, shutdown; returns the status afterwards.

        A reset may take seconds: it returns when the rig will stay released, or says why it cannot be.
        """
        return self._ask(self._rig.Control, wish, Status, RESET_TIMEOUT if wish.verb == "reset" else TIMEOUT)

    def stop(self, reason: str, by: str = "") -> Stopped:
        """Make the rig safe now; through a door of its own."""
        return self._ask(self._door.Stop, StopOrder(reason=reason, by=by), Stopped)

    def runs(self, most: int = 50) -> tuple[RunPaper, ...]:
        """The newest runs first."""
        return self._ask(self._rig.Runs, RunsOrder(most=most), RunsPaper).runs

    def run(self, run: str) -> RunPaper:
        """One run by id."""
        return self._ask(self._rig.Runs, RunsOrder(run=run), RunsPaper).runs[0]

    def past(self, channel: str, start: int, end: int) -> Digest:
        """The bins of a channel's whole source between two times (monotonic ns of the server)."""
        request = rig_pb2.TraceRequest(channel=channel, start=start, end=end)
        return unpack_digest(self._call(self._rig.Past, request, TIMEOUT))

    def watch(self, *, attending: bool = False, name: str = "") -> Watching:
        """The present status, then what happened in a run that goes on, then digests, events and status changes."""
        order = WatchOrder(attending=attending, name=name)
        return Watching(self._rig.Watch(pack(order), metadata=self._metadata))

    def ask(self, method: str, paper: Paper, answer: type[P], timeout: float | None = TIMEOUT) -> P:
        """Any other call by name: the runner's. Without a timeout it waits as long as the server lives."""
        return self._ask(getattr(self._rig, method), paper, answer, timeout)

    def trace(self, request: rig_pb2.TraceRequest) -> Digest:
        """Bins for the runner."""
        return unpack_digest(self._call(self._rig.Past, request, TIMEOUT))

    def _ask(self, call: Callable[..., Any], paper: Paper, answer: type[P], timeout: float | None = TIMEOUT) -> P:
        return unpack(answer, self._call(call, pack(paper), timeout))

    def _call(self, call: Callable[..., Any], message: object, timeout: float | None) -> Any:  # noqa: ANN401 - by method
        try:
            return call(message, timeout=timeout, metadata=self._metadata)
        except grpc.RpcError as error:
            raise explained(error) from None


class Watching:
    """An open watch; iterate it in a thread, `cancel` it from any."""

    def __init__(self, stream: Any) -> None:  # noqa: ANN401 - grpc's call object has no public type
        self._stream = stream

    def __iter__(self) -> Iterator[Digest | Event | Status]:
        """Ends quietly when cancelled; raises `ServerGone` when the server went."""
        try:
            for update in self._stream:
                yield _what(update)
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.CANCELLED:
                raise explained(error) from None

    def cancel(self) -> None:
        self._stream.cancel()


def _what(update: rig_pb2.Update) -> Digest | Event | Status:
    match update.WhichOneof("what"):
        case "digest":
            return unpack_digest(update.digest)
        case "status":
            return unpack(Status, update.status)
        case _:
            kind, _, text = update.event.json.partition(" ")
            return event_from_json(kind.replace("_", " "), text)


def explained(error: grpc.RpcError) -> LabrigError:
    """A gRPC error in labrig's words."""
    code = error.code()
    if code in {grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND}:
        return Refused(error.details() or "refused")
    if code is grpc.StatusCode.UNAUTHENTICATED:
        return ServerGone("the server was started anew since; connect again")
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return Refused(error.details() or "too many watchers")
    return ServerGone(f"the rig server does not answer ({code.name.lower().replace('_', ' ')}); see labrig status")
