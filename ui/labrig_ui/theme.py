"""Light and dark: named colours, the palette and the style sheet made from them.

Fusion with a palette of its own, because a bare X11 has no theme to follow and ignores `setColorScheme`. States and
curves use the colours of Okabe and Ito (https://jfly.uni-koeln.de/color/), which colour-blind people can tell apart;
a state is always written in words too.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from labrig_ui.screens import text_scale
from labrig_ui.style import style_sheet


class Choice(StrEnum):
    """What a person wishes."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Tokens:
    """Every colour by what it is for."""

    window: str
    surface: str
    """Cards and fields."""
    sunken: str
    """Behind cards' inner parts, alternate rows."""
    text: str
    muted: str
    line: str
    accent: str
    on_accent: str
    focus: str
    good: str
    caution: str
    bad: str
    """Texts and marks; readable on ``surface``."""
    plot: str
    grid: str
    curves: tuple[str, ...]
    states: tuple[tuple[str, str, str], ...]
    """State, colour, colour of the words on it."""

    def state(self, name: str) -> tuple[str, str]:
        """Colour of a state and of the words on it; grey for one that is unknown."""
        return next(((back, front) for state, back, front in self.states if state == name), (self.muted, self.surface))

    def curve(self, place: int) -> str:
        """Of the first, second … curve."""
        return self.curves[place % len(self.curves)]


STATES: Final = (
    ("safe", "#009E73", "#000000"),
    ("running", "#0072B2", "#FFFFFF"),
    ("hold", "#E69F00", "#000000"),
    ("stopping", "#F0E442", "#000000"),
    ("tripped", "#D55E00", "#000000"),
    ("gone", "#8A8F98", "#000000"),
)
STOP: Final = ("#C1121F", "#FFFFFF")
LIGHT: Final = Tokens(
    *("#F2F4F7", "#FFFFFF", "#E8ECF1", "#15191F", "#525B68", "#8590A0"),
    *("#005A8E", "#FFFFFF", "#005A8E", "#00694C", "#8A4B00", "#A33C00"),
    *("#FFFFFF", "#C9D0DA"),
    curves=("#0072B2", "#D55E00", "#009E73", "#A65287", "#8F6400", "#2779A7"),
    states=STATES,
)
DARK: Final = Tokens(
    *("#16191E", "#1F242B", "#2A3039", "#EEF1F5", "#AEB7C3", "#6F7A89"),
    *("#56B4E9", "#000000", "#8CCBF2", "#4FD1A5", "#F2B84B", "#FF9A5C"),
    *("#1A1E24", "#3A424D"),
    curves=("#56B4E9", "#FF9A5C", "#2FC79A", "#E29CC5", "#E6B84F", "#9AD0F5"),
    states=STATES,
)


class Theme(QObject):
    """Applies the chosen colours to the application and tells those who paint themselves."""

    changed = Signal()

    def __init__(self, app: QApplication, choice: Choice = Choice.SYSTEM) -> None:
        super().__init__()
        self._app = app
        self._choice = choice
        self.tokens = LIGHT
        self.scale = text_scale(app.primaryScreen())
        """Of texts, and of what must hold them."""
        app.setStyle("Fusion")
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
        font.setPointSizeF(font.pointSizeF() * self.scale)
        app.setFont(font)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._system_changed)
        self._apply()

    @property
    def choice(self) -> Choice:
        return self._choice

    def choose(self, choice: Choice) -> None:
        self._choice = choice
        self._apply()

    def _system_changed(self) -> None:
        if self._choice is Choice.SYSTEM:
            self._apply()

    def _apply(self) -> None:
        self.tokens = DARK if self._is_dark() else LIGHT
        wanted = style_sheet(self.tokens, self.scale)
        if self._app.styleSheet() != wanted:
            self._app.setPalette(palette(self.tokens))
            self._app.setStyleSheet(wanted)
        self.changed.emit()

    def _is_dark(self) -> bool:
        if self._choice is Choice.SYSTEM:
            return QGuiApplication.styleHints().colorScheme() is Qt.ColorScheme.Dark
        return self._choice is Choice.DARK


def palette(tokens: Tokens) -> QPalette:
    """All roles that Fusion paints with."""
    roles = QPalette.ColorRole
    colours = {
        roles.Window: tokens.window,
        roles.WindowText: tokens.text,
        roles.Base: tokens.surface,
        roles.AlternateBase: tokens.sunken,
        roles.Text: tokens.text,
        roles.Button: tokens.surface,
        roles.ButtonText: tokens.text,
        roles.BrightText: tokens.bad,
        roles.ToolTipBase: tokens.surface,
        roles.ToolTipText: tokens.text,
        roles.PlaceholderText: tokens.muted,
        roles.Highlight: tokens.accent,
        roles.HighlightedText: tokens.on_accent,
        roles.Link: tokens.accent,
        roles.Light: tokens.surface,
        roles.Mid: tokens.line,
        roles.Dark: tokens.line,
        roles.Accent: tokens.accent,
    }
    made = QPalette()
    for role, colour in colours.items():
        made.setColor(role, QColor(colour))
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, role, QColor(tokens.muted))
    return made


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2, definition of relative luminance)."""
    brighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
