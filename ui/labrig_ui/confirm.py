"""Dialogs that ask before something that cannot be taken back; the harmless answer is the default."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QDialog, QWidget

from labrig_ui.orders import Orders
from labrig_ui.parts import button, column, row, set_kind, text
from labrig_ui.safety_bar import add_stop_keys


class Dialog(QDialog):
    """Modal to its window. Esc puts it away and does nothing else; Ctrl+. stops the rig here too."""

    def __init__(self, parent: QWidget, title: str, words: str, orders: Orders | None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self.setAccessibleDescription(words)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(460)
        self.words = text(words, wrap=True)
        self.buttons = row(None)
        self.content = column(text(title, "title", wrap=True), self.words, margin=18, spacing=14, into=self)
        if orders is not None:
            add_stop_keys(self, orders, ("Ctrl+.",))

    def finish_layout(self) -> None:
        """Put the buttons below everything."""
        self.content.addLayout(self.buttons)

    def fit(self) -> None:
        """Grow to what the texts need: Qt reckons the height of a window without their further lines."""
        self.content.activate()
        needed = self.content.totalHeightForWidth(self.width())
        if needed > self.height():
            self.resize(self.width(), needed)

    def showEvent(self, shown: QShowEvent) -> None:
        super().showEvent(shown)
        self.fit()


class Confirm(Dialog):
    """Do it, or cancel."""

    agreed = Signal()

    def __init__(self, parent: QWidget, title: str, words: str, act: str, orders: Orders | None = None) -> None:
        super().__init__(parent, title, words, orders)
        self.yes = button(act, self._agree)
        self.no = button("Cancel", self.reject, "primary")
        self.buttons.addWidget(self.yes)
        self.buttons.addWidget(self.no)
        self.no.setDefault(True)
        self.finish_layout()
        self.no.setFocus()

    def _agree(self) -> None:
        self.accept()
        self.agreed.emit()


class CloseDialog(Dialog):
    """What shall become of the run when the window closes; Cancel is the default."""

    keep_running = Signal()
    stop_and_vent = Signal()

    def __init__(self, parent: QWidget, *, attended: bool, orders: Orders) -> None:
        words = (
            "This run is attended: when the last desktop goes, the rig server stops it in order. "
            if attended
            else "This run may go on without a desktop; open labrig again to watch it. "
        )
        super().__init__(parent, "A run is going on", words + "Esc returns to the run.", orders)
        self.keep = button("&Leave it to the server" if attended else "&Keep running", self._keep)
        self.stop = button("&Stop and vent", self._stop)
        set_kind(self.stop, "stop")
        self.cancel = button("Cancel", self.reject, "primary")
        for made in (self.keep, self.stop, self.cancel):
            self.buttons.addWidget(made)
        self.cancel.setDefault(True)
        self.finish_layout()
        self.cancel.setFocus()

    def _keep(self) -> None:
        self.accept()
        self.keep_running.emit()

    def _stop(self) -> None:
        self.accept()
        self.stop_and_vent.emit()
