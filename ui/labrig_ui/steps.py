"""Beside the plots: the steps of the run with their times, what the outputs do, and what happened."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QTimer
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QGridLayout, QListWidget, QListWidgetItem, QPlainTextEdit, QWidget

from labrig.clock import SECOND
from labrig.model import Commanded, Event, Faulted, Marked, Noted, ReflexMet, StateChanged, StepEntered
from labrig.units import unit
from labrig.wire.documents import Description, OutputPaper, RunPaper
from labrig_ui import words
from labrig_ui.desk import Desk
from labrig_ui.parts import clear, column, show, text

_LINES: Final = 500


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the list."""

    path: str
    state: str
    """``done``, ``now`` or ``to come``."""
    at: float
    """s since the start of the run, by rehearsal; NaN where it was not rehearsed."""
    until: float = math.nan
    """The same of its end."""

    def words(self, now: float = math.nan) -> str:
        """Mark, name, and how long until it ends or begins; ``now`` in s of the rehearsed schedule, NaN if unknown."""
        name, depth = self.path.rpartition(" / ")[2], self.path.count(" / ")
        mark = {"done": "✓", "now": "▶", "to come": "·"}[self.state]
        return f"{'    ' * depth}{mark} {name}{self._time(now)}"

    def _time(self, now: float) -> str:
        if self.state == "now" and math.isfinite(self.until - now):
            left = self.until - now
            return f"   {words.duration(left)} left" if left > 0 else "   longer than rehearsed"
        if self.state == "to come" and math.isfinite(self.at - now):
            return f"   in {words.duration(self.at - now)}"
        return ""


def steps_of(run: RunPaper | None) -> tuple[Step, ...]:
    """The rehearsed schedule and where the run is in it; a step that was not rehearsed stands alone."""
    if run is None:
        return ()
    paths = [step.path for step in run.schedule]
    if run.step not in paths:
        here = (Step(run.step, "now", math.nan),) if run.step and not run.outcome else ()
        return (*(Step(step.path, "to come", step.at) for step in run.schedule), *here)
    place = paths.index(run.step)
    ended = run.outcome == "completed"

    def state(number: int) -> str:
        if number < place or ended:
            return "done"
        return "now" if number == place and not run.outcome else "to come"

    ends = (*(step.at for step in run.schedule[1:]), run.seconds)
    lines = zip(run.schedule, ends, strict=True)
    return tuple(Step(step.path, state(number), step.at, end) for number, (step, end) in enumerate(lines))


class StepList(QWidget):
    """Steps with the time that is left, the present one marked."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self.shown: tuple[Step, ...] | None = None
        self.list = QListWidget()
        self.list.setAccessibleName("Steps of the run")
        self.empty = text("The steps of a run stand here with their times, once one is started.", "muted", wrap=True)
        column(text("Steps", "heading"), self.empty, self.list, spacing=4, into=self)
        desk.status_changed.connect(self.refresh)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.tell_times)
        self._timer.start(1000)
        self.refresh()

    def refresh(self) -> None:
        steps = steps_of(self._desk.last_run)
        if steps == self.shown:
            return
        self.shown = steps
        self.list.clear()
        for step in steps:
            item = QListWidgetItem(step.words())
            if step.state == "now":
                font = QFont(self.list.font())
                font.setBold(True)
                item.setFont(font)
            self.list.addItem(item)
            if step.state == "now":
                self.list.setCurrentItem(item)
        self.empty.setVisible(not steps)
        self.list.setVisible(bool(steps))
        self.tell_times()

    def tell_times(self) -> None:
        """Write the times anew; a run that is held has none."""
        run = self._desk.run
        now = math.nan
        if run is not None and self._desk.state == "running":
            now = run.seconds - words.seconds_left(run, self._desk.now())
        for place, step in enumerate(self.shown or ()):
            item = self.list.item(place)
            if item.text() != step.words(now):
                item.setText(step.words(now))


class OutputList(QWidget):
    """The last command of every output."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._rows: dict[str, tuple[OutputPaper, object]] = {}
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(2)
        column(text("Outputs", "heading"), self._grid, spacing=4, into=self)
        desk.status_changed.connect(self.refresh)
        desk.attachment_changed.connect(self.rebuild)
        self.rebuild()

    def rebuild(self) -> None:
        clear(self._grid)
        self._values = {}
        outputs = self._desk.description.outputs if self._desk.description is not None else ()
        for place, output in enumerate(outputs):
            self._grid.addWidget(text(output.name.replace("_", " ").capitalize(), "muted"), place, 0)
            self._values[output.name] = text("–")
            self._grid.addWidget(self._values[output.name], place, 1)
        self._grid.setColumnStretch(1, 1)
        self.refresh()

    def refresh(self) -> None:
        status, description = self._desk.status, self._desk.description
        for output in description.outputs if description is not None else ():
            value = status.outputs.get(output.name) if status is not None else None
            if output.name in self._values:
                show(self._values[output.name], output_words(output, value), output.name)


