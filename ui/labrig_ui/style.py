"""The style sheet: shapes and distances of the few kinds of parts that the windows are made of.

A widget says what it is by the dynamic property ``kind``; colours come from the theme's tokens.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from labrig_ui.theme import Tokens

TARGET: Final = 40
"""px: least height of what is clicked or touched."""
BIG_TARGET: Final = 60
"""px: Stop, and the answers to a question."""
THIN: Final = 4
"""px: what is no wider is a line."""
_PIXELS: Final = re.compile(r"\b(\d+)px")


def style_sheet(tokens: Tokens, scale: float = 1.0) -> str:
    """Qt style sheet in the colours of ``tokens``; lines stay as thin as they are, all else grows by ``scale``."""
    written = "\n".join((_frames(tokens), _texts(tokens), _buttons(tokens), _fields(tokens), _views(tokens)))
    return _PIXELS.sub(lambda found: f"{grown(int(found.group(1)), scale)}px", written)


def grown(pixels: int, scale: float) -> int:
    return pixels if pixels <= THIN else round(pixels * scale)


def _frames(t: Tokens) -> str:
    return f"""
QFrame[kind="card"] {{ background: {t.surface}; border: 1px solid {t.grid}; border-radius: 8px; }}
QFrame[kind="rail"] {{ background: {t.surface}; border: 0; border-right: 1px solid {t.grid}; }}
QFrame[kind="safety"] {{ background: {t.surface}; border: 0; border-top: 1px solid {t.grid}; }}
QFrame[kind="question"] {{ background: {t.surface}; border: 3px solid {t.accent}; border-radius: 8px; }}
QFrame[kind="banner-bad"] {{ background: #D55E00; border: 0; border-radius: 6px; }}
QFrame[kind="banner-bad"] QLabel {{ color: #000000; font-weight: 600; }}
QFrame[kind="banner-caution"] {{ background: #F0E442; border: 0; border-radius: 6px; }}
QFrame[kind="banner-caution"] QLabel {{ color: #000000; }}
QToolTip {{ color: {t.text}; background: {t.surface}; border: 1px solid {t.line}; }}
"""


def _texts(t: Tokens) -> str:
    return f"""
QDialog {{ border: 1px solid {t.line}; }}
QLabel:disabled {{ color: {t.muted}; }}
QLabel[kind="title"] {{ font-size: 20px; font-weight: 600; }}
QLabel[kind="heading"] {{ font-size: 15px; font-weight: 600; }}
QLabel[kind="muted"] {{ color: {t.muted}; }}
QLabel[kind="big"] {{ font-size: 30px; font-weight: 600; }}
QLabel[kind="asked"] {{ font-size: 20px; }}
QLabel[kind="good"] {{ color: {t.good}; font-weight: 600; }}
QLabel[kind="caution"] {{ color: {t.caution}; font-weight: 600; }}
QLabel[kind="bad"] {{ color: {t.bad}; font-weight: 600; }}
QLabel[kind="hint"] {{ color: {t.muted}; font-size: 12px; }}
QLabel[kind="trouble"] {{ color: {t.caution}; font-size: 11px; font-weight: 600; }}
QLabel[kind="error"] {{ color: {t.bad}; font-size: 12px; font-weight: 600; }}
"""


def _buttons(t: Tokens) -> str:
    return f"""
QPushButton {{ min-height: {TARGET - 10}px; padding: 4px 16px; border: 1px solid {t.line}; border-radius: 6px;
  background: {t.surface}; color: {t.text}; }}
QPushButton:hover {{ background: {t.sunken}; }}
QPushButton:focus {{ border: 3px solid {t.focus}; padding: 2px 14px; }}
QPushButton:disabled {{ color: {t.muted}; background: {t.sunken}; border-color: {t.grid}; }}
QPushButton[kind="primary"] {{ background: {t.accent}; color: {t.on_accent}; border-color: {t.accent};
  font-weight: 600; }}
QPushButton[kind="primary"]:focus {{ border: 3px solid {t.text}; }}
QPushButton[kind="primary"]:disabled {{ color: {t.muted}; background: {t.sunken}; border-color: {t.grid}; }}
QPushButton[kind="choice"] {{ min-height: {BIG_TARGET - 10}px; padding: 4px 28px; font-size: 19px; font-weight: 600;
  background: {t.accent}; color: {t.on_accent}; border-color: {t.accent}; }}
QPushButton[kind="choice"]:focus {{ border: 3px solid {t.text}; padding: 2px 26px; }}
QPushButton[kind="stop"] {{ min-height: {BIG_TARGET - 10}px; min-width: 190px; font-size: 26px; font-weight: 700;
  background: #C1121F; color: #FFFFFF; border: 2px solid #7A0A13; }}
QPushButton[kind="stop"]:hover {{ background: #A50F1A; }}
QPushButton[kind="stop"]:focus {{ border: 4px solid {t.text}; }}
QPushButton[kind="stop"]:disabled {{ background: {t.sunken}; color: {t.muted}; border-color: {t.line}; }}
QPushButton[kind="nav"] {{ text-align: left; border: 0; border-radius: 6px; padding: 4px 14px; background: transparent;
  font-size: 15px; }}
QPushButton[kind="nav"]:hover {{ background: {t.sunken}; }}
QPushButton[kind="nav"]:checked {{ background: {t.accent}; color: {t.on_accent}; font-weight: 600; }}
QPushButton[kind="nav"]:focus {{ border: 3px solid {t.focus}; padding: 1px 11px; }}
QPushButton[kind="nav"]:checked:focus {{ border: 3px solid {t.text}; }}
"""


def _fields(t: Tokens) -> str:
    return f"""
QLineEdit, QPlainTextEdit {{ padding: 4px 8px; border: 1px solid {t.line}; border-radius: 5px;
  background: {t.surface}; color: {t.text}; selection-background-color: {t.accent};
  selection-color: {t.on_accent}; }}
QLineEdit, QPlainTextEdit {{ placeholder-text-color: {t.muted}; }}
QLineEdit {{ min-height: {TARGET - 12}px; }}
QLineEdit:focus, QPlainTextEdit:focus {{ border: 2px solid {t.focus}; padding: 3px 7px; }}
QLineEdit[wrong="true"] {{ border: 2px solid {t.bad}; padding: 3px 7px; }}
QLineEdit:disabled {{ color: {t.muted}; background: {t.sunken}; }}
QCheckBox {{ min-height: {TARGET - 2}px; spacing: 8px; }}
"""


def _views(t: Tokens) -> str:
    return f"""
QTableView, QTreeView, QListView {{ background: {t.surface}; alternate-background-color: {t.sunken};
  border: 1px solid {t.grid}; border-radius: 5px; gridline-color: {t.grid}; }}
QTableView:focus, QTreeView:focus, QListView:focus {{ border: 2px solid {t.focus}; }}
QListView::item {{ min-height: 24px; padding: 1px 6px; }}
QHeaderView::section {{ background: {t.sunken}; color: {t.text}; border: 0; border-right: 1px solid {t.grid};
  padding: 5px 8px; font-weight: 600; }}
QTableView::item {{ padding: 4px 8px; }}
QScrollBar:vertical {{ background: transparent; width: 12px; margin: 2px; }}
QScrollBar:horizontal {{ background: transparent; height: 12px; margin: 2px; }}
QScrollBar::handle {{ background: {t.line}; border-radius: 4px; min-height: 28px; min-width: 28px; }}
QScrollBar::handle:hover {{ background: {t.muted}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QScrollArea {{ border: 0; background: transparent; }}
QScrollArea > QWidget > QWidget {{ background: transparent; }}
QSplitter::handle {{ background: {t.window}; }}
QSplitter::handle:horizontal {{ width: 8px; }}
QSplitter::handle:vertical {{ height: 8px; }}
QTabWidget::pane {{ background: {t.surface}; border: 1px solid {t.grid}; border-radius: 8px; }}
QTabBar::tab {{ min-height: {TARGET - 14}px; padding: 2px 16px; margin-right: 4px; color: {t.text};
  background: transparent; border: 0; border-bottom: 3px solid transparent; }}
QTabBar::tab:hover {{ background: {t.sunken}; }}
QTabBar::tab:selected {{ border-bottom: 3px solid {t.accent}; font-weight: 600; }}
QTabBar::tab:focus {{ border: 2px solid {t.focus}; }}
"""
