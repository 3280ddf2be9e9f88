"""Live numbers that can be read across the room: digits 20 mm high where the screen has room for them."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QSizePolicy, QWidget

from labrig.clock import SECOND
from labrig.model import Quality
from labrig_ui.channels import Shown, tiles
from labrig_ui.desk import Desk
from labrig_ui.live import PERMEABILITY, Live
from labrig_ui.parts import clear, column, row, set_kind, text
from labrig_ui.screens import pixels
from labrig_ui.theme import Theme

DIGITS: Final = 20.0
"""mm"""
SAMPLE: Final = "888.8"
BIG, SMALL = 20, 21
"""Widths of a big tile and of the small ones together: on a 24-inch screen 20 mm high digits just fit."""
SILENT: Final = 2.0
"""s without a sample after which a tile says so."""


class Digits(QLabel):
    """A number as large as fits, up to `DIGITS`."""

    def __init__(self) -> None:
        super().__init__("–")
        self.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._size = 0

    def write(self, number: str) -> None:
        if number != self.text():
            longer = len(number) != len(self.text())
            self.setText(number)
            if longer:
                self._fit()

    def minimumSizeHint(self) -> QSize:
        return QSize(80, 40)

    def sizeHint(self) -> QSize:
        return QSize(200, 60)

    def resizeEvent(self, resized: QResizeEvent) -> None:
        super().resizeEvent(resized)
        self._fit()

    def digit_height(self) -> float:
        """Of the font in use, logical pixels."""
        return QFontMetricsF(self._font(self._size)).tightBoundingRect("8").height()

    def _fit(self) -> None:
        probe = QFontMetricsF(self._font(100))
        wanted = pixels(DIGITS, self.screen()) / probe.tightBoundingRect("8").height()
        widest = max(probe.horizontalAdvance(SAMPLE), probe.horizontalAdvance(self.text()))
        scale = min(wanted, (self.width() - 4) / widest)
        size = max(14, round(100 * scale))
        if size != self._size:
            self._size = size
            # The style sheet wins over setFont, so the size is said in its words.
            self.setStyleSheet(f"font-size: {size}px; font-weight: 600;")
        self.setFixedHeight(round(min(wanted, (self.width() - 4) / probe.horizontalAdvance(SAMPLE)) * probe.height()))

    def _font(self, size: int) -> QFont:
        font = QFont(self.font())
        font.setPixelSize(max(1, size))
        font.setWeight(QFont.Weight.DemiBold)
        return font


class Tile(QFrame):
    """One channel: label, digits, unit, and what is wrong with it."""

    def __init__(self, shown: Shown, *, big: bool) -> None:
        super().__init__()
        self.shown = shown
        set_kind(self, "card" if big else "")
        self.digits = Digits() if big else text("–", "heading")
        self.label = text(shown.label, "muted")
        self.unit = text(shown.unit.symbol, "muted")
        self.state = text("", "muted" if shown.name == PERMEABILITY else "caution")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        if big:
            column(self.label, self.digits, row(self.unit, None, self.state, spacing=6), margin=8, spacing=0, into=self)
        else:
            set_kind(self.state, "trouble")
            self.state.hide()  # an empty line beside the number would push its label up
            row(
                column(None, self.label, self.state, None, spacing=0),
                None,
                self.digits,
                self.unit,
                spacing=6,
                into=self,
            )

    def refresh(self, live: Live, now: int) -> None:
        """Show the newest value; ``now`` is the server's clock, 0 while no server answers."""
        value, quality, time = live.newest(self.shown.name)
        number = self.shown.write(value)
        if isinstance(self.digits, Digits):
            self.digits.write(number)
        elif number != self.digits.text():
            self.digits.setText(number)
        trouble = _trouble(quality, time, now, live, self.shown.name)
        if trouble != self.state.text():
            self.state.setText(trouble)
            self.state.setVisible(bool(trouble) or isinstance(self.digits, Digits))
        self.digits.setEnabled(bool(now))
        said = f"{self.shown.label}: {number} {self.shown.unit.symbol} {self.state.text()}".strip()
        self.setAccessibleName(said)


class Tiles(QWidget):
    """The row above the plots; `tick` it some times a second."""

    def __init__(self, desk: Desk, theme: Theme) -> None:
        super().__init__()
        self._desk, self._theme = desk, theme
        self.tiles: tuple[Tile, ...] = ()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(8)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self._colour)
        desk.attachment_changed.connect(self.rebuild)
        self.rebuild()

    def rebuild(self) -> None:
        """Tiles for the rig that is attached."""
        desk = self._desk
        if desk.description is None or desk.live is None:
            return
        big, small = tiles(desk.description, estimate=desk.live.can_estimate())
        if tuple(tile.shown for tile in self.tiles) == (*big, *small):
            return
        clear(self._grid)
        large = tuple(Tile(one, big=True) for one in big)
        little = tuple(Tile(one, big=False) for one in small)
        self.tiles = (*large, *little)
        for place, tile in enumerate(large):
            self._grid.addWidget(tile, 0, place)
            self._grid.setColumnStretch(place, BIG)
        if little:
            frame = QFrame()
            set_kind(frame, "card")
            frame.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            column(*little, None, margin=8, spacing=3, into=frame)
            self._grid.addWidget(frame, 0, len(large))
            self._grid.setColumnStretch(len(large), SMALL)
        self._colour()

    def tick(self) -> None:
        live = self._desk.live
        if live is None:
            return
        now = self._desk.now() if self._desk.server is not None else 0
        for tile in self.tiles:
            tile.refresh(live, now)

    def _colour(self) -> None:
        for tile, colour in zip(self.tiles, self._theme.tokens.curves, strict=False):
            if isinstance(tile.digits, Digits):
                tile.label.setStyleSheet(f"color: {colour}; font-weight: 600;")


def _trouble(quality: Quality, time: int, now: int, live: Live, name: str) -> str:
    """What is wrong with the newest value, in a few words; for the estimate, where its flow comes from."""
    if not now:
        return "not live"
    if not time:
        return "no sample yet"
    if now - time > SILENT * SECOND:
        return f"silent for {(now - time) / SECOND:.0f} s"
    if name == PERMEABILITY:
        return f"by {live.flow_from()}" if live.flow_from() else ""
    words = {
        Quality.MISSING: "no value",
        Quality.OPEN_LOOP: "open loop",
        Quality.BELOW: "below range",
        Quality.ABOVE: "above range",
    }
    return next((word for bit, word in words.items() if quality & bit), "")
