"""The leaf of a result that shows its plateaus: flux against pressure, and what each differs from the line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from PySide6.QtWidgets import QHBoxLayout, QWidget

from labrig.wire.documents import RunPaper
from labrig_ui.ladder import FLUX, PRESSURE, Ladder, ladder_of
from labrig_ui.parts import column, show, text
from labrig_ui.theme import Theme

if TYPE_CHECKING:
    from labrig_ui.charts import Chart

NONE: Final = "The analysis of this run has no plateaus to draw."
LEGEND: Final = "▲ on the way up, ▼ on the way down; bars reach two standard uncertainties to either side."


class LadderLeaf(QWidget):
    """Both charts, side by side."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.ladders: tuple[Ladder, ...] = ()
        self.charts: tuple[Chart, ...] = ()
        self.said = text(NONE, "hint", wrap=True)
        self._row = QHBoxLayout()
        column(self._row, self.said, margin=8, spacing=4, into=self).setStretch(0, 1)
        theme.changed.connect(self._paint)

    def show_runs(self, runs: Sequence[RunPaper]) -> None:
        """One run, or several over each other."""
        found = [ladder_of(run.analysis) for run in runs]
        self.ladders = tuple(ladder for ladder in found if ladder is not None)
        if self.ladders and not self.charts:
            self.charts = _charts()
            for chart in self.charts:
                self._row.addWidget(chart)
        for chart in self.charts:
            chart.setVisible(bool(self.ladders))
        flags = "  ".join(f"{rung.name}: {rung.flag}." for ladder in self.ladders for rung in ladder.rungs if rung.flag)
        show(self.said, f"{LEGEND}  {flags}".strip() if self.ladders else NONE)
        self._paint()

    def _paint(self) -> None:
        if not self.charts or not self.ladders:
            return
        from labrig_ui.charts import draw_flux, draw_residuals

        tokens = self._theme.tokens
        coloured = [(ladder, tokens.curve(place)) for place, ladder in enumerate(self.ladders)]
        for chart in self.charts:
            chart.paint_with(tokens)
        draw_flux(self.charts[0], coloured)
        draw_residuals(self.charts[1], coloured, tokens.muted)


def _charts() -> tuple[Chart, ...]:
    from labrig_ui.charts import Chart

    across = f"Transmembrane pressure, {PRESSURE.symbol}"
    return (
        Chart("Flux of the plateaus against pressure", across, f"Flux at the reference temperature, {FLUX.symbol}"),
        Chart("Difference of the plateaus from the line", across, "Difference from the result, %"),
    )
