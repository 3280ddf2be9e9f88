"""``labrig run``: a complete run in the terminal, with live progress and time left."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final

from rich.console import Console

from labrig.bench import Bench, open_bench
from labrig.cli.asking import answer_in_terminal
from labrig.cli.ordering import Asked, data_folder
from labrig.cli.progress import Progress, newest_of
from labrig.cli.remote import run_on_server, serving_client
from labrig.cli.showing import print_analysis
from labrig.cli.specimen_of import with_specimen
from labrig.clock import spawn
from labrig.config import RigConfig, find_rig, load_rig
from labrig.errors import RecordingError, RigError
from labrig.exports import export
from labrig.filing import FiledRun
from labrig.guardian import Guardian
from labrig.model import Faulted, Outcome
from labrig.operators import Desk
from labrig.plant import forecast, load_membrane
from labrig.recording import RunFile
from labrig.rehearsal import Schedule, rehearse
from labrig.shown import analysis_as_json
from labrig.units import psi

NOT_COMPLETED: Final = 1
TICK: Final = 0.25
GRACE: Final = 5.0
"""Seconds that a protocol has to end after its run has ended."""


def run(rig: str, asked: Asked, membrane: str, seed: int, data: Path | None, *, as_json: bool) -> int:
    """Run, file, analyse, export, report. The exit code is 0 only for a completed run with a result."""
    console = Console(stderr=as_json, highlight=False)
    config = load_rig(find_rig(rig))
    folder = data_folder(data)
    where = f"{config.name}, simulated" if config.simulated else config.name
    console.print(f"[bold]{asked.method.protocol.title}[/bold] ({asked.method.name} {asked.method.version}) on {where}")
    asked = with_specimen(console, folder, asked)
    console.print(f"Coupon {asked.coupon.id}, operator {asked.operator}")
    schedule = _schedule(rig, asked, membrane or config.default_membrane)
    if schedule:
        console.print(f"Rehearsed on the twin: about {schedule.total:.0f} s")
    for words in _not_measurable(config, asked, membrane or config.default_membrane):
        console.print(f"[bold yellow]This rig is not suited[/bold yellow]: {words}")
    server = serving_client(folder, config.name)
    progress = Progress(console, config, schedule)
    if server is not None:
        with server:
            console.print(f"On the server of {config.name} (process {server.endpoint.pid})")
            finished = run_on_server(server, asked, progress, console)
    else:
        with open_bench(rig, folder, membrane=membrane, seed=seed) as bench:
            finished = _execute(bench, asked, console, progress)
    files = _exported(finished, console)
    if as_json:
        print(json.dumps(_document(finished, files or []), indent=2, allow_nan=False, default=str))
    else:
        _report(console, finished, files or [])
    completed = finished.outcome is Outcome.COMPLETED and finished.analysis is not None and files is not None
    return 0 if completed else NOT_COMPLETED


def _not_measurable(config: RigConfig, asked: Asked, membrane: str) -> tuple[str, ...]:
    """What speaks against this membrane on this rig at the method's pressures; nothing is known of a real rig's."""
    pressures: tuple[float, ...] = getattr(asked.method.protocol, "pressures", ())
    if config.file.simulation is None:
        return ()
    expected = [forecast(config.file.simulation, load_membrane(membrane), pressure) for pressure in pressures]
    return tuple(f"at {one.pressure / psi:g} psi {reason}" for one in expected for reason in one.reasons)


def _schedule(rig: str, asked: Asked, membrane: str) -> Schedule | None:
    """Step times by rehearsal; None for a rig without a twin."""
    config = load_rig(find_rig(rig))
    if not config.simulated:
        return None
    return rehearse(asked.method.protocol, asked.order, config, load_membrane(membrane), seed=0).schedule


def _execute(bench: Bench, asked: Asked, console: Console, progress: Progress) -> FiledRun:
    """The run in a thread of its own, the terminal in this one."""
    desk, guardian = Desk(), bench.station.guardian
    ended: list[FiledRun | BaseException] = []
    over = threading.Event()

    def execute() -> None:
        try:
            ended.append(bench.run(asked.method, asked.coupon, progress, by=asked.operator, operator=desk))
        except BaseException as error:  # noqa: BLE001 - handed to the main thread, which raises it
            ended.append(error)
        finally:
            over.set()

    with _stop_on_signal(guardian), progress.shown(newest_of(bench.station.history)):
        spawn("run", execute)
        patience = Patience(GRACE)
        while not over.wait(TICK):
            progress.tick()
            if desk.pending is not None:
                _answer(console, desk, guardian, asked.operator)
            if patience.over(bench.overdue) and (closed := bench.abandon(asked.method)) is not None:
                console.print("[bold red]The protocol does not end[/bold red]; the rig is safe, and its run is closed.")
                return closed
    (result,) = ended
    if isinstance(result, BaseException):
        raise result
    return result


def _answer(console: Console, desk: Desk, guardian: Guardian, by: str) -> None:
    """Put the waiting question to this terminal; without a person at it the run is stopped."""
    question = desk.pending
    if question is None:
        return
    try:
        answer_in_terminal(console, question, lambda identifier, answer: desk.reply(identifier, answer, by))
    except RigError as error:
        guardian.stop(Outcome.FAILED, str(error))


class Patience:
    """How long something has been so."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._since = seconds, 0.0

    def over(self, so: bool) -> bool:
        """Whether it has been so for longer than the patience lasts."""
        if not so:
            self._since = 0.0
            return False
        self._since = self._since or time.monotonic()
        return time.monotonic() - self._since > self._seconds


