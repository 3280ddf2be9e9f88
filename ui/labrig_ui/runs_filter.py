"""Which of the earlier runs are listed: by words, by method, by what came of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QWidget

from labrig.wire.documents import RunPaper
from labrig_ui.parts import choice, column, row

EVERY: Final = "Every method"
KINDS: Final[dict[str, Callable[[RunPaper], bool]]] = {
    "Whatever came of it": lambda _: True,
    "Valid": lambda run: _validity(run) == "valid",
    "Indicative": lambda run: _validity(run) == "indicative",
    "Invalid": lambda run: _validity(run) == "invalid",
    "Without a result": lambda run: not _validity(run),
    "Not completed": lambda run: run.outcome != "completed",
}


class RunFilter(QWidget):
    """Words to look for, and two choices."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.search = QLineEdit()
        self.search.setAccessibleName("Search the runs")
        self.search.setPlaceholderText("Coupon, lot, method, operator, day")
        self.search.setClearButtonEnabled(True)
        self.method, self.kind = choice("Method of the runs"), choice("What came of the runs")
        self.method.addItem(EVERY)
        self.kind.addItems(list(KINDS))
        label = QLabel("S&earch")
        label.setBuddy(self.search)
        self.line = row(label, self.search)
        column(self.line, row(self.method, self.kind), spacing=6, into=self)
        for combo in (self.method, self.kind):
            combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            combo.setMinimumContentsLength(12)
            combo.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.search.textChanged.connect(lambda _: self.changed.emit())

    def offer(self, runs: Iterable[RunPaper]) -> None:
        """The methods of these runs; what was chosen stays chosen."""
        wanted = [EVERY, *sorted({run.method for run in runs})]
        if wanted == [self.method.itemText(place) for place in range(self.method.count())]:
            return
        chosen = self.method.currentText()
        with QSignalBlocker(self.method):
            self.method.clear()
            self.method.addItems(wanted)
            self.method.setCurrentText(chosen if chosen in wanted else EVERY)

    def passes(self, run: RunPaper) -> bool:
        looked_for = self.search.text().strip().casefold()
        of_method = self.method.currentText() in {EVERY, run.method}
        return of_method and KINDS[self.kind.currentText()](run) and looked_for in _searched(run)

    def forget(self) -> None:
        """List every run."""
        self.search.clear()
        self.method.setCurrentIndex(0)
        self.kind.setCurrentIndex(0)


def _validity(run: RunPaper) -> str:
    return str((run.analysis or {}).get("validity", ""))


def _searched(run: RunPaper) -> str:
    return " ".join((run.coupon, run.lot, run.method, run.operator, run.started_utc)).casefold()
