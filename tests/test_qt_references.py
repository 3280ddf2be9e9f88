"""Qt's calls give back what they borrow.

PySide6 6.12.0 on Python 3.11 drops one reference to `None` with every call that returns nothing; a live plot then
ends the whole process within seconds (docs/adr/0004). This is the test to look at before the pin is raised.
"""

from __future__ import annotations

import os
import subprocess
import sys

CALLS = 2000

COUNT_REFERENCES = f"""
import sys
from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor, QGuiApplication, QImage, QPainter
app = QGuiApplication([])
image = QImage(16, 16, QImage.Format.Format_RGB32)
painter = QPainter(image)
color, start, end = QColor("black"), QPoint(0, 0), QPoint(15, 15)
before = sys.getrefcount(None)
for _ in range({CALLS}):
    painter.setPen(color)
    painter.drawLine(start, end)
lost = before - sys.getrefcount(None)
painter.end()
print(lost)
"""


def test_void_calls_keep_the_references_to_none() -> None:
    """From Python 3.12 on `None` is not counted, and this cannot fail; on 3.11 the broken release aborts here."""
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}

    done = subprocess.run(
        [sys.executable, "-c", COUNT_REFERENCES], env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < CALLS / 100
