"""The page that is watched during a run: tiles, plots, steps. Pulls from the kept bins; nothing pushes it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QMenu, QSplitter, QStackedLayout, QWidget

from labrig.clock import SECOND
from labrig.wire.documents import Description
from labrig_ui.bins import POINTS
from labrig_ui.channels import Shown, curves, plots
from labrig_ui.desk import Desk
from labrig_ui.live import PERMEABILITY
from labrig_ui.parts import button, card, choice, clear, column, row, stretch, text
from labrig_ui.ranges import moved, stretched
from labrig_ui.steps import Happenings, OutputList, StepList
from labrig_ui.theme import Theme
from labrig_ui.tiles import Tiles

if TYPE_CHECKING:
    from labrig_ui.plots import Plot

FRAME: Final = 40
"""ms: 25 Hz."""
BESIDE: Final = 4
"""More plots than these stand in two columns."""
NUMBERS: Final = 5
"""Frames between two readings of the tiles: digits that change faster cannot be read."""
WINDOWS: Final = (("Whole run", 0.0), ("Last minute", 60.0), ("Last 10 minutes", 600.0), ("Last hour", 3600.0))
STEPS: Final = 60
"""In so many steps a moving stretch goes by: the last minute moves once a second."""
SIDE: Final = 272
"""px: what a line such as ``0:19  Pressure setpoint: 10.00 psi`` needs."""
IDLE: Final = 600.0
"""s shown as "whole run" where no run goes on."""


class LivePage(QWidget):
    """Draws only while it is seen."""

    def __init__(self, desk: Desk, theme: Theme) -> None:
        super().__init__()
        self._desk, self._theme = desk, theme
        self.frames = 0
        """Ticks of the timer while the page was seen."""
        self._drawn: tuple[object, ...] = ()
        self._origin = 0
        self._width = 60.0
        self.plots: tuple[Plot, ...] = ()
        self.tiles = Tiles(desk, theme)
        self.steps, self.happenings = StepList(desk), Happenings(desk)
        self.window_choice = choice("Stretch of time that the plots show")
        for label, seconds in WINDOWS:
            self.window_choice.addItem(label, seconds)
        self.estimate = text(
            "* Live estimate: flow ÷ area ÷ feed pressure, uncorrected. The result is computed after the run.",
            "hint",
            wrap=True,
        )
        self._chosen: frozenset[str] = frozenset()
        """Names of the curves that a person wants; empty: those of the usual roles."""
        self.curves = button("C&urves …", self._choose_curves, tip="Which quantities are plotted")
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(0)
        self.empty = text("No rig is attached. Choose one on the Rig page (Ctrl+1).", "title")
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._blank())
        self._stack.addWidget(self._content(desk))
        desk.attachment_changed.connect(self.rebuild)
        desk.past_loaded.connect(self._begin_anew)
        theme.changed.connect(self._paint)
        self._timer = QTimer(self)
        self._timer.setInterval(FRAME)
        self._timer.timeout.connect(self._tick)
        self._timer.start()
        self.rebuild()

    def rebuild(self) -> None:
        """Plots for the rig that is attached."""
        desk = self._desk
        self._stack.setCurrentIndex(0 if desk.description is None else 1)
        if desk.description is None or desk.live is None:
            return
        wanted = self._wanted(desk.description, estimate=desk.live.can_estimate())
        if tuple(plot.shown for plot in self.plots) != wanted:
            clear(self._grid)
            from labrig_ui.plots import stack

            columns = 1 if len(wanted) <= BESIDE else 2
            self.plots = stack(wanted, columns=columns)
            for place, plot in enumerate(self.plots):
                self._grid.addWidget(plot, place // columns, place % columns)
            self.estimate.setVisible(any(one.name == PERMEABILITY for one in wanted))
            self._paint()
        self._begin_anew()
        self.tiles.tick()  # a number that is no longer live says so at once

    def show_curves(self, names: Iterable[str]) -> None:
        """Plot these channels, in the order of the rig file; none: the usual ones."""
        self._chosen = frozenset(names)
        self.rebuild()

    def _wanted(self, description: Description, *, estimate: bool) -> tuple[Shown, ...]:
        chosen = tuple(one for one in curves(description, estimate=estimate) if one.name in self._chosen)
        return chosen or plots(description, estimate=estimate)

    def _choose_curves(self) -> None:
        """A menu of all quantities, those that are plotted marked."""
        desk = self._desk
        if desk.description is None or desk.live is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setAccessibleName("Curves")
        drawn = {plot.shown.name for plot in self.plots}
        for one in curves(desk.description, estimate=desk.live.can_estimate()):
            action = menu.addAction(one.label)
            action.setCheckable(True)
            action.setChecked(one.name in drawn)
            action.triggered.connect(lambda _, name=one.name: self.show_curves(drawn ^ {name}))
        menu.popup(self.curves.mapToGlobal(self.curves.rect().bottomLeft()))

    def showEvent(self, shown: QShowEvent) -> None:
        super().showEvent(shown)
        self.tiles.tick()  # not for a moment the numbers of the time when the page was last seen

    def _blank(self) -> QWidget:
        page = QWidget()
        column(None, row(None, self.empty, None), None, into=page)
        return page

    def _content(self, desk: Desk) -> QWidget:
        label = QLabel("Sh&ow")
        label.setBuddy(self.window_choice)
        head = row(self.estimate, self.curves, label, self.window_choice, spacing=8)
        head.setStretch(0, 1)
        curves = card(self._grid, head, margin=6, spacing=2)
        side = card(self.steps, OutputList(desk), self.happenings, margin=10, spacing=10)
        side.setMinimumWidth(round(SIDE * self._theme.scale))
        split = QSplitter()
        split.addWidget(stretch(curves))
        split.addWidget(side)
        split.setStretchFactor(0, 4)
        split.setStretchFactor(1, 1)
        split.setSizes([800, 290])
        split.setChildrenCollapsible(False)
        page = QWidget()
        column(self.tiles, split, spacing=8, into=page)
        return page

    def _tick(self) -> None:
        if not self.isVisible() or self._desk.live is None:
            return
        self.frames += 1
        if self.frames % NUMBERS == 1:
            self.tiles.tick()
        run = self._desk.last_run
        seconds = float(self.window_choice.currentData())
        key = (self._desk.live, self._desk.live.version, seconds, len(self._desk.spans), run and run.run)
        if key != self._drawn:
            self._drawn = key
            self._draw(seconds)

    def _draw(self, seconds: float) -> None:
        """All plots from the kept bins."""
        live, desk = self._desk.live, self._desk
        if live is None or not live.end:
            return
        end = live.end
        origin, start = self._stretch(end, seconds)
        if origin != self._origin:
            self._origin = origin
            for plot in self.plots:
                plot.forget_range()
                plot.show_spans((), origin)
        for plot in self.plots:
            plot.draw(live.bins(plot.shown.name, start, end, POINTS), origin)
            plot.show_spans(desk.spans, origin)
        self._follow((start - origin) / SECOND, (end - origin) / SECOND, seconds)

    def _stretch(self, end: int, seconds: float) -> tuple[int, int]:
        """Time that counts as 0, and where the curves begin; both ns. The last run stays in sight after its end."""
        run = self._desk.last_run
        begun = run.started if run is not None and run.started else 0
        origin = begun or self._origin or end
        if seconds:
            return origin, end - round(seconds * SECOND)
        return origin, begun or max(end - round(IDLE * SECOND), 0)

    def _follow(self, start: float, end: float, seconds: float) -> None:
        """The time axis takes a step when the curves reach its end."""
        if seconds:
            shown = moved(end - seconds, end, seconds / STEPS)
        else:
            if end - start < self._width / 2:
                self._width = 60.0
            self._width = stretched(self._width, end - start)
            running = self._desk.run is not None
            first, last = moved(start, max(end, start + 60.0), IDLE / STEPS)
            run = self._desk.last_run
            known = run is not None and bool(run.started)  # its beginning stays in sight, and only the end moves
            shown = (start, start + self._width) if running else (start if known else first, last)
        for plot in self.plots:
            plot.setXRange(*shown, padding=0)

    def _begin_anew(self) -> None:
        self._drawn = ()
        self._width = 60.0
        for plot in self.plots:
            plot.forget_range()

    def _paint(self) -> None:
        for place, plot in enumerate(self.plots):
            plot.paint_with(self._theme.tokens, self._theme.tokens.curve(place))
        self._drawn = ()
