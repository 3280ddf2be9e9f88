"""The desktop on a real rig server with the simulated rig: nothing is played here but the person."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from labrig.clock import SECOND
from labrig.endpoint import known_rigs, read_endpoint
from labrig.recording import RunFile
from labrig.units import psi
from labrig_ui.app import Desktop
from labrig_ui.bins import Bins
from labrig_ui.checks import EMPTY
from labrig_ui.live import PERMEABILITY
from labrig_ui.main_window import LIVE, ORDER, RESULTS
from tests.ui.conftest import Until, activate, spend, take_apart

pytestmark = pytest.mark.slow
RIG = "bench-25"


@pytest.fixture
def desktop(app: QApplication, tmp_path: Path, until: Until) -> Iterator[Desktop]:
    """A desktop that has started the rig server by its own button; everything ends with the test."""
    made = Desktop(app, tmp_path)
    made.window.show()
    made.window.rig_page.start_server()
    until(lambda: made.desk.state == "safe", 90)
    yield made
    take_apart(made)
    down(tmp_path)


def down(data: Path) -> None:
    for name in known_rigs(data):
        subprocess.run([sys.executable, "-m", "labrig.cli", "down", name, "--data", str(data)], check=True, timeout=60)


def start(desktop: Desktop, until: Until) -> None:
    page = desktop.window.order_page
    desktop.window.go(ORDER)
    QTest.keyClicks(page.coupon.edit, "M-0421-7")
    QTest.keyClick(page.coupon.edit, Qt.Key.Key_F5)
    until(lambda: page.checks.summary.text() != EMPTY, 90)
    assert page.checks.summary.text().startswith("All "), page.checks.summary.text()
    until(page.start.isEnabled, 60)
    QTest.mouseClick(page.start, Qt.MouseButton.LeftButton)
    until(lambda: desktop.desk.run is not None, 60)
    desktop.window.go(LIVE)


def shown(desktop: Desktop, channel: str) -> float:
    """What a tile says, as a number; 0 while it says none."""
    tile = next(tile for tile in desktop.window.live_page.tiles.tiles if tile.shown.name == channel)
    try:
        return float(tile.digits.text().replace("−", "-"))
    except ValueError:
        return 0.0


def test_a_run_from_start_to_result(desktop: Desktop, until: Until) -> None:
    start(desktop, until)

    until(lambda: shown(desktop, "feed_pressure") > 9.5, 60)
    until(lambda: 3.2 < shown(desktop, PERMEABILITY) < 4.2, 60)
    until(lambda: len(desktop.desk.spans) >= 2, 60)
    until(lambda: desktop.window.pages.currentIndex() == RESULTS, 90)
    card = desktop.window.runs_page.card
    until(lambda: card.run is not None and card.run.analysis is not None, 60)
    until(lambda: len(desktop.window.runs_page.curves.plots) == 2, 30)

    assert card.run is not None
    result = (card.run.analysis or {})["results"][0]
    assert result["value"] == pytest.approx(3.98, abs=2 * result["U"])  # example V, as its file states it
    with RunFile(Path(card.run.file)) as run:
        assert run.header.coupon.id == "M-0421-7"
        assert max(run.series("feed_pressure").values) == pytest.approx(30 * psi, rel=0.05)


def test_stop_by_escape_vents_the_rig(desktop: Desktop, until: Until) -> None:
    start(desktop, until)
    until(lambda: shown(desktop, "feed_pressure") > 9.0, 60)
    activate(desktop, until)

    QTest.keyClick(desktop.window, Qt.Key.Key_Escape)

    until(lambda: desktop.desk.state == "safe", 10)
    until(lambda: desktop.desk.run is None, 10)
    run = desktop.desk.last_run
    assert run is not None
    assert run.outcome == "aborted"
    assert "Esc" in run.reason
    desktop.window.go(LIVE)
    until(lambda: shown(desktop, "feed_pressure") < 0.5, 20)
    until(lambda: desktop.desk.status is not None and desktop.desk.status.safe_to_open, 20)


@pytest.mark.fault("SYS-03")
def test_a_server_that_was_killed_comes_back_tripped_and_is_found_again_and_reset(
    desktop: Desktop, until: Until
) -> None:
    start(desktop, until)
    until(lambda: shown(desktop, "feed_pressure") > 9.0, 60)
    before = read_endpoint(desktop.desk.data, RIG)

    os.kill(before.pid, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)

    until(lambda: desktop.desk.state == "gone", 10)
    assert any("No rig server answers" in words for words in desktop.window.banners.shown)
    until(lambda: desktop.desk.state == "tripped", 60)
    assert read_endpoint(desktop.desk.data, RIG).pid != before.pid
    assert any("watchdog" in words for words in desktop.window.banners.shown)
    until(lambda: any("interrupted" in words for words in desktop.window.banners.shown), 10)
    until(lambda: reset(desktop), 30)
    desktop.window.runs_page.reload()
    until(lambda: desktop.window.runs_page.list.rowCount() == 1, 10)


def test_a_second_desktop_shows_the_run_from_its_start(app: QApplication, desktop: Desktop, until: Until) -> None:
    start(desktop, until)
    until(lambda: shown(desktop, "feed_pressure") > 9.0, 60)

    second = Desktop(app, desktop.desk.data, RIG)
    second.window.show()
    until(lambda: second.desk.run is not None and second.desk.live is not None, 20)
    run, live = second.desk.run, second.desk.live
    assert run is not None
    assert live is not None
    until(lambda: before(live.bins("feed_pressure", run.started, live.end, 1200), run.started + SECOND), 20)
    highest = live.bins("feed_pressure", run.started, live.end, 1200).high.max()
    take_apart(second)

    assert highest > 9 * psi


def reset(desktop: Desktop) -> bool:
    """Press it as often as it is offered: a rig whose devices are still coming back trips once more."""
    if desktop.window.safety.reset.isVisible():
        QTest.mouseClick(desktop.window.safety.reset, Qt.MouseButton.LeftButton)
        spend(3000)
    return desktop.desk.state == "safe"


def before(bins: Bins, time: int) -> bool:
    return len(bins) > 0 and bins.times[0] < time
