"""Charts of points with bars: the plateaus of runs against the line, and how far each stands from it.

Imported late, as `labrig_ui.plots`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSizePolicy

from labrig_ui.ladder import Ladder, Rung
from labrig_ui.theme import Tokens

UP: Final = "t1"
DOWN: Final = "t"
"""Triangles that point up, and down, on the way down."""
SIZE: Final = 10
MARGIN: Final = 0.08
"""Share of the span that is left free around the points."""


class Chart(pg.PlotWidget):  # type: ignore[misc]  # pyqtgraph has no types
    """Points of several runs, each in its colour; nothing moves but by `show_ladders`."""

    def __init__(self, name: str, across: str, up: str) -> None:
        """``up`` stands above the chart: beside a low one it would be cut off."""
        super().__init__()
        self.setAccessibleName(name)
        for part in (self, self.viewport()):
            part.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(120)
        self._across, self._up = across, up
        item = self.getPlotItem()
        item.setMenuEnabled(False)
        item.hideButtons()
        self.setMouseEnabled(x=False, y=False)
        item.layout.setContentsMargins(2, 6, 10, 2)

    def paint_with(self, tokens: Tokens) -> None:
        """Take the theme's colours; what is drawn already is drawn anew by its owner."""
        self.setBackground(tokens.plot)
        item = self.getPlotItem()
        for side in ("left", "bottom"):
            axis = item.getAxis(side)
            axis.setPen(pg.mkPen(tokens.line))
            axis.setTextPen(pg.mkPen(tokens.text))
            axis.enableAutoSIPrefix(False)
        item.getAxis("bottom").setLabel(self._across, color=tokens.text)
        item.setTitle(self._up, color=tokens.text, size=f"{self.font().pointSizeF():.3g}pt")

    def line(self, across: tuple[float, float], up: tuple[float, float], colour: str) -> None:
        """A straight line from one point to another."""
        self.addItem(pg.PlotDataItem(list(across), list(up), pen=pg.mkPen(colour, width=1)))

    def points(self, rungs: Sequence[Rung], values: Sequence[float], bars: Sequence[float], colour: str) -> None:
        """Values over the pressures of rungs, with a bar to either side."""
        across, up, reach = (np.array(one, float) for one in ([rung.pressure for rung in rungs], values, bars))
        pen = pg.mkPen(colour, width=1)
        self.addItem(pg.ErrorBarItem(x=across, y=up, top=reach, bottom=reach, beam=0.0, pen=pen))
        marks = [UP if rung.up else DOWN for rung in rungs]
        brush = pg.mkBrush(colour)
        self.addItem(pg.ScatterPlotItem(x=across, y=up, symbol=marks, size=SIZE, pen=pen, brush=brush))

    def fit(self, across: float, low: float, high: float) -> None:
        """Show from no pressure to ``across``, and from ``low`` to ``high`` with a margin."""
        room = MARGIN * (high - low or 1.0)
        self.setXRange(0.0, (1 + MARGIN) * across, padding=0)
        self.setYRange(low - room, high + room, padding=0)


def draw_flux(chart: Chart, ladders: Sequence[tuple[Ladder, str]]) -> None:
    """Flux against pressure with each run's line through the origin."""
    chart.clear()
    widest = max(rung.pressure for ladder, _ in ladders for rung in ladder.rungs)
    highest = max(rung.flux + rung.flux_bar for ladder, _ in ladders for rung in ladder.rungs)
    for ladder, colour in ladders:
        chart.line((0.0, widest), (0.0, ladder.slope * widest), colour)
        chart.points(ladder.rungs, [r.flux for r in ladder.rungs], [r.flux_bar for r in ladder.rungs], colour)
    chart.fit(widest, 0.0, highest)


def draw_residuals(chart: Chart, ladders: Sequence[tuple[Ladder, str]], zero: str) -> None:
    """How far each plateau stands from its run's line; the line itself in the colour ``zero``."""
    chart.clear()
    rungs: list[Rung] = [rung for ladder, _ in ladders for rung in ladder.rungs]
    chart.line((0.0, 2 * max(rung.pressure for rung in rungs)), (0.0, 0.0), zero)
    for ladder, colour in ladders:
        chart.points(ladder.rungs, [r.beyond for r in ladder.rungs], [r.beyond_bar for r in ladder.rungs], colour)
    reach = max(abs(rung.beyond) + rung.beyond_bar for rung in rungs)
    chart.fit(max(rung.pressure for rung in rungs), -reach, reach)
