"""Earlier runs: the list, the chosen one's result and its curves."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLabel,
    QLineEdit,
    QScrollArea,
    QSplitter,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from labrig.errors import LabrigError
from labrig.exports import export
from labrig.wire.documents import RunPaper
from labrig_ui import words
from labrig_ui.background import Background
from labrig_ui.desk import Desk
from labrig_ui.orders import Orders
from labrig_ui.parts import button, column, row, show, stretch, text
from labrig_ui.past_run import PastCurves
from labrig_ui.result_card import ResultCard
from labrig_ui.result_tabs import ResultTabs
from labrig_ui.theme import Theme

HEADS: Final = ("Started", "Coupon", "Result", "Method")


class RunsPage(QWidget):
    """Asks the server for the list; curves come from the run files."""

    def __init__(self, desk: Desk, orders: Orders, background: Background, theme: Theme) -> None:
        super().__init__()
        self._desk, self._orders, self._background = desk, orders, background
        self._runs: tuple[RunPaper, ...] = ()
        self._wanted = ""
        self.search = QLineEdit()
        self.search.setAccessibleName("Search the runs")
        self.search.setPlaceholderText("Coupon, lot, method, operator")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(lambda _: self._fill())
        self.list = _list()
        self.list.itemSelectionChanged.connect(self._selected)
        self.said = text(kind="muted", wrap=True)
        self.card = ResultCard()
        self.card.export_wanted.connect(self._export)
        self.curves = PastCurves(background, theme)
        self.tabs = ResultTabs(self.curves)
        label = QLabel("S&earch")
        label.setBuddy(self.search)
        again = button("Ref&resh", self.reload, tip="Ask the rig server for its runs again (F6)")
        again.setShortcut("F6")
        left = QWidget()
        column(row(label, self.search, again), self.list, self.said, into=left)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(self.card)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setAccessibleName("Result of the chosen run")
        right = QSplitter(Qt.Orientation.Vertical)
        right.addWidget(scroll)
        right.addWidget(stretch(self.tabs))
        right.setSizes([290, 320])
        right.setStretchFactor(0, 0)
        right.setStretchFactor(1, 1)
        right.setChildrenCollapsible(False)
        split = QSplitter()
        split.addWidget(left)
        split.addWidget(right)
        split.setSizes([480, 630])
        split.setChildrenCollapsible(False)
        column(split, into=self)
        desk.attachment_changed.connect(self.reload)
        desk.run_ended.connect(self.open_run)
        desk.status_changed.connect(self._freshen)

    def begin(self) -> None:
        """The page is opened: where nothing has been chosen yet, the newest run is."""
        if self.card.run is None and self.list.rowCount():
            self.list.selectRow(0)

    def reload(self) -> None:
        """Ask for the list."""
        if self._desk.server is None or self._desk.status is None:
            show(self.said, "No rig server answers, so its runs cannot be listed.")
            return
        show(self.said, "Asking for the runs …")
        self._orders.runs(self._take, self._fail)

    def open_run(self, run: RunPaper) -> None:
        """Show a run, known to the list or not yet."""
        self._wanted = run.run
        self.search.clear()
        self._merge(run)

    def _freshen(self) -> None:
        """What the status says of its run is newer than the list."""
        run = self._desk.last_run
        if run is None:
            return
        known = next((one for one in self._runs if one.run == run.run), None)
        if known is None or (known.outcome, known.filed) != (run.outcome, run.filed):
            self._merge(run)
            if run.filed and run.analysis is None and not run.not_analysed:
                self._orders.run(run.run, self._merge, self._fail)

    def _merge(self, run: RunPaper) -> None:
        self._take((run, *(one for one in self._runs if one.run != run.run)))

    def _take(self, runs: tuple[RunPaper, ...]) -> None:
        self._runs = tuple(sorted(runs, key=lambda run: run.started_utc, reverse=True))
        show(self.said, "" if runs else "This rig has no runs yet. New run (Ctrl+2) begins one.")
        self._fill()

    def _fail(self, error: LabrigError) -> None:
        show(self.said, f"The runs cannot be listed: {error}")

    def _fill(self) -> None:
        chosen = self._wanted or (self.card.run.run if self.card.run is not None else "")
        looked_for = self.search.text().strip().casefold()
        shown = [run for run in self._runs if looked_for in _searched(run)]
        self.list.blockSignals(True)
        self.list.setRowCount(len(shown))
        for line, run in enumerate(shown):
            for place, cell in enumerate(_cells(run)):
                item = QTableWidgetItem(cell)
                item.setToolTip(cell)
                item.setData(Qt.ItemDataRole.UserRole, run.run)
                self.list.setItem(line, place, item)
        self.list.clearSelection()
        self.list.blockSignals(False)
        found = next((line for line, run in enumerate(shown) if run.run == chosen), None)
        if found is not None:
            self.list.setCurrentCell(found, 0)
            self._selected()

    def _selected(self) -> None:
        place = self.list.currentRow()
        item = self.list.item(place, 0) if place >= 0 else None
        if item is None:
            return
        self._wanted = str(item.data(Qt.ItemDataRole.UserRole))
        run = next((one for one in self._runs if one.run == self._wanted), None)
        before = self.card.run
        if run is None or run == before:
            return
        last = self._desk.last_run
        self.card.show_run(run, fresh=last is not None and last.run == run.run)
        self.tabs.show_run(run, self._desk.labels())
        if before is None or (before.run, before.outcome) != (run.run, run.outcome):
            self.tabs.show_curves(Path(run.file) if run.outcome else None)

    def _export(self, run: RunPaper) -> None:
        path = Path(run.file)
        show(self.said, "Writing CSV and HDF5 …")
        self._background.run(
            "files", lambda: export(path, path.parent, {"csv", "hdf5"}), self._exported, self._export_failed
        )

    def _exported(self, files: list[Path]) -> None:
        show(self.said, "Written: " + ", ".join(file.name for file in files))

    def _export_failed(self, error: LabrigError) -> None:
        show(self.said, f"Nothing was exported: {error}")


def _list() -> QTableWidget:
    made = QTableWidget(0, len(HEADS))
    made.setAccessibleName("Runs of this rig")
    made.setHorizontalHeaderLabels(list(HEADS))
    made.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    made.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    made.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    made.setAlternatingRowColors(True)
    made.setShowGrid(False)
    made.setTabKeyNavigation(False)
    made.setWordWrap(False)
    made.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    made.verticalHeader().hide()
    made.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    made.horizontalHeader().setSectionResizeMode(len(HEADS) - 1, QHeaderView.ResizeMode.Stretch)
    return made


def _cells(run: RunPaper) -> tuple[str, ...]:
    return words.local_time(run.started_utc)[:16], run.coupon, _result(run), run.method


def _result(run: RunPaper) -> str:
    """The result; what became of a run that has none, or that did not complete."""
    results = (run.analysis or {}).get("results", ())
    outcome = words.OUTCOME_WORDS.get(run.outcome, run.outcome)
    if results:
        return words.result_text(results[0]) + ("" if run.outcome == "completed" else f" ({outcome})")
    if run.outcome != "completed":
        return words.capitalised(outcome)
    return "No result" if run.filed else "Being computed …"


def _searched(run: RunPaper) -> str:
    return " ".join((run.coupon, run.lot, run.method, run.operator, run.started_utc)).casefold()
