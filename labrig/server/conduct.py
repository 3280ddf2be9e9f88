"""One run at a time: from an order to a filed run, whatever becomes of the protocol's process."""

from __future__ import annotations

import logging
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from labrig.clock import SECOND, Job, spawn
from labrig.endpoint import Endpoint
from labrig.errors import LabrigError, RecordingError, RigError
from labrig.header import MethodFacts, Order, run_path
from labrig.model import Block, Coupon, Event, Orientation, Outcome
from labrig.operators import Desk, Nobody, Operator, Prepared
from labrig.recording import Recorder
from labrig.server import children
from labrig.server.finished import Finished
from labrig.server.specimens import Specimens
from labrig.server.whereabouts import Whereabouts
from labrig.station import Session, Station
from labrig.wire.documents import Check, Checks, Ordered, RunPaper, StepPaper

log = logging.getLogger(__name__)
GRACE: Final = 2.0
"""Seconds that a protocol has to unwind after its run ended, before its process is ended."""
KILL_AFTER: Final = 0.5
CHECKS: Final = 4
"""Orders that are checked at once; each rehearses in a child of its own."""


@dataclass
class _Running:
    """What belongs to the present run."""

    ordered: Ordered
    order: Order
    session: Session
    recorder: Recorder
    child: subprocess.Popen[bytes]
    schedule: tuple[StepPaper, ...]
    seconds: float
    attended: bool
    where: Whereabouts = field(default_factory=Whereabouts)
    over: threading.Event = field(default_factory=threading.Event)


