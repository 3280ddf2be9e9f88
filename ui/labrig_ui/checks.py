"""The pre-flight checks, each with its reason in words."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QSizePolicy, QWidget

from labrig.wire.documents import Check, Checks
from labrig_ui.parts import column, set_kind, text
from labrig_ui.theme import Theme
from labrig_ui.words import capitalised

EMPTY = "Nothing has been checked yet."


class CheckList(QWidget):
    """What was found; grey once the order has changed since."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._shown: tuple[Check, ...] = ()
        self.summary = text(EMPTY, "muted", wrap=True)
        self.list = QListWidget()
        self.list.setAccessibleName("Pre-flight checks")
        self.list.setWordWrap(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        column(self.summary, self.list, margin=4, spacing=4, into=self)
        theme.changed.connect(lambda: self._fill(self._shown))
        self.clear()

    def clear(self) -> None:
        self._say(EMPTY, "muted")
        self._fill(())

    def show_checks(self, checks: Checks) -> None:
        failed = sum(not check.ok for check in checks.checks)
        if failed:
            self._say(f"{failed} of {len(checks.checks)} checks failed", "bad")
        else:
            self._say(f"All {len(checks.checks)} checks passed", "good")
        self._fill(tuple(sorted(checks.checks, key=lambda check: check.ok)))

    def show_refusal(self, words: str) -> None:
        """The server, or the line to it, said no."""
        self._say(words, "bad")

    def outdate(self) -> None:
        """The order is another one now."""
        self._say("Changed since it was checked; check again.", "caution")

    def _say(self, words: str, kind: str) -> None:
        self.summary.setText(words)
        set_kind(self.summary, kind)

    def _fill(self, checks: tuple[Check, ...]) -> None:
        self._shown = checks
        self.list.clear()
        tokens = self._theme.tokens
        for check in checks:
            item = QListWidgetItem(f"{'✓' if check.ok else '✕'}  {capitalised(check.name)}: {check.words}")
            if not check.ok:
                item.setForeground(QColor(tokens.bad))
            self.list.addItem(item)
        self.list.setEnabled(bool(checks))
