"""What must be in reach on every page: Stop, hold and resume, reset of a trip, a note."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QLineEdit, QWidget

from labrig.wire.documents import Stopped
from labrig_ui.desk import Desk
from labrig_ui.orders import Orders
from labrig_ui.parts import button, row, set_kind, show, text

STOP_KEYS = ("Ctrl+.", "Esc")


class SafetyBar(QFrame):
    """Below every page."""

    def __init__(self, desk: Desk, orders: Orders) -> None:
        super().__init__()
        self._desk, self._orders = desk, orders
        set_kind(self, "safety")
        self.stop = button(
            "STOP", lambda: orders.stop("stopped at the desktop"), "stop", tip="Make the rig safe now (Esc or Ctrl+.)"
        )
        self.hold = button("&Hold", orders.hold, tip="Let the run wait where it is (Ctrl+H)")
        self.resume = button("&Resume", orders.resume, "primary", tip="Let the held run go on (Ctrl+R)")
        self.reset = button("Rese&t trip", orders.reset, "primary", tip="Release the trip once its cause is gone")
        self.note = QLineEdit()
        self.note.setPlaceholderText("Note for the run's record")
        self.note.setAccessibleName("Note for the record")
        self.note.setMaxLength(2000)
        self.note.returnPressed.connect(self._write_note)
        self.save = button("&Add note", self._write_note, tip="Write the note into the run's record (Enter)")
        self.said = text(kind="muted")
        parts = (self.note, self.save, self.said, None, self.reset, self.resume, self.hold, self.stop)
        row(*parts, margin=12, spacing=8, into=self)
        self.note.setMinimumWidth(180)
        self.note.setMaximumWidth(420)
        self._forget = QTimer(self)
        self._forget.setSingleShot(True)
        self._forget.setInterval(8000)
        self._forget.timeout.connect(lambda: show(self.said, ""))
        orders.stopping.connect(lambda: self.say("Stop was sent …"))
        orders.stopped.connect(self._stopped)
        desk.status_changed.connect(self.refresh)
        desk.attachment_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        state = self._desk.state
        there = self._desk.server is not None
        self.stop.setEnabled(bool(self._desk.rig))
        self.hold.setVisible(state not in {"hold", "tripped"})
        self.hold.setEnabled(state == "running")
        self.resume.setVisible(state == "hold")
        self.reset.setVisible(state == "tripped")
        self.note.setEnabled(self._desk.run is not None and there)
        self.save.setEnabled(self.note.isEnabled())

    def _write_note(self) -> None:
        words = self.note.text().strip()
        if words:
            self._orders.note(words)
            self.note.clear()
            self.say("Noted.")

    def _stopped(self, stopped: Stopped) -> None:
        self.say(f"Outputs commanded safe after {stopped.milliseconds:.0f} ms.")

    def say(self, words: str) -> None:
        """A remark that goes away by itself."""
        show(self.said, words, "Last order")
        self._forget.start()


def add_stop_keys(window: QWidget, orders: Orders, keys: tuple[str, ...] = STOP_KEYS) -> None:
    """Let a window stop the rig by keyboard. A dialog takes ``Ctrl+.`` only: its Esc puts the dialog away."""
    for key in keys:
        shortcut = QShortcut(QKeySequence(key), window)
        shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
        shortcut.setAutoRepeat(False)
        shortcut.activated.connect(lambda key=key: orders.stop(f"stopped at the desktop ({key})"))
