"""What clients see of a station: its description, its status, its runs, and what they may wish for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from labrig.clock import monotonic
from labrig.config import RigConfig
from labrig.errors import RigError
from labrig.model import Answered, Asked, Block, Commanded, Event, Noted, StateChanged
from labrig.reflex import Armed, Reflex
from labrig.server.archive import Archive
from labrig.server.conduct import Conduct
from labrig.server.watchers import Watchers
from labrig.station import Session, Station
from labrig.wire.documents import (
    ChannelPaper,
    Control,
    Description,
    MethodPaper,
    OutputPaper,
    QuestionPaper,
    RunPaper,
    Status,
)

_REFLEX = TypeAdapter(Reflex)


class Front:
    """One station, one conduct, many clients."""

    def __init__(
        self,
        station: Station,
        conduct: Conduct,
        archive: Archive,
        description: Description,
        shutdown: Callable[[], None],
    ) -> None:
        self.station, self.conduct, self.description = station, conduct, description
        self._archive, self._shutdown = archive, shutdown
        self._outputs: dict[str, float] = {}
        self._reason = ""
        self._warnings: dict[str, str] = {}
        self._armed: tuple[str, Armed | None] = ("", None)
        self._lock = threading.Lock()
        self.watchers = Watchers(station.history, self.status)

    def __call__(self, item: Block | Event) -> None:
        """A sink: keeps the status up to date and hands events on."""
        if isinstance(item, Block):
            return
        with self._lock:
            match item:
                case Commanded(output=output, value=float() as value):
                    self._outputs[output] = value
                case StateChanged(reason=reason):
                    self._reason = reason
                case _:
                    pass
        self.watchers(item)
        if isinstance(item, StateChanged | Commanded):
            self.watchers.changed()

    def status(self) -> Status:
        """How things stand now."""
        guardian = self.station.guardian
        question = self.conduct.desk.pending
        safe, why_not = self.station.safe_to_open()
        with self._lock:
            return Status(
                now=monotonic(),
                state=guardian.state.value,
                reason=guardian.trip_reason or self._reason,
                safe_to_open=safe,
                not_safe_because=why_not,
                question=_question_paper(question),
                run=self.conduct.paper,
                outputs=dict(self._outputs),
                warnings=tuple(self._warnings.values()),
                forecasts=tuple(one.words for one in self.station.forecasts()),
            )

    def warn(self, subject: str, words: str) -> None:
        """Keep a warning in the status; empty words take it back."""
        with self._lock:
            if words:
                self._warnings[subject] = words
            else:
                self._warnings.pop(subject, None)
        self.watchers.changed()

    def control(self, wish: Control) -> Status:
        """Do what a client wishes; raises `RigError` where the rig's state does not allow it."""
        by = wish.by or "a client"
        match wish.verb:
            case "hold":
                self.station.guardian.hold(wish.text or f"held by {by}")
            case "resume":
                self.station.guardian.resume(by)
            case "reset":
                self.station.guardian.reset(by)
            case "note":
                self._note(wish.text, by)
            case "answer":
                self.conduct.desk.reply(wish.question, wish.text, by)
            case "refilled":
                self.station.feed_filled()
            case "shutdown":
                self._shutdown()
        return self.status()

    def ask(self, session: Session, question: Asked) -> str:
        """Put a protocol's question to whoever answers for that run."""
        self.station.publish(question)
        self.watchers.changed()
        answer = session.operator.answer(question, session.tenure)
        if not session.tenure.ending.event.is_set():
            self.station.publish(Answered(monotonic(), question.question, answer, session.operator.name))
        self.watchers.changed()
        return answer

    def arm(self, session: Session, reflex: dict[str, Any]) -> None:
        """Arm a runner's reflex in place of the one before."""
        self.disarm(session)
        armed = self.station.arm(session, _REFLEX.validate_python(reflex))
        self._armed = (session.header.run_id, armed)

    def disarm(self, session: Session) -> None:
        """The run's newest reflex waits no longer."""
        run, armed = self._armed
        if armed is not None and run == session.header.run_id:
            armed.disarm()

    def met(self, session: Session) -> int:
        """When the run's newest reflex was met; 0 while it was not."""
        run, armed = self._armed
        return armed.met if armed is not None and run == session.header.run_id else 0

    def runs(self, most: int) -> tuple[RunPaper, ...]:
        """The present run first, then the newest of the folder."""
        present = self.conduct.paper
        going_on = present if present is not None and not present.outcome else None
        older = self._archive.newest(most, Path(going_on.file) if going_on else None)
        return ((going_on,) if going_on else ()) + tuple(map(self.conduct.finished.as_known, older))

    def run(self, run: str) -> RunPaper:
        """One run by id; raises `RigError` where there is none."""
        present = self.conduct.paper
        if present is not None and present.run == run and not present.outcome:
            return present
        return self.conduct.finished.as_known(self._archive.one(run))

    def _note(self, text: str, by: str) -> None:
        if not text.strip():
            raise RigError("a note needs a text")
        present = self.conduct.paper
        if present is None or present.outcome:
            raise RigError("no run is going on, so that there is nothing to note it in")
        self.station.publish(Noted(monotonic(), text, by))


def describe(config: RigConfig, methods: list[dict[str, Any]], folder: Path, version: str) -> Description:
    """What does not change while the server lives."""
    role_of = {name: role for role, name in config.file.roles.items()}
    membranes: tuple[str, ...] = ()
    if config.simulated:
        from labrig.plant import shipped_membranes

        membranes = shipped_membranes()
    return Description(
        rig=config.name,
        description=config.file.description,
        rig_file=str(config.path),
        simulated=config.simulated,
        cell=config.file.cell.name,
        exposed_diameter=config.file.cell.exposed_diameter,
        channels=tuple(_channel_paper(config, name, role_of.get(name, "")) for name in config.channels),
        outputs=tuple(
            OutputPaper(
                name=output.name,
                kind=output.kind,
                unit=output.unit.symbol,
                low=output.low,
                high=output.high,
                role=role_of.get(output.name, ""),
            )
            for output in config.outputs.values()
        ),
        methods=tuple(MethodPaper(**method) for method in methods),
        membranes=membranes,
        version=version,
        folder=str(folder),
    )


def _channel_paper(config: RigConfig, name: str, role: str) -> ChannelPaper:
    channel = config.channels[name]
    guards = [interlock for interlock in config.interlocks if interlock.channel == name]
    lows = [guard.low for guard in guards if guard.low > float("-inf")]
    highs = [guard.high for guard in guards if guard.high < float("inf")]
    return ChannelPaper(
        name=name,
        label=channel.label,
        unit=channel.unit.symbol,
        low=channel.low,
        high=channel.high,
        role=role,
        guarded_low=max(lows, default=None),
        guarded_high=min(highs, default=None),
    )


def _question_paper(question: Asked | None) -> QuestionPaper | None:
    if question is None:
        return None
    return QuestionPaper(question=question.question, text=question.text, choices=question.choices)
