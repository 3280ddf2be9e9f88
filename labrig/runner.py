"""The runner: a child process that holds the protocol's code and moves a rig through its server.

Started by the server with one JSON line on standard input. However it ends, the server makes the rig safe: by `leave`,
by the end of the process, or by its silence.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import traceback
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from labrig.client import Client, Refused
from labrig.clock import SECOND, monotonic, spawn
from labrig.endpoint import Endpoint, ServerGone
from labrig.errors import Aborted, LabrigError, RigError, RunEnded, Tripped
from labrig.history import Trace
from labrig.link import REFLEX_LOOK, STRIDE, Verb
from labrig.model import Asked, Digest, Event, Outcome
from labrig.protocol import make
from labrig.recording.codec import loads, to_json
from labrig.reflex import Reflex
from labrig.rig import Rig
from labrig.wire import rig_pb2
from labrig.wire.documents import (
    AskAnswer,
    AskOrder,
    CommandAnswer,
    CommandOrder,
    Joined,
    JoinOrder,
    Nothing,
    PublishOrder,
)

HELD_LOOK: Final = 0.2
UNWIND: Final = 3.0
"""Seconds that a protocol has after the end of its server."""


class RemoteLink:
    """A rig's verbs through a server. Every call is a sign of life."""

    def __init__(self, client: Client, run: str, roles: Mapping[str, str]) -> None:
        self._client, self._run, self._roles = client, run, roles
        self._never = threading.Event()

    @property
    def roles(self) -> Mapping[str, str]:
        return self._roles

    def now(self) -> int:
        return monotonic()

    def wait(self, seconds: float) -> float:
        held, end = 0, monotonic() + round(seconds * SECOND)
        while (paused := self._alive()) or monotonic() < end:
            before = monotonic()
            self._never.wait(HELD_LOOK if paused else max(0.0, min((end - before) / SECOND, STRIDE)))
            if paused:
                held, end = held + monotonic() - before, end + monotonic() - before
        return held / SECOND

    def command(self, output: str, verb: Verb, value: float = 0.0) -> None:
        order = CommandOrder(run=self._run, output=output, verb=verb, value=value)
        while self._tell(order):  # a held run takes no command
            self._never.wait(HELD_LOOK)

    def trace(self, channel: str, start: int, end: int) -> Trace:
        request = rig_pb2.TraceRequest(channel=channel, start=start, end=end, run=self._run)
        try:
            digest = self._client.trace(request)
        except Refused as refusal:
            self._alive()
            raise RigError(str(refusal)) from None
        return _trace_of(digest, channel)

    def publish(self, event: Event) -> None:
        order = PublishOrder(run=self._run, kind=event.kind, event=json.loads(to_json(event)))
        self._client.ask("Publish", order, Nothing)

    def until(self, reflex: Reflex, patience: float) -> int:
        order = CommandOrder(run=self._run, output="", verb="until", reflex=asdict(reflex))
        answer, end = self._answered(order), monotonic() + round(patience * SECOND)
        while not answer.met and monotonic() < end:
            before = monotonic()
            self._never.wait(min(REFLEX_LOOK, (end - before) / SECOND))
            answer = self._answered(CommandOrder(run=self._run, output="", verb="alive"))
            end += monotonic() - before if answer.held else 0
        return answer.met or self._answered(CommandOrder(run=self._run, output="", verb="disarm")).met

    def ask(self, question: Asked) -> str:
        order = AskOrder(run=self._run, question=question.question, text=question.text, choices=question.choices)
        try:
            answer = self._client.ask("Ask", order, AskAnswer, timeout=None).answer
        except Refused as refusal:
            self._alive()
            raise RigError(str(refusal)) from None
        self._alive()
        return answer

    def leave(self, outcome: Outcome, reason: str) -> None:
        """Tell the server that the protocol is over."""
        order = CommandOrder(run=self._run, output="", verb="leave", outcome=outcome.value, reason=reason)
        self._client.ask("Command", order, CommandAnswer)

    def _alive(self) -> bool:
        """A sign of life; True while the run is held."""
        return self._tell(CommandOrder(run=self._run, output="", verb="alive"))

    def _tell(self, order: CommandOrder) -> bool:
        return self._answered(order).held

    def _answered(self, order: CommandOrder) -> CommandAnswer:
        try:
            answer = self._client.ask("Command", order, CommandAnswer)
        except Refused as refusal:
            raise RigError(str(refusal)) from None
        if answer.ended:
            kinds: dict[str, type[RunEnded]] = {Outcome.ABORTED: Aborted, Outcome.TRIPPED: Tripped}
            raise kinds.get(answer.ended, RunEnded)(answer.reason)
        return answer


def _trace_of(digest: Digest, channel: str) -> Trace:
    column = digest.channels.index(channel)
    return Trace(
        (digest.starts + digest.ends) // 2,
        digest.n[:, column],
        digest.mean[:, column],
        digest.low[:, column],
        digest.high[:, column],
        digest.quality[:, column],
    )


def run(endpoint: Endpoint, run_id: str) -> int:
    """Join the run, do it, leave it. Returns the process's exit code."""
    with Client(endpoint) as client:
        joined = client.ask("Join", JoinOrder(run=run_id), Joined)
        link = RemoteLink(client, run_id, joined.roles)
        parameters = {name: value for name, value in joined.parameters.items() if name != "skipped"}
        outcome, reason = Outcome.COMPLETED, ""
        try:
            make(joined.protocol, parameters, "the run's parameters").run(Rig(link))
        except RunEnded:
            return 0
        except ServerGone as error:
            sys.stderr.write(f"{error}\n")
            return 1
        except LabrigError as error:
            outcome, reason = Outcome.FAILED, str(error)
        except BaseException as error:  # noqa: BLE001 - also SystemExit: whatever a protocol does ends here
            traceback.print_exc()
            outcome, reason = Outcome.FAILED, f"{_where(error)}{type(error).__name__}: {error}"
        link.leave(outcome, reason)
    return 0


def _where(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"line {frames[-1].lineno} of {frames[-1].filename}: " if frames else ""


def _first_line() -> str:
    """Of standard input, without a buffer: the interpreter would wait at its end for the lock of one that is read."""
    line = b""
    while not line.endswith(b"\n") and (more := os.read(sys.stdin.fileno(), 65536)):
        line += more
    return line.decode()


def _end_with_the_server() -> None:
    """Standard input ends with the server. A protocol that calls it learns that itself; one that does not is ended."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    threading.Event().wait(UNWIND)
    os._exit(1)


def main() -> None:
    """Read the order from standard input and do it."""
    order: dict[str, Any] = loads(_first_line())
    spawn("lifeline", _end_with_the_server)
    sys.exit(run(Endpoint.model_validate(order["endpoint"]), str(order["run"])))


if __name__ == "__main__":
    main()
