"""The server's two faces: calls become verbs of the station, errors become gRPC's, and nothing else happens here."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

import grpc

from labrig.clock import monotonic
from labrig.errors import LabrigError
from labrig.model import Asked, Outcome, RunFinished, RunStarted
from labrig.recording.codec import dumps, event_from_json
from labrig.server.front import Front
from labrig.wire import rig_pb2
from labrig.wire.documents import (
    AskAnswer,
    AskOrder,
    CommandAnswer,
    CommandOrder,
    Control,
    Joined,
    JoinOrder,
    Nothing,
    Ordered,
    Paper,
    PublishOrder,
    RunsOrder,
    RunsPaper,
    Started,
    StopOrder,
    Stopped,
    WatchOrder,
    WireError,
    pack,
    unpack,
)
from labrig.wire.packing import pack_digest
from labrig.wire.rig_pb2_grpc import RigServicer, StopDoorServicer

P = TypeVar("P", bound=Paper)
A = TypeVar("A", bound=Paper)
NOT_A_PROTOCOLS: Final = (RunStarted.kind, RunFinished.kind, "state changed", "clock paired", "commanded")
"""Events that only the server itself may publish."""


class Service(RigServicer):
    """Calls of the main port."""

    def __init__(self, front: Front) -> None:
        self._front = front

    def Describe(self, request: rig_pb2.Document, context: Any) -> rig_pb2.Document:  # noqa: N802, ANN401
        return _answer(context, request, Nothing, lambda _: self._front.description)

    def Status(self, request: rig_pb2.Document, context: Any) -> rig_pb2.Document:  # noqa: N802, ANN401
        return _answer(context, request, Nothing, lambda _: self._front.status())

    def Watch(self, request: rig_pb2.Document, context: Any) -> Iterator[rig_pb2.Update]:  # noqa: N802, ANN401
        order = _read(context, request, WatchOrder)
        try:
            yield from self._front.watchers.stream(attending=order.attending, alive=context.is_active)
        except LabrigError as error:
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, str(error))

    def Past(self, request: rig_pb2.TraceRequest, context: Any) -> rig_pb2.Digest:  # noqa: N802, ANN401
        try:
            if request.run:
                self._front.conduct.of(request.run).tenure.renew()
            return pack_digest(self._front.station.history.bins(request.channel, request.start, request.end))
        except LabrigError as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
            raise

    def Runs(self, request: rig_pb2.Document, context: Any) -> rig_pb2.Document:  # noqa: N802, ANN401
        return _answer(context, request, RunsOrder, self._runs)

    def Preflight(self, request: rig_pb2.Document, context: Any) -> rig_pb2.Document:  # noqa: N802, ANN401
        return _answer(context, request, Ordered, self._front.conduct.preflight)

    def Start(self, request: rig_pb2.Document, context: Any) -> rig_pb2.Document:  # noqa: N802, ANN401
        return _answer(context, request, Ordered, self._start)

    def Control(self, request: rig_pb2.Document, context: Any) -> rig_pb2.Document:  # noqa: N802, ANN401
        return _answer(context, request, Control, self._front.control)

    def Join(self, request: rig_pb2.Document, context: Any) -> rig_pb2.Document:  # noqa: N802, ANN401
        return _answer(context, request, JoinOrder, self._join)

    def Command(self, request: rig_pb2.Document, context: Any) -> rig_pb2.Document:  # noqa: N802, ANN401
        return _answer(context, request, CommandOrder, self._command)

    def Publish(self, request: rig_pb2.Document, context: Any) -> rig_pb2.Document:  # noqa: N802, ANN401
        return _answer(context, request, PublishOrder, self._publish)

    def Ask(self, request: rig_pb2.Document, context: Any) -> rig_pb2.Document:  # noqa: N802, ANN401
        return _answer(context, request, AskOrder, self._ask)

    def _runs(self, order: RunsOrder) -> RunsPaper:
        return RunsPaper(runs=(self._front.run(order.run),) if order.run else self._front.runs(order.most))

    def _start(self, order: Ordered) -> Started:
        run, path = self._front.conduct.start(order)
        return Started(run=run, file=str(path))

    def _join(self, order: JoinOrder) -> Joined:
        session = self._front.conduct.of(order.run)
        session.tenure.renew()
        facts = session.order.method
        return Joined(
            roles=dict(self._front.station.config.file.roles),
            protocol=facts.protocol,
            parameters=dict(facts.parameters),
        )

    def _command(self, order: CommandOrder) -> CommandAnswer:
        session = self._front.conduct.of(order.run)
        tenure, link = session.tenure, self._front.station.link(session)
        tenure.renew()
        if order.verb == "leave":
            self._front.conduct.leave(order.run, Outcome(order.outcome), order.reason)
        elif order.verb == "until":
            self._front.arm(session, order.reflex or {})
        elif order.verb == "disarm":
            self._front.disarm(session)
        elif order.verb != "alive" and not tenure.ending.event.is_set() and not tenure.held.is_set():
            tenure.space()
            link.do(order.output, order.verb, order.value)
            return CommandAnswer()
        if tenure.ending.event.is_set():
            return CommandAnswer(ended=tenure.ending.outcome.value, reason=tenure.ending.reason)
        return CommandAnswer(held=tenure.held.is_set(), met=self._front.met(session))

    def _publish(self, order: PublishOrder) -> Nothing:
        session = self._front.conduct.of(order.run)
        session.tenure.renew()
        if order.kind in NOT_A_PROTOCOLS:
            raise WireError(f"a protocol does not publish {order.kind!r}")
        self._front.station.publish(event_from_json(order.kind, dumps(order.event)))
        return Nothing()

    def _ask(self, order: AskOrder) -> AskAnswer:
        session = self._front.conduct.of(order.run)
        question = Asked(monotonic(), order.question, order.text, order.choices)
        return AskAnswer(answer=self._front.ask(session, question))


class StopDoor(StopDoorServicer):
    """The one call of the other port; needs no token: whoever can reach it may make the rig safe."""

    def __init__(self, front: Front) -> None:
        self._front = front

    def Stop(self, request: rig_pb2.Document, context: Any) -> rig_pb2.Document:  # noqa: N802, ANN401
        return _answer(context, request, StopOrder, self._stop)

    def _stop(self, order: StopOrder) -> Stopped:
        began = monotonic()
        by = f" by {order.by}" if order.by else ""
        self._front.station.guardian.stop(
            Outcome.ABORTED, f"stopped{by}: {order.reason}" if order.reason else f"stopped{by}"
        )
        milliseconds = (monotonic() - began) / 1e6
        return Stopped(state=self._front.station.guardian.state.value, milliseconds=milliseconds)


class TokenGuard(grpc.ServerInterceptor):
    """Refuses every call without this start's token."""

    def __init__(self, token: str) -> None:
        self._expected = f"Bearer {token}"
        self._refusal: Any = grpc.unary_unary_rpc_method_handler(_refuse)

    def intercept_service(self, continuation: Callable[[Any], Any], details: Any) -> Any:  # noqa: ANN401
        """Grpc's hook."""
        given = dict(details.invocation_metadata).get("authorization", "")
        good = isinstance(given, str) and hmac.compare_digest(given.encode(), self._expected.encode())
        return continuation(details) if good else self._refusal


def _refuse(request: object, context: Any) -> None:  # noqa: ANN401
    context.abort(grpc.StatusCode.UNAUTHENTICATED, "the token is not that of this start of the server")


def _read(context: Any, request: rig_pb2.Document, kind: type[P]) -> P:  # noqa: ANN401
    try:
        return unpack(kind, request)
    except WireError as error:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        raise


def _answer(context: Any, request: rig_pb2.Document, kind: type[P], verb: Callable[[P], A]) -> rig_pb2.Document:  # noqa: ANN401
    paper = _read(context, request, kind)
    try:
        return pack(verb(paper))
    except (LabrigError, ValueError) as error:
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
        raise
