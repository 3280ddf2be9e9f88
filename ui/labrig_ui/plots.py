"""Curves with min and max of every stretch, bands for marked spans, and axes that stay where they are.

Imported late: pyqtgraph takes as long as all else that the window needs. Drawn 25 times a second at most, from kept
bins, and only when there is something new. Pens are one pixel wide and each plot has one `GridItem`: a wider pen, or
`showGrid`, costs ten times as much (docs/figures.md).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import cycle
from typing import Any, Final

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QLabel, QSizePolicy

from labrig.clock import SECOND
from labrig.model import Span
from labrig_ui import words
from labrig_ui.bins import Bins, outline
from labrig_ui.channels import Shown
from labrig_ui.ranges import Range, around
from labrig_ui.theme import Tokens

FINE: Final = 1.75
"""Pixels to a logical one from which a curve of one of them is too thin to see, and there are processors to spare."""
AXIS: Final = "88888.88"
"""As wide is a left axis, the same in all plots so that their times stand below each other."""


class TimeAxis(pg.AxisItem):  # type: ignore[misc]  # pyqtgraph has no types
    """Seconds as minutes and hours."""

    def tickStrings(self, values: Sequence[float], _scale: float, _spacing: float) -> list[str]:
        return [words.clock_time(value) for value in values]


class Plot(pg.PlotWidget):  # type: ignore[misc]  # pyqtgraph has no types
    """One quantity against time since the start of the run."""

    def __init__(self, shown: Shown, *, with_times: bool, zoomed_by_mouse: bool = False) -> None:
        super().__init__(axisItems={"bottom": TimeAxis("bottom")})
        self.shown = shown
        self.y_range = Range(0.0, 0.0)
        self.setAccessibleName(f"Plot of {shown.label} in {shown.unit.symbol} against time")
        for part in (self, self.viewport()):
            part.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(70)
        item = self.getPlotItem()
        item.setMenuEnabled(False)
        item.hideButtons()
        self.setMouseEnabled(x=zoomed_by_mouse, y=zoomed_by_mouse)
        self._grid = pg.GridItem()
        self._grid.setTextPen(None)
        self.addItem(self._grid)
        self._curve = item.plot(connect="finite")
        self._others: list[Any] = []
        self._guards = [self._guard(value) for value in (shown.guarded_low, shown.guarded_high) if value is not None]
        self._bands: dict[tuple[int, int], Any] = {}
        self._band_brush = pg.mkBrush(None)
        self._title = QLabel(self)
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        self._title.setText(f"{shown.label.replace(', live', ' *, live')}, {shown.unit.symbol}".rstrip(", "))
        self._title.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        metrics = self.fontMetrics()
        axis, title = metrics.horizontalAdvance(AXIS), metrics.height() + 6
        self._title.move(axis, 2)
        item.getAxis("left").setWidth(axis)
        item.getAxis("bottom").setStyle(showValues=with_times)
        item.layout.setContentsMargins(0, title, 10, 4)  # inside the plot the title would hide the curve

    def paint_with(self, tokens: Tokens, colour: str, others: Sequence[str] = ()) -> None:
        """Take the theme's colours; ``others`` for the curves that lie over the first."""
        self.setBackground(tokens.plot)
        width = 1 if self.devicePixelRatioF() < FINE else 2
        self._curve.setPen(pg.mkPen(colour, width=width))
        for curve, its in zip(self._others, cycle(others or (colour,)), strict=False):
            curve.setPen(pg.mkPen(its, width=width))
        self._grid.setPen(pg.mkPen(tokens.grid, width=1))
        item = self.getPlotItem()
        for side in ("left", "bottom"):
            item.getAxis(side).setPen(pg.mkPen(tokens.line))
            item.getAxis(side).setTextPen(pg.mkPen(tokens.text))
        titled = tokens.text if self._others else colour
        self._title.setStyleSheet(f"color: {titled}; background: transparent; font-weight: 600;")
        self._title.adjustSize()
        for guard in self._guards:
            guard.setPen(pg.mkPen(tokens.bad, width=1, style=Qt.PenStyle.DashLine))
        self._band_brush = pg.mkBrush(_faint(tokens.curves[2]))
        for band in self._bands.values():
            band.setBrush(self._band_brush)

    def draw(self, bins: Bins, origin: int) -> None:
        """Draw bins against seconds since ``origin`` (ns); the range takes a step where they leave it."""
        times, values = outline(bins)
        unit = self.shown.unit
        self._curve.setData(times - origin / SECOND, (values - unit.offset) / unit.factor)
        low, high = _extremes(bins)
        if math.isfinite(low):
            self.fit(unit.from_si(low), unit.from_si(high))

    def lay_over(self, found: Sequence[Bins], origin: int) -> None:
        """One more curve, of another run, against its own seconds; without bins it stays empty."""
        self._others.append(self.getPlotItem().plot(connect="finite"))
        for bins in found:
            times, values = outline(bins)
            unit = self.shown.unit
            self._others[-1].setData(times - origin / SECOND, (values - unit.offset) / unit.factor)
            low, high = _extremes(bins)
            if math.isfinite(low):
                self.fit(unit.from_si(low), unit.from_si(high))

    def fit(self, low: float, high: float) -> None:
        """Grow the range, in shown units, where it does not hold the data."""
        first = self.y_range.high <= self.y_range.low
        wanted = around(low, high, self.shown.least) if first else self.y_range.grown(low, high)
        if wanted != self.y_range:
            self.y_range = wanted
            self.setYRange(wanted.low, wanted.high, padding=0)

    def forget_range(self) -> None:
        """Begin anew: another run."""
        self.y_range = Range(0.0, 0.0)

    def show_spans(self, spans: Sequence[Span], origin: int) -> None:
        """A band for each; those that are drawn already stay."""
        wanted = {(span.start, span.end) for span in spans}
        for gone in self._bands.keys() - wanted:
            self.removeItem(self._bands.pop(gone))
        for start, end in wanted - self._bands.keys():
            ends = [(start - origin) / SECOND, (end - origin) / SECOND]
            band = pg.LinearRegionItem(ends, movable=False, brush=self._band_brush, pen=pg.mkPen(None))
            band.setZValue(-20)
            self.addItem(band)
            self._bands[start, end] = band

    def _guard(self, value: float) -> Any:  # noqa: ANN401 - pyqtgraph has no types
        line = pg.InfiniteLine(self.shown.unit.from_si(value), angle=0)
        self.addItem(line, ignoreBounds=True)
        return line


def stack(shown: Sequence[Shown], *, columns: int = 1, zoomed_by_mouse: bool = False) -> tuple[Plot, ...]:
    """Plots to stand below each other; only the lowest of each column writes the times."""
    lowest = len(shown) - columns
    return tuple(
        Plot(one, with_times=place >= lowest, zoomed_by_mouse=zoomed_by_mouse) for place, one in enumerate(shown)
    )


def _extremes(bins: Bins) -> tuple[float, float]:
    low, high = bins.low[np.isfinite(bins.low)], bins.high[np.isfinite(bins.high)]
    return (float(low.min()), float(high.max())) if len(low) and len(high) else (math.nan, math.nan)


def _faint(colour: str) -> QColor:
    faint = QColor(colour)
    faint.setAlpha(60)
    return faint
