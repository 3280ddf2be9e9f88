"""Windows without a screen: one application for all tests, and a desktop on a played rig server."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEvent, QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from labrig.clock import monotonic
from labrig_ui.app import Desktop
from tests.ui.fake import FakeRig


class Until(Protocol):
    """`until(holds, seconds)`."""

    def __call__(self, holds: Callable[[], object], seconds: float = 10.0) -> None: ...


LOOK = 10
LACKS = ("propagateSizeHints()", "raise()", "grabbing the keyboard")


@pytest.fixture(autouse=True)
def _offscreen_is_quiet() -> Iterator[None]:
    """The plugin without a screen complains of what every dialog and menu asks of one; nothing else is let pass."""

    def pass_(record: logging.LogRecord) -> bool:
        return record.getMessage() not in {f"This plugin does not support {what}" for what in LACKS}

    logging.getLogger("qt").addFilter(pass_)
    yield
    logging.getLogger("qt").removeFilter(pass_)


@pytest.fixture(scope="session")
def app() -> QApplication:
    made = QApplication.instance() or QApplication(["labrig-tests"])
    assert isinstance(made, QApplication)
    return made


@pytest.fixture
def until(app: QApplication) -> Until:
    """Let Qt work until something holds; fails after ten seconds."""

    def wait(holds: Callable[[], object], seconds: float = 10.0) -> None:
        end = monotonic() + round(seconds * 1e9)
        while not holds():
            assert monotonic() < end, "what was waited for did not come"
            spend(LOOK)

    return wait


def activate(desktop: Desktop, until: Until) -> None:
    """The keyboard is this window's; a screen without a window manager takes a moment."""
    desktop.window.activateWindow()
    until(desktop.window.isActiveWindow)


def spend(milliseconds: int) -> None:
    """Let Qt work for a while."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[FakeRig]:
    played = FakeRig(tmp_path)
    yield played
    played.kill()


@pytest.fixture
def desktop(app: QApplication, rig: FakeRig, until: Until) -> Iterator[Desktop]:
    """Attached to the played rig, which is the only one."""
    with_fake = Desktop(app, rig.data, connect=rig.connect)
    with_fake.window.show()
    until(lambda: with_fake.desk.state == "safe")
    yield with_fake
    take_apart(with_fake)


def take_apart(desktop: Desktop) -> None:
    desktop.window.close_now()
    desktop.close()
    for thread in threading.enumerate():  # a question to the catalogue that loads its library outlives the window
        if thread.name == "desktop catalogue":
            thread.join(30)
    desktop.window.deleteLater()
    desktop.theme.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QApplication.processEvents()
