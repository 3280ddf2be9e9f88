"""``labrig run`` on a rig that is up: the run lives in the server; this terminal starts, shows and may stop it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import numpy as np
from rich.console import Console

from labrig.cli.asking import answer_in_terminal
from labrig.cli.ordering import Asked
from labrig.cli.progress import Progress
from labrig.client import Client, Refused, Watching
from labrig.clock import spawn
from labrig.endpoint import ServerGone, read_endpoint
from labrig.errors import RigError
from labrig.filing import FiledRun
from labrig.model import Asked as Question
from labrig.model import Digest, Outcome
from labrig.recording import RunFile
from labrig.wire.documents import Control, Ordered, RunPaper, Status


def serving_client(folder: Path, rig: str) -> Client | None:
    """A client of the rig's server, if one is up; close it."""
    try:
        client = Client(read_endpoint(folder, rig))
    except ServerGone:
        return None
    try:
        client.status()
    except ServerGone:
        client.close()
        return None
    return client


def run_on_server(client: Client, asked: Asked, progress: Progress, console: Console) -> FiledRun:
    """Start the run and follow it to its filing. Raises `RigError`, `Refused` or `ServerGone`."""
    ordered = Ordered(
        method=asked.named,
        changes=dict(asked.changes),
        coupon=asked.coupon.id,
        lot=asked.coupon.lot,
        operator=asked.operator,
    )
    checks = client.preflight(ordered)
    failed = [check.words for check in checks.checks if not check.ok]
    if failed:
        raise RigError(f"not started: {'; '.join(failed)}")
    watching = client.watch(attending=True, name="labrig run")
    try:
        started = client.start(ordered)
        with _stop_on_signal(client):
            paper = _follow(client, watching, started.run, progress, console)
    finally:
        watching.cancel()
    return _filed(paper)


def _follow(client: Client, watching: Watching, run: str, progress: Progress, console: Console) -> RunPaper:
    values: dict[str, float] = {}
    with progress.shown(values.get):
        for item in watching:
            match item:
                case Digest():
                    values.update(zip(item.channels, np.asarray(item.last[-1]).tolist(), strict=True))
                case Status(run=RunPaper(run=its_id, filed=True) as paper) if its_id == run:
                    return paper
                case Status(question=question) if question is not None:
                    asked = Question(0, question.question, question.text, question.choices)
                    _answer(client, asked, console)
                case Status():
                    progress.tick()
                case _:
                    progress(item)
    raise ServerGone("the server ended before the run was filed; see labrig status")


def _answer(client: Client, question: Question, console: Console) -> None:
    def reply(identifier: str, answer: str) -> None:
        client.control(Control(verb="answer", question=identifier, text=answer, by="terminal"))

    try:
        answer_in_terminal(console, question, reply)
    except Refused:  # somebody else answered first
        return
    except RigError as error:
        client.stop(str(error), "labrig run")


@contextmanager
def _stop_on_signal(client: Client) -> Iterator[None]:
    """Ctrl-C stops the run through the stop door."""

    def stop(number: int, _: FrameType | None) -> None:
        def order() -> None:
            client.stop(signal.Signals(number).name, "labrig run")

        spawn("stop", order)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _filed(paper: RunPaper) -> FiledRun:
    with RunFile(Path(paper.file)) as run:
        analysis = run.analyses[-1].analysis if run.analyses else None
    return FiledRun(
        Path(paper.file), Outcome(paper.outcome), paper.reason, analysis, paper.not_analysed, paper.not_catalogued
    )
