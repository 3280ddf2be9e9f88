"""Ends of the desktop in mid-run, against the real server and the simulated rig, judged by the plant's own outputs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton

from labrig.client import Client
from labrig.model import Outcome
from labrig_ui.app import Desktop
from labrig_ui.confirm import CloseDialog
from tests.server import scenarios
from tests.server.harness import RIG, Rigged, rigged, state, wait_until
from tests.ui.conftest import Until, take_apart

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rigged]:
    with rigged(tmp_path_factory.mktemp("ending")) as rig:
        yield rig


@pytest.fixture
def client(up: Rigged) -> Client:
    """Watches nothing, so that it attends nothing."""
    return up.ready(up.client())


@pytest.fixture
def desktop(app: QApplication, up: Rigged, client: Client, until: Until) -> Iterator[Desktop]:
    made = Desktop(app, up.data, RIG)
    made.window.show()
    until(lambda: made.desk.state == "safe", 30)
    yield made
    take_apart(made)


@contextmanager
def desktop_process(data: Path) -> Iterator[subprocess.Popen[bytes]]:
    """As a person starts it; yields once it follows the rig."""
    log = data / "logs" / "desktop.log"
    log.unlink(missing_ok=True)
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    process = subprocess.Popen([sys.executable, "-m", "labrig_ui", "--data", str(data)], env=environment)
    try:
        wait_until(lambda: log.exists() and f"follows {RIG}" in log.read_text(), "the desktop follows the rig")
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.fault("SYS-10")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_desktop_that_is_told_to_end_stops_its_attended_run_in_order(
    up: Rigged, client: Client, number: signal.Signals
) -> None:
    if sys.platform == "win32":
        return  # no process can be sent these there
    with desktop_process(up.data) as process:
        up.start(client, up.order(attended=True))
        assert up.pressurised

        process.send_signal(number)
        paper = scenarios.ended(up, client, Outcome.ABORTED)

        assert process.wait(20) == 0
    assert f"the desktop was told to end ({number.name})" in paper.reason
    assert up.safe


@pytest.mark.fault("SYS-10")
def test_a_desktop_that_is_told_to_end_leaves_an_unattended_run_alone(up: Rigged, client: Client) -> None:
    if sys.platform == "win32":
        return
    with desktop_process(up.data) as process:
        up.start(client, up.order(attended=False))

        process.send_signal(signal.SIGTERM)

        assert process.wait(20) == 0
    threading.Event().wait(1.0)
    assert state(client) == "running"
    assert up.pressurised


@pytest.mark.fault("SPC-06")
def test_closing_with_stop_and_vent_leaves_the_rig_safe(
    desktop: Desktop, up: Rigged, client: Client, until: Until
) -> None:
    dialog = closing(desktop, up, client, until, attended=True)

    click(dialog.stop)

    until(lambda: not desktop.window.isVisible(), 20)
    assert up.safe
    assert "stopped when the desktop was closed" in scenarios.ended(up, client, Outcome.ABORTED).reason


@pytest.mark.fault("SPC-06")
def test_closing_with_keep_running_leaves_an_unattended_run_to_the_server(
    desktop: Desktop, up: Rigged, client: Client, until: Until
) -> None:
    dialog = closing(desktop, up, client, until, attended=False)

    click(dialog.keep)

    until(lambda: not desktop.window.isVisible(), 20)
    desktop.desk.leave()
    threading.Event().wait(1.0)
    assert state(client) == "running"
    assert up.pressurised


@pytest.mark.fault("SYS-01")
def test_a_window_that_hangs_during_an_attended_run_has_it_stopped_by_the_server(
    desktop: Desktop, up: Rigged, client: Client, until: Until
) -> None:
    """The thread of the window is blocked: it lives, its connection stands, and nobody can see the rig."""
    begin(desktop, up, client, until, attended=True)

    wait_until(lambda: up.safe, "the server has made the rig safe", 30)

    paper = scenarios.ended(up, client, Outcome.ABORTED)
    assert "nobody has attended the run for 10 s" in paper.reason
    until(lambda: desktop.desk.run is None and desktop.desk.state == "safe", 30)
    assert any("stood still for" in words for words in desktop.window.banners.shown)


def begin(desktop: Desktop, up: Rigged, client: Client, until: Until, *, attended: bool) -> None:
    """Pressure on the cell, and the desktop sees it; the window goes on moving meanwhile."""
    begun: list[object] = []
    desktop.background.run("test", lambda: up.start(client, up.order(attended=attended)), begun.append, begun.append)
    until(lambda: begun, 120)
    until(lambda: desktop.desk.run is not None, 30)
    assert up.pressurised


def closing(desktop: Desktop, up: Rigged, client: Client, until: Until, *, attended: bool) -> CloseDialog:
    begin(desktop, up, client, until, attended=attended)
    desktop.window.close()
    until(lambda: desktop.window.findChild(CloseDialog))
    dialog = desktop.window.findChild(CloseDialog)
    assert isinstance(dialog, CloseDialog)
    return dialog


def click(button: QPushButton) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
