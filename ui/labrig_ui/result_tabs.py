"""What stands behind a result, one leaf at a time: budget, plateaus, curves, anomalies, further results."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from PySide6.QtWidgets import QHeaderView, QScrollArea, QTabWidget, QVBoxLayout, QWidget

from labrig.wire.documents import RunPaper
from labrig_ui import words
from labrig_ui.ladder_leaf import LadderLeaf
from labrig_ui.parts import clear, column, text
from labrig_ui.past_run import PastCurves
from labrig_ui.result_card import budget_table, coverage_words, table

NO_RESULT: Final = "There is no result, and so nothing to show here."
FOUND: Final = ("yes", "not looked for", "no")
"""Answers of an analysis about an anomaly, in the order in which a person wants them."""


class ResultTabs(QTabWidget):
    """Follows the chosen run; the leaf that a person has opened stays open."""

    def __init__(self, curves: PastCurves, ladder: LadderLeaf) -> None:
        super().__init__()
        self._curves, self.ladder = curves, ladder
        self.setAccessibleName("Behind the result")
        self.tabBar().setAccessibleName("Behind the result")
        self._budget, budget = _leaf("Uncertainty budget of the result")
        self._more, more = _leaf("Further results and definitions")
        self._looked, looked = _leaf("What the analysis looked for")
        page = QWidget()
        column(curves, margin=8, into=page)
        leaves = ((budget, "Uncertainty budget"), (ladder, "Plateaus"), (page, "Curves"))
        for leaf, title in (*leaves, (looked, "Anomalies"), (more, "Further results")):
            self.addTab(leaf, title)

    def show_run(self, run: RunPaper | None, labels: Mapping[str, str]) -> None:
        """Fill the leaves that come from the analysis; ``labels`` of the rig's channels by name."""
        analysis = run.analysis if run is not None else None
        results: Sequence[Mapping[str, Any]] = (analysis or {}).get("results", ())
        leaves = (self._budget, self._more, self._looked)
        for layout in leaves:
            clear(layout)
        if not results or analysis is None:
            for layout in leaves:
                layout.addWidget(text("" if run is None else NO_RESULT, "muted"))
                layout.addStretch(1)
            return
        self._budget.addWidget(budget_table(results[0], labels), 1)
        self._budget.addWidget(text(coverage_words(results[0]), "hint", wrap=True))
        self._show_anomalies(analysis)
        for other in results[1:]:
            line = f"{words.capitalised(str(other['name']))}  {other['symbol']} = {words.result_text(other)}"
            self._more.addWidget(text(line, wrap=True))
        self._more.addWidget(text(_definition(results[0]), "hint", wrap=True))
        made_by = f"Analysis {analysis.get('name', '')}, version {analysis.get('version', '')}"
        self._more.addWidget(text(made_by, "hint", wrap=True))
        self._more.addStretch(1)

    def show_together(self, runs: Sequence[RunPaper]) -> None:
        """Plateaus and curves of one run, or of several over each other; a run that goes on has none."""
        self.ladder.show_runs(runs)
        over = [run for run in runs if run.outcome]
        names = [run.coupon for run in over]
        twice = {name for name in names if names.count(name) > 1}
        self._curves.show_files(tuple((_called(run, twice), Path(run.file)) for run in over))

    def _show_anomalies(self, analysis: Mapping[str, Any]) -> None:
        """Each that was looked for, what was found first."""
        rows: Sequence[Mapping[str, Any]] = analysis.get("tables", {}).get("anomalies", ())
        if not rows:
            self._looked.addWidget(text("This analysis looks for no anomalies.", "muted"))
            self._looked.addStretch(1)
            return
        said = [tuple(str(one.get(key) or "") for key in ("seen", "anomaly", "found", "to do")) for one in rows]
        said.sort(key=lambda cells: FOUND.index(cells[2]) if cells[2] in FOUND else len(FOUND))
        shown = [tuple(map(words.capitalised, cells)) for cells in said]
        made = table("Anomalies", ("What was seen", "Anomaly", "Found", "What to do"), shown)
        made.horizontalHeader().setSectionResizeMode(3, QHeaderView.ResizeMode.Stretch)
        made.horizontalHeader().moveSection(0, 2)
        made.setWordWrap(True)
        made.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self._looked.addWidget(made, 1)


def _called(run: RunPaper, twice: Collection[str]) -> str:
    """By its coupon, with its time where several are of one coupon."""
    return f"{run.coupon}, {words.local_time(run.started_utc)[5:16]}" if run.coupon in twice else run.coupon


def _definition(result: Mapping[str, Any]) -> str:
    said = [f"{key}: {value}" for key, value in result.get("definition", {}).items()]
    return f"{words.capitalised(str(result['name']))} is defined by:\n" + "\n".join(said) if said else ""


def _leaf(name: str) -> tuple[QVBoxLayout, QScrollArea]:
    inside = QWidget()
    layout = column(margin=12, spacing=8, into=inside)
    scroll = QScrollArea()
    scroll.setWidgetResizable(True)
    scroll.setWidget(inside)
    scroll.setAccessibleName(name)
    return layout, scroll