def output_words(output: OutputPaper, value: float | None) -> str:
    """``open``, ``closed`` or a set-point with its unit; ``–`` where nothing was commanded."""
    if value is None or not math.isfinite(value):
        return "–"
    if output.kind == "valve":
        return "open" if value else "closed"
    return unit(output.unit).show(value)


class Happenings(QWidget):
    """Events of the run that goes on, or of the last one, in words; the newest below."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._events: deque[Event] = deque(maxlen=_LINES)
        self._told_of = ("", 0)
        """The run whose events stand here, and its start."""
        self.log = QPlainTextEdit()
        self.log.setReadOnly(True)
        self.log.setMaximumBlockCount(_LINES)
        self.log.setAccessibleName("What happened")
        self.log.setTabChangesFocus(True)
        self.log.setPlaceholderText("Notes, commands, faults and changes of state appear here.")
        column(text("What happened", "heading"), self.log, spacing=4, into=self)
        desk.happened.connect(self.add)
        desk.status_changed.connect(self.refresh)
        desk.attachment_changed.connect(self._forget)

    def add(self, event: Event) -> None:
        self._events.append(event)
        self._write(event)

    def refresh(self) -> None:
        """Another run begins an empty page; an event of it may have come before the word that it goes on."""
        run = self._desk.last_run
        now = (run.run, run.started) if run is not None else ("", 0)
        if now == self._told_of:
            return
        self._told_of = now
        kept = [event for event in self._events if event.time >= now[1]]
        self._events.clear()
        self.log.clear()
        for event in kept:
            self.add(event)

    def _forget(self) -> None:
        """What happened on a rig that nobody follows any more is no word about the next."""
        if not self._desk.rig:
            self._told_of = ("", 0)
            self._events.clear()
            self.log.clear()

    def _write(self, event: Event) -> None:
        said = event_words(event, self._desk.description)
        if said:
            run = self._desk.last_run
            since = (event.time - run.started) / SECOND if run is not None and run.started else math.nan
            when = f"{words.clock_time(since)}  " if math.isfinite(since) and since >= 0 else ""
            self.log.appendPlainText(f"{when}{said}")


def event_words(event: Event, description: Description | None = None) -> str:
    """One line for people; empty for what the screen shows elsewhere."""
    said = ""
    match event:
        case StepEntered():
            said = f"Step: {event.path}"
        case StateChanged():
            said = words.STATE_WORDS.get(event.after, event.after) + _because(event.reason, description)
        case Noted():
            said = f"Note: {event.text}" + (f" ({event.author})" if event.author else "")
        case Faulted():
            said = f"FAULT {event.source}: {event.text}"
        case Marked():
            said = f"Measured: {event.span.kind}, {words.duration(event.span.seconds)}"
        case ReflexMet():
            said = f"Condition met: {event.reflex}"
        case Commanded():
            said = f"{words.capitalised(event.output.replace('_', ' '))}: {_command(event, description)}"
    return said


def _because(reason: str, description: Description | None) -> str:
    """With the names of the rig file in words."""
    channels = description.channels if description is not None else ()
    outputs = description.outputs if description is not None else ()
    return (
        f": {words.plain(reason, [*(one.name for one in channels), *(one.name for one in outputs)])}" if reason else ""
    )


def _command(event: Commanded, description: Description | None) -> str:
    """``open``, or ``20.00 psi``."""
    output = next((one for one in (description.outputs if description else ()) if one.name == event.output), None)
    if output is None or output.kind == "valve" or event.value is None:
        return event.command
    return output_words(output, event.value)
