"""The result of a run: value with uncertainty, validity with its reasons; and the table of its budget."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
)

from labrig.units import round_significant
from labrig.wire.documents import RunPaper
from labrig_ui import words
from labrig_ui.parts import button, clear, row, set_kind, text
from labrig_ui.shares import LEAST, SHARE, ShareBars

VALIDITY: Final = {"valid": "good", "indicative": "caution", "invalid": "bad"}
OUTCOME: Final = {"completed": "good", "": "caution"}
MANY: Final = 1000.0
"""Degrees of freedom beyond which nobody needs their number."""
BUDGET: Final = ("Contribution", "Input with its u", "u, {unit}", "Share of u²")


def budget_rows(result: Mapping[str, Any], labels: Mapping[str, str]) -> tuple[tuple[str, ...], ...]:
    """The budget of a result as texts, the largest contribution first; ``labels`` of the channels by name."""
    u = float(result["u"])
    lines = sorted(result.get("budget", ()), key=lambda line: -abs(float(line["contribution"])))
    return tuple(
        (
            words.capitalised(words.labelled(str(line["source"]), labels)),
            _input(line),
            round_significant(float(line["contribution"]), 2),
            f"{100 * (float(line['contribution']) / u) ** 2:.1f} %" if u > 0 else "–",
        )
        for line in lines
    )


def coverage_words(result: Mapping[str, Any]) -> str:
    """What stands behind the ±."""
    dof = float(result.get("dof") or math.inf)
    freedom = f", {round_significant(dof, 3)} degrees of freedom" if dof < MANY else ""
    return f"Expanded uncertainty for 95 %, coverage factor {float(result['coverage_factor']):.2f}{freedom}"


class ResultCard(QFrame):
    """One run; says plainly when there is no result and why."""

    next_wanted = Signal()
    export_wanted = Signal(object)
    """`RunPaper`"""

    def __init__(self) -> None:
        super().__init__()
        self.run: RunPaper | None = None
        set_kind(self, "card")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(14, 12, 14, 12)
        self._column.setSpacing(6)
        self.show_run(None)

    def show_run(self, run: RunPaper | None, *, fresh: bool = False) -> None:
        """Another run, or more of the same; ``fresh``: its result may still be on its way."""
        self.run = run
        clear(self._column)
        if run is None:
            self._say("Choose a run on the left to see its result.", "muted")
            self._column.addStretch(1)
            return
        self._head(run)
        if run.analysis is not None:
            self._result(run.analysis)
        else:
            self._say(_why_none(run, fresh=fresh), "muted" if not run.not_analysed else "bad")
            self._column.addStretch(1)

    def texts(self) -> str:
        """All that the card says, for tests and for copying."""
        if self.run is None:
            return ""
        said = [f"{self.run.coupon}, {self.run.method}, {words.local_time(self.run.started_utc)}"]
        results = (self.run.analysis or {}).get("results", ())
        said += [f"{result['name']}: {words.result_text(result)}" for result in results]
        return "\n".join(said)

    def _head(self, run: RunPaper) -> None:
        self._column.addLayout(row(text(run.coupon, "title"), None, *self._buttons(run)))
        of_lot = f"Lot {run.lot}, " if run.lot else ""
        side = words.SIDE_WORDS.get(run.orientation, run.orientation)
        who = f"{of_lot}{run.method} by {run.operator}, {words.local_time(run.started_utc)}, {side}"
        self._say(who, "muted")
        outcome = words.OUTCOME_WORDS.get(run.outcome, run.outcome)
        reason = f": {run.reason}" if run.reason else ""
        self._say(f"Run {outcome}{reason}", OUTCOME.get(run.outcome, "bad"))

    def _result(self, analysis: Mapping[str, Any]) -> None:
        results: Sequence[Mapping[str, Any]] = analysis.get("results", ())
        if results:
            main = results[0]
            self._say(f"{words.capitalised(str(main['name']))}  {main['symbol']}", "muted")
            self._say(words.result_text(main), "big")
        validity = str(analysis.get("validity", ""))
        self._say(f"Validity: {validity.upper()}", VALIDITY.get(validity, "bad"))
        reasons = analysis.get("reasons", ())
        if reasons:
            self._say("\n".join(f"•  {reason}" for reason in reasons))
        self._column.addStretch(1)

    def _buttons(self, run: RunPaper) -> tuple[QPushButton, ...]:
        export = button("E&xport", lambda: self.export_wanted.emit(run), tip="Write CSV and HDF5 beside the run file")
        export.setEnabled(bool(run.outcome))
        folder = button("Open &folder", lambda: _open_folder(run), tip="The folder of the run file")
        following = button(
            "&Next specimen", self.next_wanted.emit, "primary", tip="The same method on another coupon (Ctrl+N)"
        )
        return folder, export, following

    def _say(self, said: str, kind: str = "") -> None:
        self._column.addWidget(text(said, kind, wrap=True))


def table(
    name: str, heads: Sequence[str], rows: Sequence[Sequence[str]], numbers: Collection[int] = ()
) -> QTableWidget:
    """A table to read; its first column takes what room is left, and the columns ``numbers`` stand on the right."""
    made = QTableWidget(len(rows), len(heads))
    made.setAccessibleName(name)
    made.setAlternatingRowColors(True)
    made.setShowGrid(False)
    made.setTabKeyNavigation(False)
    made.setWordWrap(False)
    made.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    made.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    made.verticalHeader().hide()
    for line, cells in enumerate(rows):
        for place, said in enumerate(cells):
            made.setItem(line, place, cell(said, right=place in numbers))
    for place, head in enumerate(heads):
        made.setHorizontalHeaderItem(place, cell(head, right=place in numbers))
    header = made.horizontalHeader()
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    made.setMinimumHeight(110)
    return made


def _input(line: Mapping[str, Any]) -> str:
    """``0.020500 ± 5.0e-05 m``."""
    estimate, u = round_significant(float(line["estimate"]), 5), round_significant(float(line["u"]), 2)
    return f"{estimate} ± {u} {line['unit']}".rstrip()


def cell(said: str, *, right: bool = False) -> QTableWidgetItem:
    """Of a table; what is cut off stands in its tool tip."""
    item = QTableWidgetItem(said)
    item.setToolTip(said)
    side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
    item.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
    return item


def budget_table(result: Mapping[str, Any], labels: Mapping[str, str]) -> QTableWidget:
    """The contributions to the uncertainty of a result."""
    heads = [head.format(unit=result["unit"]) for head in BUDGET]
    made = table("Uncertainty budget", heads, budget_rows(result, labels), numbers=(1, 2, 3))
    made.setMinimumHeight(34 + 30 * min(made.rowCount(), 3))
    shares = len(BUDGET) - 1
    for line, share in enumerate(_shares(result)):
        made.model().setData(made.model().index(line, shares), share, SHARE)
    made.setItemDelegateForColumn(shares, ShareBars(made))
    made.horizontalHeader().setSectionResizeMode(shares, QHeaderView.ResizeMode.Interactive)
    made.setColumnWidth(shares, max(LEAST, made.fontMetrics().horizontalAdvance(BUDGET[shares]) + 40))
    return made


def _shares(result: Mapping[str, Any]) -> tuple[float, ...]:
    """Of u², in the order of the rows."""
    u = float(result["u"])
    parts = sorted((abs(float(line["contribution"])) for line in result.get("budget", ())), reverse=True)
    return tuple((part / u) ** 2 if u > 0 else 0.0 for part in parts)


def _why_none(run: RunPaper, *, fresh: bool) -> str:
    if run.not_analysed:
        return f"No result: {run.not_analysed}"
    if not run.outcome:
        return "The run goes on; its result is computed when it has ended."
    if fresh and not run.filed:
        return "The result is being computed from the recorded samples …"
    return "No result lies in the file of this run."


def _open_folder(run: RunPaper) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(run.file.replace("\\", "/").rpartition("/")[0]))
