"""Help: every shortcut in a table, and what this program is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Final

from PySide6.QtWidgets import QWidget

from labrig_ui.confirm import Dialog
from labrig_ui.orders import Orders
from labrig_ui.parts import button
from labrig_ui.result_card import table

SHORTCUTS: Final = (
    ("Esc", "Stop: make the rig safe now (in a dialog: put the dialog away)"),
    ("Ctrl+.", "Stop, from every window and dialog"),
    ("Ctrl+H", "Hold the run"),
    ("Ctrl+R", "Resume the held run"),
    ("Ctrl+Shift+T", "Reset a trip, once its cause is gone"),
    ("Alt+Shift+1 … 9", "Answer the method's question with its first, second … choice"),
    ("Ctrl+1 … Ctrl+5", "Pages: Rig, New run, Live, Results, Specimens"),
    ("Ctrl+N", "Next specimen: the same method on another coupon"),
    ("F5", "Check whether the run can be started"),
    ("Ctrl+Enter", "Start the run that was checked"),
    ("F6", "List the runs again"),
    ("Ctrl+F", "On the page Specimens: scan or find a coupon"),
    ("Ctrl+T", "Write a note"),
    ("Enter", "In a field: on to the next (a bar code scanner ends with it); in the note: add it"),
    ("Alt and the underlined letter", "Press that button, go to that field"),
    ("Tab, Shift+Tab", "Next and previous control"),
    ("Ctrl+D", "Light or dark"),
    ("F1", "This help"),
    ("Ctrl+Q", "Close labrig"),
)


class ShortcutHelp(Dialog):
    """The table of shortcuts."""

    def __init__(self, parent: QWidget, orders: Orders) -> None:
        super().__init__(parent, "Keyboard shortcuts", "Everything can be done without a mouse.", orders)
        keys = table("Keyboard shortcuts", ("What it does", "Keys"), [(what, key) for key, what in SHORTCUTS])
        keys.setMinimumSize(760, 430)
        self.content.addWidget(keys, 1)
        close = button("&Close", self.reject, "primary")
        self.buttons.addWidget(close)
        self.finish_layout()
        close.setFocus()


class About(Dialog):
    """Version and licences."""

    def __init__(self, parent: QWidget) -> None:
        words = (
            f"labrig {installed_version()}. Drives a membrane laboratory's test rig.\n\n"
            "labrig is licensed under the Apache License 2.0. Its windows use Qt and PySide6 under the LGPL 3, and "
            "pyqtgraph under the MIT licence.\n\n"
            "labrig claims no safety rating. The hardware of the rig must be safe on its own: a normally closed "
            "feed, a normally open vent, a relief valve and a wired stop."
        )
        super().__init__(parent, "About labrig", words, None)
        close = button("&Close", self.reject, "primary")
        self.buttons.addWidget(close)
        self.finish_layout()


def installed_version() -> str:
    try:
        return version("labrig")
    except PackageNotFoundError:
        return "(not installed)"
