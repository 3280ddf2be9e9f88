"""What the operator sees when the desktop itself has an error: in words, without losing Stop."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QPlainTextEdit, QWidget

from labrig_ui.confirm import Dialog
from labrig_ui.orders import Orders
from labrig_ui.parts import button


class CrashDialog:
    """Shows one unexpected error at a time; more that come meanwhile are in the log only."""

    def __init__(self, window: QWidget, log: Path, orders: Orders) -> None:
        self._window, self._log, self._orders = window, log, orders
        self._open: Dialog | None = None

    def tell(self, line: str, details: str) -> None:
        if self._open is not None:
            return
        words = (
            f"{line}\n\nThe rig server is another process: it goes on, records and guards the rig. Stop works as "
            f"before (Ctrl+.). If this window misbehaves, close it and open labrig again. Details are in {self._log}."
        )
        dialog = Dialog(self._window, "An error that labrig did not expect", words, self._orders)
        dialog.setModal(False)
        shown = QPlainTextEdit(details)
        shown.setReadOnly(True)
        shown.setAccessibleName("Details of the error")
        shown.setMinimumSize(640, 220)
        shown.setTabChangesFocus(True)
        dialog.content.addWidget(shown, 1)
        close = button("&Close", dialog.reject, "primary")
        dialog.buttons.addWidget(close)
        dialog.finish_layout()
        dialog.finished.connect(self._closed)
        self._open = dialog
        dialog.show()

    def _closed(self) -> None:
        self._open = None
