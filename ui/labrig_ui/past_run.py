"""The curves of a run that is over, read from its file in the background; and how they are shown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtWidgets import QVBoxLayout, QWidget

from labrig.clock import SECOND
from labrig.errors import LabrigError
from labrig.model import Channel, Marked, Span
from labrig.recording import RunFile
from labrig.wire.documents import ChannelPaper
from labrig_ui.background import Background
from labrig_ui.bins import POINTS, Bins, reduced
from labrig_ui.channels import Shown, shown
from labrig_ui.parts import clear, column, row, show, text
from labrig_ui.theme import Theme

if TYPE_CHECKING:
    from labrig_ui.plots import Plot

CURVES: Final = ("feed_pressure", "permeate_flow", "permeate_mass")
"""Roles of which the first two that the rig has are shown; else its first two channels."""
MOST: Final = 2
Named = tuple[str, Path]
"""What a run is called beside others, and its file."""


@dataclass(frozen=True, slots=True, eq=False)
class PastRun:
    """What the plots need of a run file."""

    started: int
    """Monotonic ns."""
    curves: tuple[tuple[str, Shown, Bins], ...]
    """By role, or by name in a rig without these roles."""
    spans: tuple[Span, ...]
    damage: tuple[str, ...]

    @property
    def seconds(self) -> float:
        """From the start to the last sample."""
        end = max((int(bins.times[-1]) for _, _, bins in self.curves if len(bins)), default=self.started)
        return max(1.0, (end - self.started) / SECOND)


def load(path: Path) -> PastRun:
    """Read a run file; raises `RecordingError`. Takes a second for an hour of samples: not for the GUI thread."""
    with RunFile(path) as run:
        by_name = {channel.name: channel for channel in run.header.channels}
        roles = [role for role in CURVES if role in run.header.roles]
        names = {role: run.header.roles[role] for role in roles} or {name: name for name in by_name}
        curves = tuple((role, shown(_paper(by_name[name])), _bins(run, name)) for role, name in names.items())
        spans = tuple(event.span for event in run.events if isinstance(event, Marked))
        return PastRun(run.header.started_ns, curves[:MOST], spans, tuple(run.damage))


class PastCurves(QWidget):
    """Plots of a finished run, or of several over each other from their starts; the mouse zooms."""

    def __init__(self, background: Background, theme: Theme) -> None:
        super().__init__()
        self._background, self._theme = background, theme
        self.wanted: tuple[Named, ...] = ()
        self._shown: tuple[tuple[str, PastRun], ...] = ()
        self.plots: tuple[Plot, ...] = ()
        self.said = text(kind="muted", wrap=True)
        self._names = row(spacing=14)
        self._column = QVBoxLayout()
        self._column.setSpacing(0)
        layout = column(self.said, self._names, self._column, into=self)
        layout.setStretch(2, 1)
        theme.changed.connect(self._paint)

    def show_files(self, wanted: tuple[Named, ...]) -> None:
        """Load and show; an earlier wish that has not come yet is forgotten."""
        self.wanted = wanted
        self._clear()
        if not wanted:
            show(self.said, "")
            return
        show(self.said, "Reading the run file …" if len(wanted) == 1 else "Reading the run files …")
        self._background.run(
            "files",
            lambda: tuple((name, load(path)) for name, path in wanted),
            lambda runs: self._show(wanted, runs),
            lambda error: self._fail(wanted, error),
        )

    def _show(self, wanted: tuple[Named, ...], runs: tuple[tuple[str, PastRun], ...]) -> None:
        if wanted != self.wanted:
            return
        self._clear()
        from labrig_ui.plots import stack

        damage = "; ".join(f"{name}: {'; '.join(run.damage)}" for name, run in runs if run.damage)
        show(self.said, damage)
        self.said.setVisible(bool(damage))
        self._shown = runs
        first = runs[0][1]
        self.plots = stack([one for _, one, _ in first.curves], zoomed_by_mouse=True)
        longest = max(run.seconds for _, run in runs)
        for plot, (role, _, bins) in zip(self.plots, first.curves, strict=True):
            self._column.addWidget(plot, 1)
            plot.draw(bins, first.started)
            for _, other in runs[1:]:
                plot.lay_over([found for of, _, found in other.curves if of == role], other.started)
            if len(runs) == 1:
                plot.show_spans(first.spans, first.started)
            plot.setXRange(0, longest, padding=0.01)
            plot.setXLink(self.plots[0])
        self._paint()

    def _fail(self, wanted: tuple[Named, ...], error: LabrigError) -> None:
        if wanted == self.wanted:
            show(self.said, f"No curves: {error}")

    def _clear(self) -> None:
        clear(self._column)
        clear(self._names)
        self.said.show()
        self.plots, self._shown = (), ()

    def _paint(self) -> None:
        """Several runs: a colour for each, named above the plots; one run: a colour for each quantity."""
        tokens = self._theme.tokens
        many = len(self._shown) > 1
        for place, plot in enumerate(self.plots):
            plot.paint_with(tokens, tokens.curve(0 if many else place), tokens.curves[1:])
        clear(self._names)
        for place, (name, _) in enumerate(self._shown if many else ()):
            label = text(f"■ {name}")
            label.setStyleSheet(f"color: {tokens.curve(place)}; font-weight: 600;")
            self._names.addWidget(label)
        self._names.addStretch(1)


def _bins(run: RunFile, channel: str) -> Bins:
    series = run.series(channel)
    return reduced(Bins(series.times, series.values, series.values, series.values), POINTS)


def _paper(channel: Channel) -> ChannelPaper:
    low, high = (value if np.isfinite(value) else 0.0 for value in (channel.low, channel.high))
    return ChannelPaper(name=channel.name, label=channel.label, unit=channel.unit.symbol, low=low, high=high)