class Conduct:
    """Starts runs and sees them to their end. ``changed`` is called whenever the status is another."""

    def __init__(
        self, station: Station, folder: Path, membrane: str, endpoint: Endpoint, changed: Callable[[], None]
    ) -> None:
        self._station, self._folder, self._membrane, self._endpoint = station, folder, membrane, endpoint
        self._changed = changed
        self._starting = threading.Lock()
        self._running: _Running | None = None
        self.finished = Finished(changed)
        self._specimens = Specimens(folder.parent)
        self._checked: tuple[tuple[str, object], dict[str, Any]] | None = None
        self._jobs: list[Job] = []
        self._checks = threading.BoundedSemaphore(CHECKS)
        self.desk = Desk()

    def preflight(self, ordered: Ordered) -> Checks:
        """Every check before a start; the order's facts are kept for `start`.

        Raises `RigError` where so many clients ask at once that runs and other calls would suffer.
        """
        if not self._checks.acquire(blocking=False):
            raise RigError("other orders are being checked just now; try again in a moment")
        try:
            return self._preflight(ordered)
        finally:
            self._checks.release()

    def _preflight(self, ordered: Ordered) -> Checks:
        checks = [self._rig_check()]
        schedule: tuple[StepPaper, ...] = ()
        seconds, foretold = 0.0, None
        try:
            described = self._described(ordered)
            checks.append(Check(name="method", ok=True, words=f"{ordered.method}: its parameters are valid"))
            checks += self._facts_checks(described)
            seconds, schedule = described["seconds"], tuple(StepPaper(**step) for step in described["schedule"])
            foretold = described["foretold"]
        except children.ChildFailed as error:
            checks.append(Check(name="method", ok=False, words=str(error)))
        checks += [self._specimens.check(ordered), self._folder_check()]
        return Checks(checks=tuple(checks), seconds=seconds, schedule=schedule, foretold=foretold)

    def start(self, ordered: Ordered) -> tuple[str, Path]:
        """Begin a run; raises `RigError` where it cannot, and nothing was begun."""
        asked = self._station.guardian.stops
        with self._starting:
            if self._running is not None:
                raise RigError("a run is going on; wait for its end or stop it")
            described = self._described(ordered)
            failed = [check.words for check in self._facts_checks(described) if not check.ok]
            if failed:
                raise RigError("; ".join(failed))
            return self._begin(ordered, described, self._specimens.taken(ordered), asked)

    @property
    def paper(self) -> RunPaper | None:
        """The present run, else the last one."""
        running = self._running
        return self._paper(running) if running else self.finished.last

    @property
    def backlog(self) -> float:
        """Seconds of data that wait for the disk; 0 without a run."""
        return self._running.recorder.backlog_seconds if self._running else 0.0

    @property
    def attended(self) -> bool:
        """Whether the present run must be attended."""
        return self._running is not None and self._running.attended

    def of(self, run: str) -> Session:
        """The session of the present run; raises `RigError` for another run's id."""
        running = self._running
        if running is None or running.session.header.run_id != run:
            raise RigError("that run is over")
        return running.session

    def leave(self, run: str, outcome: Outcome, reason: str) -> None:
        """The protocol says that it is over: the rig is made safe; its process ends next, or is ended."""
        self._station.guardian.end(self.of(run).tenure, outcome, reason)

    def note_step(self, item: Block | Event) -> None:
        """A sink: remembers the step that the run is in, and its holds."""
        running = self._running
        if running is not None and running.where.take(item):
            self._changed()

    def close(self) -> None:
        """Wait for the present run's end; the station was stopped before."""
        for job in self._jobs:
            job.join()

    def _begin(self, ordered: Ordered, described: dict[str, Any], coupon: Coupon, asked: int) -> tuple[str, Path]:
        facts = MethodFacts(**described["facts"])
        order = Order(facts, coupon, ordered.operator or "unknown", Orientation(ordered.orientation))
        header = self._station.prepare(order)
        recorder = self._recorder(run_path(self._folder, header), header)
        attended = facts.attended if ordered.attended is None else ordered.attended
        try:
            operator = self._operator(ordered, attended=attended)
            session = self._station.begin(order, header, recorder, operator, asked=asked)
        except LabrigError:
            recorder.close(Outcome.FAILED, "it never began")
            recorder.path.unlink(missing_ok=True)
            raise
        try:
            child = children.start_runner(self._endpoint, header.run_id, recorder.path.with_suffix(".log"))
        except OSError as error:
            self._station.finish(session, Outcome.FAILED, f"the protocol's process did not start: {error}")
            recorder.close(Outcome.FAILED, "its process did not start")
            raise RigError(f"the protocol's process did not start: {error}; the rig is safe") from error
        schedule = tuple(StepPaper(**step) for step in described["schedule"])
        self._running = _Running(ordered, order, session, recorder, child, schedule, described["seconds"], attended)
        self._jobs = [job for job in self._jobs if job.is_alive()]
        self._jobs += [spawn("runner's end", self._see_to_end), spawn("runner's grace", self._end_in_time)]
        self._changed()
        return header.run_id, recorder.path

    def _see_to_end(self) -> None:
        """Waits for the process, so that its end is known at once; then makes safe, closes and files."""
        running = self._running
        assert running is not None
        code = running.child.wait()
        assert running.child.stdin is not None
        with suppress(OSError):
            running.child.stdin.close()
        reason = f"the protocol's process ended unexpectedly ({children.explained(code)}); the rig was made safe"
        self._station.finish(running.session, Outcome.FAILED, reason)
        running.over.set()
        ending = running.session.tenure.ending
        failure = ""
        try:
            running.recorder.close(ending.outcome, ending.reason)
        except RecordingError as error:
            failure = str(error)
            log.error("%s", error)  # noqa: TRY400 - the message says it all
        self._drop_empty_log(running)
        paper = self._paper(running).model_copy(
            update={"outcome": ending.outcome.value, "reason": "; ".join(t for t in (ending.reason, failure) if t)}
        )
        self.finished.last, self._running = paper, None
        self.finished.file(paper)

    def _end_in_time(self) -> None:
        """A protocol that does not end after its run has ended is made to."""
        running = self._running
        assert running is not None
        running.session.tenure.ending.event.wait()
        if not running.over.wait(GRACE):
            running.child.terminate()
            if not running.over.wait(KILL_AFTER):
                running.child.kill()

    def _described(self, ordered: Ordered) -> dict[str, Any]:
        """Facts and schedule of an order, by a child; those of the last method and its parameters are remembered."""
        asked = (ordered.method, ordered.changes)
        if self._checked is None or self._checked[0] != asked:
            request = {
                "what": "order",
                "method": ordered.method,
                "folders": [str(self._folder.parent / "methods")],
                "changes": ordered.changes,
                "rig_file": self._endpoint.rig_file,
                "membrane": self._membrane,
            }
            self._checked = (asked, children.describe(request))
        return self._checked[1]

    def _facts_checks(self, described: dict[str, Any]) -> list[Check]:
        facts = described["facts"]
        missing = [role.replace("_", " ") for role in facts["needs"] if role not in self._station.config.file.roles]
        words = f"the rig has no {', '.join(missing)}" if missing else "the rig has everything that the method needs"
        checks = [Check(name="equipment", ok=not missing, words=words)]
        if described["rehearsal"]:
            checks.append(Check(name="rehearsal", ok=False, words=f"the rehearsal was {described['rehearsal']}"))
        elif described["schedule"]:
            words = f"rehearsed on this rig's simulated twin; it takes about {described['lasting']}"
            checks.append(Check(name="rehearsal", ok=True, words=words))
        return checks

    def _rig_check(self) -> Check:
        guardian = self._station.guardian
        ok = guardian.state.value == "safe" and not guardian.guards.standing
        words = guardian.guards.standing or guardian.trip_reason or f"the rig is {guardian.state.value}"
        return Check(name="rig", ok=ok, words=words)

    def _folder_check(self) -> Check:
        probe = self._folder / ".labrig-probe"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            probe.write_bytes(b"labrig")
            probe.unlink()
        except OSError as error:
            return Check(name="data folder", ok=False, words=f"{self._folder} cannot be written: {error.strerror}")
        return Check(name="data folder", ok=True, words=f"{self._folder} can be written")

    def _recorder(self, path: Path, header: Any) -> Recorder:  # noqa: ANN401 - RunHeader
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RecordingError(f"{path.parent} cannot be made: {error}. Nothing was started.") from error
        return Recorder(path, header, clock=self._station.clock, on_failure=self._not_recorded)

    def _not_recorded(self, reason: str) -> None:
        """On a thread of its own: whoever tells it may hold what a stop waits for."""
        spawn("stop, not recorded", partial(self._station.guardian.stop, Outcome.FAILED, reason))

    def _operator(self, ordered: Ordered, *, attended: bool) -> Operator:
        if ordered.answers is not None:
            return Prepared(ordered.operator or "script", ordered.answers)
        return self.desk if attended else Nobody()

    @staticmethod
    def _drop_empty_log(running: _Running) -> None:
        path = running.recorder.path.with_suffix(".log")
        with suppress(OSError):
            if path.stat().st_size == 0:
                path.unlink()

    @staticmethod
    def _paper(running: _Running) -> RunPaper:
        header = running.session.header
        return RunPaper(
            run=header.run_id,
            file=str(running.recorder.path),
            method=header.method,
            protocol=header.protocol,
            coupon=header.coupon.id,
            lot=header.coupon.lot,
            operator=header.operator,
            orientation=header.mounting.orientation.value,
            attended=running.attended,
            started_utc=header.started_utc,
            started=header.started_ns,
            step=running.where.step,
            step_entered=running.where.entered,
            step_held=running.where.held / SECOND,
            schedule=running.schedule,
            seconds=running.seconds,
            recorded_through=running.recorder.recorded_through,
        )
