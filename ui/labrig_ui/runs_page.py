"""Earlier runs: the list, the chosen one's result and its curves."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
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
from labrig_ui.ladder_leaf import LadderLeaf
from labrig_ui.orders import Orders
from labrig_ui.parts import button, column, show, stretch, text
from labrig_ui.past_run import PastCurves
from labrig_ui.result_card import ResultCard
from labrig_ui.result_tabs import ResultTabs
from labrig_ui.runs_filter import RunFilter
from labrig_ui.theme import Theme

HEADS: Final = ("Started", "Coupon", "Result", "Method")
OVER: Final = 6
"""Runs that are laid over each other at most: as many as there are colours."""
OVERLAY: Final = f"Mark up to {OVER} runs (Ctrl, Shift) to compare their plateaus and curves."


class RunsPage(QWidget):
    """Asks the server for the list; curves come from the run files."""

    def __init__(self, desk: Desk, orders: Orders, background: Background, theme: Theme) -> None:
        super().__init__()
        self._desk, self._orders, self._background = desk, orders, background
        self._runs: tuple[RunPaper, ...] = ()
        self._wanted = ""
        self.filter = RunFilter()
        self.search = self.filter.search
        self.filter.changed.connect(self._fill)
        self.list = _list()
        self.list.itemSelectionChanged.connect(self._selected)
        self.said = text(kind="muted", wrap=True)
        self.card = ResultCard()
        self.card.export_wanted.connect(self._export)
        self.curves = PastCurves(background, theme)
        self.tabs = ResultTabs(self.curves, LadderLeaf(theme))
        self._together: tuple[tuple[str, str], ...] = ()
        """What plateaus and curves are shown of: runs with their outcomes."""
        again = button("Ref&resh", self.reload, tip="Ask the rig server for its runs again (F6)")
        again.setShortcut("F6")
        left = QWidget()
        self.filter.line.addWidget(again)
        self.hint = text(OVERLAY, "hint", wrap=True)
        column(self.filter, self.list, self.hint, self.said, into=left)
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
        self.filter.forget()
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
        self.filter.offer(self._runs)
        shown = [run for run in self._runs if self.filter.passes(run)]
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
        chosen = self._chosen()
        if not chosen:
            return
        run, before = chosen[0], self.card.run
        self._wanted = run.run
        if run != before:
            last = self._desk.last_run
            self.card.show_run(run, fresh=last is not None and last.run == run.run)
            self.tabs.show_run(run, self._desk.labels())
        together = tuple((one.run, one.outcome + str(bool(one.analysis))) for one in chosen)
        if together != self._together:
            self._together = together
            self.tabs.show_together(chosen)

    def _chosen(self) -> tuple[RunPaper, ...]:
        """The run that was clicked last, then the others that are marked, newest first."""
        marked = sorted(self.list.selectionModel().selectedRows(), key=lambda index: index.row())
        present = self.list.currentRow()
        marked.sort(key=lambda index: index.row() != present)
        ids = [str(index.data(Qt.ItemDataRole.UserRole)) for index in marked]
        known = {run.run: run for run in self._runs}
        return tuple(known[one] for one in ids if one in known)[:OVER]

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
    made.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
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
