"""What the rig is doing, on every page: the frame in the state's colour, and the state in words."""

from __future__ import annotations

import math
from typing import Final

from PySide6.QtCore import QTimer
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QSizePolicy, QWidget

from labrig.clock import SECOND
from labrig_ui import words
from labrig_ui.desk import Desk
from labrig_ui.parts import row, set_kind, show, text
from labrig_ui.theme import Theme

BORDER: Final = 8
"""px"""


class StateFrame(QWidget):
    """The whole window's content inside a border in the colour of the rig's state."""

    def __init__(self, desk: Desk, theme: Theme) -> None:
        super().__init__()
        self._desk, self._theme = desk, theme
        desk.status_changed.connect(self.update)
        desk.attachment_changed.connect(self.update)
        theme.changed.connect(self.update)

    def colour(self) -> str:
        return self._theme.tokens.state(self._desk.state)[0]

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self.colour()))
        inside = self.rect().adjusted(BORDER, BORDER, -BORDER, -BORDER)
        painter.fillRect(inside, QColor(self._theme.tokens.window))
        painter.end()


class StateBar(QFrame):
    """Rig, state, reason, time."""

    def __init__(self, desk: Desk, theme: Theme) -> None:
        super().__init__()
        self._desk, self._theme = desk, theme
        self.rig = text(kind="title")
        self.simulated = text("SIMULATED RIG", "caution")
        self.pill = text()
        self.line = text(wrap=True)
        self.open = text()
        self.time = text(kind="heading")
        row(self.pill, self.rig, self.simulated, self.line, self.open, self.time, margin=8, spacing=16, into=self)
        layout = self.layout()
        if layout is not None:
            layout.setContentsMargins(12, 8, 12, 4)
        self.line.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        desk.status_changed.connect(self.refresh)
        desk.attachment_changed.connect(self.refresh)
        theme.changed.connect(self.refresh)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._show_time)
        self._timer.start(500)
        self.refresh()

    def refresh(self) -> None:
        desk, state = self._desk, self._desk.state
        back, front = self._theme.tokens.state(state)
        show(self.pill, words.STATE_WORDS[state], "State of the rig")
        size = round(20 * self._theme.scale)
        wanted = (
            f"background: {back}; color: {front}; font-size: {size}px; font-weight: 700; border-radius: 6px;"
            " padding: 4px 14px;"
        )
        if self.pill.styleSheet() != wanted:  # a style that is set is worked out anew, even when it is the same
            self.pill.setStyleSheet(wanted)
        show(self.rig, desk.rig or "No rig chosen", "Rig")
        self.simulated.setVisible(desk.description is not None and desk.description.simulated and bool(desk.rig))
        line = words.state_line(state, desk.status)
        if state != "running":  # the line of a run holds names that people gave, and those stay as they are
            line = words.readable(line, desk.names())
        show(self.line, line, "What the rig is doing")
        self._show_opening()
        self._show_time()

    def _show_opening(self) -> None:
        status = self._desk.status
        known = status is not None and self._desk.server is not None
        self.open.setVisible(known)
        if status is None or not known:
            return
        if status.safe_to_open:
            set_kind(self.open, "good")
            show(self.open, "✓ SAFE TO OPEN")
        else:
            set_kind(self.open, "caution")
            show(self.open, _do_not_open(status.not_safe_because))
        self.open.setToolTip(status.not_safe_because)
        self.open.setAccessibleDescription(status.not_safe_because)

    def _show_time(self) -> None:
        run = self._desk.run
        if run is None or self._desk.server is None:
            self.time.hide()
            return
        self.time.show()
        now = self._desk.now()
        left = words.seconds_left(run, now) if self._desk.state == "running" else math.nan
        gone = words.clock_time((now - run.started) / SECOND) if run.started else ""
        show(self.time, gone + (f"  ·  {words.duration(left)} left" if math.isfinite(left) else ""), "Time of the run")


def _do_not_open(because: str) -> str:
    """With the first reason; all of them stand in the tool tip."""
    first, more, _ = because.partition(";")
    return f"✕ DO NOT OPEN: {first}{' …' if more else ''}" if first else "✕ DO NOT OPEN"