@contextmanager
def _stop_on_signal(guardian: Guardian) -> Iterator[None]:
    """Ctrl-C and SIGTERM abort the run: outputs safe first, then the run ends and is filed."""

    def stop(number: int, _: FrameType | None) -> None:
        name = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
        spawn("stop", lambda: guardian.stop(Outcome.ABORTED, f"stopped by {name}"))

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _report(console: Console, finished: FiledRun, files: list[Path]) -> None:
    if finished.analysis is not None:
        print_analysis(console, finished.analysis)
    if finished.outcome is not Outcome.COMPLETED:
        console.print(f"[bold red]The run was {finished.outcome.value}[/bold red]: {finished.reason}")
        for trouble in _not_made_safe(finished.path):
            console.print(f"[bold red]CHECK THE RIG BY HAND[/bold red]: {trouble}")
        console.print("Everything up to there is recorded.")
    if finished.not_catalogued:
        console.print(f"[bold yellow]Not in the catalogue[/bold yellow]: {finished.not_catalogued}")
    if finished.not_analysed:
        console.print(f"[bold red]No result[/bold red]: {finished.not_analysed}")
    console.print()
    for label, path in (("Run file", finished.path), *((path.suffix[1:].upper(), path) for path in files)):
        console.print(f"{label + ':':<10}{path}", soft_wrap=True)


def _not_made_safe(path: Path) -> list[str]:
    """What the run's record says of outputs that could not be made safe."""
    with RunFile(path) as run:
        told = [event.text for event in run.events if isinstance(event, Faulted) and event.source == "outputs"]
    return list(dict.fromkeys(told))


def _exported(finished: FiledRun, console: Console) -> list[Path] | None:
    """CSV and HDF5 beside the run file; None, and told why, where they could not be made: the result stands anyway."""
    try:
        return export(finished.path, finished.path.parent, {"csv", "hdf5"})
    except RecordingError as error:
        console.print(f"[bold red]Not exported[/bold red]: {error}")
        return None


def _document(finished: FiledRun, files: list[Path]) -> dict[str, Any]:
    return {
        "outcome": finished.outcome.value,
        "reason": finished.reason,
        "analysis": analysis_as_json(finished.analysis),
        "not_analysed": finished.not_analysed,
        "not_catalogued": finished.not_catalogued,
        "run_file": str(finished.path),
        "exports": [str(path) for path in files],
    }
