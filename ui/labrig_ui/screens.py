"""How large things must be on a screen to be read: from its size in millimetres, where that can be believed."""

from __future__ import annotations

import math
from typing import Final

from PySide6.QtGui import QScreen

USUAL: Final = 96.0
"""Pixels to the inch for which every size in this room is written."""
DESK: Final = 320.0
"""mm: height of a 24-inch screen with its frame. What is higher stands further away."""
LARGEST: Final = 1.75
_BELIEVABLE: Final = (50.0, 400.0)


def dots(screen: QScreen | None) -> float:
    """Logical pixels to the inch; the usual ones where the screen's size in mm is not to be believed."""
    dpi = screen.physicalDotsPerInchY() if screen is not None else USUAL
    low, high = _BELIEVABLE
    return dpi if low <= dpi <= high else USUAL


def pixels(millimetres: float, screen: QScreen | None) -> float:
    """Logical pixels on a screen."""
    return millimetres / 25.4 * dots(screen)


def text_scale(screen: QScreen | None) -> float:
    """Factor on every size of text."""
    if screen is None:
        return 1.0
    size = screen.size()
    return scale_for(dots(screen), size.width(), size.height())


def scale_for(dpi: float, width: int, height: int) -> float:
    """The usual size in millimetres, larger on a screen that is higher than a desk's, never less than one.

    A window of 1280 x 800 pixels holds everything at the factor 1, so that the factor ends where it no longer would.
    """
    further = math.sqrt(max(1.0, height / dpi * 25.4 / DESK))
    wanted = dpi / USUAL * further
    return max(1.0, min(wanted, LARGEST, width / 1280, height / 800))
