"""The small parts that windows are made of: texts, cards, buttons, fields with a name for screen readers."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from labrig_ui.style import TARGET


def text(words: str = "", kind: str = "", *, wrap: bool = False) -> QLabel:
    """A label of a kind of `labrig_ui.style`; its text is plain, never interpreted, and can be selected."""
    label = QLabel(words)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(wrap)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    policy = label.sizePolicy()  # never taller than its words: what room is left belongs to others
    policy.setVerticalPolicy(QSizePolicy.Policy.Maximum)
    label.setSizePolicy(policy)
    set_kind(label, kind)
    return label


def show(label: QLabel, words: str, name: str = "") -> None:
    """Set a label's text; a screen reader says ``name`` before it."""
    label.setText(words)
    label.setAccessibleName(f"{name}: {words}" if name else words)


def set_kind(widget: QWidget, kind: str) -> None:
    """Make a widget look like a kind of part."""
    if widget.property("kind") != kind:
        widget.setProperty("kind", kind)
        restyle(widget)


def restyle(widget: QWidget) -> None:
    """Let the style sheet look again at a widget's properties."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def button(words: str, clicked: Callable[[], object], kind: str = "", *, tip: str = "", name: str = "") -> QPushButton:
    """A push button; ``words`` may hold a mnemonic, ``name`` is what a screen reader says instead of them."""
    made = QPushButton(words)
    made.setAccessibleName(name or words.replace("&", ""))
    made.setAutoDefault(False)
    if tip:
        made.setToolTip(tip)
        made.setAccessibleDescription(tip)
    set_kind(made, kind)
    # Without the lambda `clicked` would be called with Qt's `checked` where it takes an optional argument.
    made.clicked.connect(lambda: clicked())  # noqa: PLW0108
    return made


def card(*parts: QWidget | QLayout, kind: str = "card", margin: int = 12, spacing: int = 8) -> QFrame:
    """A framed column."""
    frame = QFrame()
    set_kind(frame, kind)
    column(*parts, margin=margin, spacing=spacing, into=frame)
    return frame


def column(
    *parts: QWidget | QLayout | None, margin: int = 0, spacing: int = 8, into: QWidget | None = None
) -> QVBoxLayout:
    """Parts below each other; None takes up what room is left."""
    layout = QVBoxLayout(into) if into is not None else QVBoxLayout()
    _fill(layout, parts, margin, spacing)
    return layout


def row(
    *parts: QWidget | QLayout | None, margin: int = 0, spacing: int = 8, into: QWidget | None = None
) -> QHBoxLayout:
    """Parts beside each other; None takes up what room is left."""
    layout = QHBoxLayout(into) if into is not None else QHBoxLayout()
    _fill(layout, parts, margin, spacing)
    return layout


def _fill(
    layout: QVBoxLayout | QHBoxLayout, parts: tuple[QWidget | QLayout | None, ...], margin: int, spacing: int
) -> None:
    layout.setContentsMargins(margin, margin, margin, margin)
    layout.setSpacing(spacing)
    for part in parts:
        if part is None:
            layout.addStretch(1)
        elif isinstance(part, QWidget):
            layout.addWidget(part)
        else:
            layout.addLayout(part)


def choice(name: str) -> QComboBox:
    """A field to choose from; Fusion draws it, and only its height is ours."""
    made = QComboBox()
    made.setAccessibleName(name)
    made.setMinimumHeight(_target(made) - 2)
    return made


def form(margin: int = 0) -> QGridLayout:
    """Labels on the left, fields on the right. A grid: a `QFormLayout` squeezes lines that have become longer."""
    layout = QGridLayout()
    layout.setContentsMargins(margin, margin, margin, margin)
    layout.setColumnStretch(1, 1)
    layout.setHorizontalSpacing(16)
    layout.setVerticalSpacing(6)
    return layout


def add_field(layout: QGridLayout, words: str, field: QWidget) -> None:
    """A field with its label, whose mnemonic leads to it; the label stands level with the field's first line."""
    label = QLabel(words)
    label.setContentsMargins(0, (_target(label) - label.sizeHint().height()) // 2, 0, 0)
    label.setBuddy(field)
    line = layout.rowCount()
    layout.addWidget(label, line, 0, Qt.AlignmentFlag.AlignTop)
    layout.addWidget(field, line, 1)


def _target(widget: QWidget) -> int:
    """`TARGET`, and more where the text is larger."""
    return widget.fontMetrics().height() + TARGET - 15


def clear(layout: QLayout) -> None:
    """Take everything out of a layout and delete it."""
    while layout.count():
        drop(layout, 0)


def drop(layout: QLayout, place: int) -> None:
    """Take one thing out of a layout and delete it."""
    item = layout.takeAt(place)
    widget, inner = (item.widget(), item.layout()) if item is not None else (None, None)
    if widget is not None:
        widget.hide()
        widget.deleteLater()
    elif inner is not None:
        clear(inner)


def stretch(widget: QWidget) -> QWidget:
    """Let a widget take what room there is in both directions."""
    widget.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
    return widget
