"""The curves of a run that is over, read from its file in the background; and how they are shown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtWidgets import QVBoxLayout, QWidget

from labrig.errors import LabrigError
from labrig.model import Channel, Marked, Span
from labrig.recording import RunFile
from labrig.wire.documents import ChannelPaper
from labrig_ui.background import Background
from labrig_ui.bins import POINTS, Bins, reduced
from labrig_ui.channels import Shown, shown
from labrig_ui.parts import clear, column, show, text
from labrig_ui.theme import Theme

if TYPE_CHECKING:
    from labrig_ui.plots import Plot

CURVES: Final = ("feed_pressure", "permeate_flow", "permeate_mass")
"""Roles of which the first two that the rig has are shown; else its first two channels."""


@dataclass(frozen=True, slots=True, eq=False)
class PastRun:
    """What the plots need of a run file."""

    started: int
    """Monotonic ns."""
    curves: tuple[tuple[Shown, Bins], ...]
    spans: tuple[Span, ...]
    damage: tuple[str, ...]


def load(path: Path) -> PastRun:
    """Read a run file; raises `RecordingError`. Takes a second for an hour of samples: not for the GUI thread."""
    with RunFile(path) as run:
        by_name = {channel.name: channel for channel in run.header.channels}
        names = [run.header.roles[role] for role in CURVES if role in run.header.roles] or list(by_name)
        curves = tuple((shown(_paper(by_name[name])), _bins(run, name)) for name in names[:2])
        spans = tuple(event.span for event in run.events if isinstance(event, Marked))
        return PastRun(run.header.started_ns, curves, spans, tuple(run.damage))


class PastCurves(QWidget):
    """Plots of one finished run; the mouse zooms."""

    def __init__(self, background: Background, theme: Theme) -> None:
        super().__init__()
        self._background, self._theme = background, theme
        self._wanted: Path | None = None
        self.plots: tuple[Plot, ...] = ()
        self.said = text(kind="muted", wrap=True)
        self._column = QVBoxLayout()
        self._column.setSpacing(0)
        layout = column(self.said, self._column, into=self)
        layout.setStretch(1, 1)
        theme.changed.connect(self._paint)

    def show_file(self, path: Path | None) -> None:
        """Load and show; an earlier wish that has not come yet is forgotten."""
        self._wanted = path
        self._clear()
        if path is None:
            show(self.said, "")
            return
        show(self.said, "Reading the run file …")
        self._background.run(
            "files", lambda: load(path), lambda run: self._show(path, run), lambda error: self._fail(path, error)
        )

    def _show(self, path: Path, run: PastRun) -> None:
        if path != self._wanted:
            return
        show(self.said, "; ".join(run.damage))
        self._clear()
        from labrig_ui.plots import stack

        self.plots = stack([one for one, _ in run.curves], zoomed_by_mouse=True)
        self._paint()
        end = max((int(bins.times[-1]) for _, bins in run.curves if len(bins)), default=run.started)
        for plot, (_, bins) in zip(self.plots, run.curves, strict=True):
            self._column.addWidget(plot, 1)
            plot.draw(bins, run.started)
            plot.show_spans(run.spans, run.started)
            plot.setXRange(0, max(1.0, (end - run.started) / 1e9), padding=0.01)
            plot.setXLink(self.plots[0])

    def _fail(self, path: Path, error: LabrigError) -> None:
        if path == self._wanted:
            show(self.said, f"No curves: {error}")

    def _clear(self) -> None:
        clear(self._column)
        self.plots = ()

    def _paint(self) -> None:
        for place, plot in enumerate(self.plots):
            plot.paint_with(self._theme.tokens, self._theme.tokens.curve(place))


def _bins(run: RunFile, channel: str) -> Bins:
    series = run.series(channel)
    return reduced(Bins(series.times, series.values, series.values, series.values), POINTS)


def _paper(channel: Channel) -> ChannelPaper:
    low, high = (value if np.isfinite(value) else 0.0 for value in (channel.low, channel.high))
    return ChannelPaper(name=channel.name, label=channel.label, unit=channel.unit.symbol, low=low, high=high)
