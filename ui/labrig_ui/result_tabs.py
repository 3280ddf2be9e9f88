"""What stands behind a result, one leaf at a time: its uncertainty budget, the run's curves, further results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from PySide6.QtWidgets import QScrollArea, QTabWidget, QVBoxLayout, QWidget

from labrig.wire.documents import RunPaper
from labrig_ui import words
from labrig_ui.parts import clear, column, text
from labrig_ui.past_run import PastCurves
from labrig_ui.result_card import budget_table, coverage_words

NO_RESULT: Final = "There is no result, and so no budget."


class ResultTabs(QTabWidget):
    """Follows the chosen run; the leaf that a person has opened stays open."""

    def __init__(self, curves: PastCurves) -> None:
        super().__init__()
        self._curves = curves
        self.setAccessibleName("Behind the result")
        self.tabBar().setAccessibleName("Behind the result")
        self._budget, budget = _leaf("Uncertainty budget of the result")
        self._more, more = _leaf("Further results and definitions")
        page = QWidget()
        column(curves, margin=8, into=page)
        self.addTab(budget, "Uncertainty budget")
        self.addTab(page, "Curves")
        self.addTab(more, "Further results")

    def show_run(self, run: RunPaper | None, labels: Mapping[str, str]) -> None:
        """Fill the leaves that come from the analysis; ``labels`` of the rig's channels by name."""
        analysis = run.analysis if run is not None else None
        results: Sequence[Mapping[str, Any]] = (analysis or {}).get("results", ())
        for layout in (self._budget, self._more):
            clear(layout)
        if not results or analysis is None:
            for layout in (self._budget, self._more):
                layout.addWidget(text("" if run is None else NO_RESULT, "muted"))
                layout.addStretch(1)
            return
        self._budget.addWidget(budget_table(results[0], labels), 1)
        self._budget.addWidget(text(coverage_words(results[0]), "hint", wrap=True))
        for other in results[1:]:
            line = f"{words.capitalised(str(other['name']))}  {other['symbol']} = {words.result_text(other)}"
            self._more.addWidget(text(line, wrap=True))
        self._more.addWidget(text(_definition(results[0]), "hint", wrap=True))
        made_by = f"Analysis {analysis.get('name', '')}, version {analysis.get('version', '')}"
        self._more.addWidget(text(made_by, "hint", wrap=True))
        self._more.addStretch(1)

    def show_curves(self, path: Path | None) -> None:
        """Curves of a run file; None while the run goes on."""
        self._curves.show_file(path)


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
