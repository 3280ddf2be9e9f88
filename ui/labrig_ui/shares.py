"""A column of shares as bars, so that the eye finds what an uncertainty is made of."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor, QPainter, QPalette
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

SHARE: Final = int(Qt.ItemDataRole.UserRole) + 1
"""Role under which a cell keeps its share, 0 to 1."""
LEAST: Final = 90
"""px"""
FAINT: Final = 90


class ShareBars(QStyledItemDelegate):
    """Paints a bar behind the text of a cell that has a share."""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        share = index.data(SHARE)
        if isinstance(share, float) and share > 0:
            rect = option.rect.adjusted(2, 4, -2, -4)
            colour = QColor(option.palette.color(QPalette.ColorRole.Accent))
            colour.setAlpha(FAINT)
            rect.setWidth(max(2, round(min(1.0, share) * rect.width())))
            painter.fillRect(rect, colour)
        super().paint(painter, option, index)
