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
from PySide6.QtWidgets import QApplication, QCheckBox, QPushButton

from labrig.clock import SECOND
from labrig.endpoint import known_rigs, read_endpoint
from labrig.recording import RunFile
from labrig.units import psi
from labrig_ui.app import Desktop
from labrig_ui.bins import Bins
from labrig_ui.checks import EMPTY
from labrig_ui.live import PERMEABILITY
from labrig_ui.main_window import LIVE, ORDER, RESULTS
from tests.server.harness import RIG, Rigged, rigged
from tests.ui.conftest import Until, activate, spend, take_apart

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rigged]:
    """One rig for the tests that need not start their own; it takes seconds to come up."""
    with rigged(tmp_path_factory.mktemp("desktop")) as rig:
        yield rig


@pytest.fixture
def desktop(app: QApplication, up: Rigged, until: Until) -> Iterator[Desktop]:
    """A desktop on that rig, which is free and safe."""
    up.ready(up.client())
    made = Desktop(app, up.data, RIG)
    made.window.show()
    until(lambda: made.desk.state == "safe", 30)
    yield made
    take_apart(made)


def click(button: QPushButton) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def check(desktop: Desktop, until: Until, method: str, **parameters: str) -> str:
    """Fill in the page as a person does, and check; returns the summary of the checks."""
    page = desktop.window.order_page
    click(desktop.window.rail[ORDER])
    page.coupon.edit.clear()
    QTest.keyClicks(page.coupon.edit, "M-0421-7")
    page.method.setCurrentText(method)
    page.attended.setChecked(True)
    for name, typed in parameters.items():
        widget = page.form.widget(name)
        if isinstance(widget, QCheckBox):
            widget.setChecked(typed == "yes")
        else:
            page.form.set_text(name, typed)
    click(page.check)
    until(lambda: page.checks.summary.text() != EMPTY, 90)
    return page.checks.summary.text()


def start(desktop: Desktop, until: Until, method: str = "misbehaving", **parameters: str) -> None:
    """From the coupon to the run; "misbehaving" has pressure on the cell in a second."""
    page = desktop.window.order_page
    said = check(desktop, until, method, **parameters)
    assert said.startswith("All "), said
    until(page.start.isEnabled, 60)
    click(page.start)
    until(lambda: desktop.desk.run is not None, 60)
    assert desktop.window.pages.currentIndex() == LIVE


def shown(desktop: Desktop, channel: str) -> float:
    """What a tile says, as a number; 0 while it says none."""
    tile = next(tile for tile in desktop.window.live_page.tiles.tiles if tile.shown.name == channel)
    try:
        return float(tile.digits.text().replace("−", "-"))
    except ValueError:
        return 0.0


def happened(desktop: Desktop) -> str:
    return desktop.window.live_page.happenings.log.toPlainText()


def test_from_nothing_to_the_result_by_clicks_alone(app: QApplication, tmp_path: Path, until: Until) -> None:
    """As on the first day: no server, no runs; the rig is started by the desktop's own button."""
    desktop = Desktop(app, tmp_path)
    desktop.window.show()
    try:
        until(desktop.window.rig_page.start.isEnabled)
        click(desktop.window.rig_page.start)
        until(lambda: desktop.desk.state == "safe", 90)
        start(desktop, until, "quick-permeability")
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
    finally:
        take_apart(desktop)
        down(tmp_path)


def down(data: Path) -> None:
    for name in known_rigs(data):
        subprocess.run([sys.executable, "-m", "labrig.cli", "down", name, "--data", str(data)], check=True, timeout=60)


def test_a_check_that_fails_says_why_and_nothing_can_be_started(desktop: Desktop, until: Until) -> None:
    """The regulator's range ends at 80 psi; the rehearsal finds out before the rig does."""
    page = desktop.window.order_page

    said = check(desktop, until, "misbehaving", pressure="90 psi")

    assert "1 of " in said
    first = page.checks.list.item(0).text()
    assert first.startswith("✕  Rehearsal")
    assert "80" in first
    assert not page.start.isEnabled()
    assert desktop.desk.run is None


def test_a_question_is_answered_by_its_button_and_stands_in_the_record(desktop: Desktop, until: Until) -> None:
    start(desktop, until, ask="yes", lasting="1 s")
    panel = desktop.window.question
    until(panel.isVisible, 20)
    assert panel.words.text() == "Is the beaker empty?"

    click(panel.buttons[0])

    until(lambda: not panel.isVisible(), 10)
    until(lambda: "the answer was yes" in happened(desktop), 20)
    until(lambda: desktop.desk.run is None, 30)


def test_over_pressure_trips_and_is_reset_when_its_cause_is_gone(desktop: Desktop, up: Rigged, until: Until) -> None:
    window = desktop.window
    start(desktop, until)
    until(lambda: shown(desktop, "feed_pressure") > 9.0, 30)

    up.control.set_fault("over-pressure", pressure="95 psi")

    until(lambda: desktop.desk.state == "tripped", 30)
    assert any("pressure" in words for words in window.banners.shown), window.banners.shown
    assert window.state.pill.text() == "TRIPPED"
    assert window.frame.colour() == "#D55E00"
    assert window.pages.currentIndex() == LIVE
    assert up.safe
    up.control.clear_faults()
    until(lambda: shown(desktop, "feed_pressure") < 1.0, 30)
    until(lambda: reset(desktop), 30)
    until(lambda: desktop.desk.last_run is not None and desktop.desk.last_run.outcome == "tripped", 30)


def test_stop_by_escape_vents_the_rig(desktop: Desktop, up: Rigged, until: Until) -> None:
    start(desktop, until)
    until(lambda: shown(desktop, "feed_pressure") > 9.0, 60)
    activate(desktop, until)

    QTest.keyClick(desktop.window, Qt.Key.Key_Escape)

    until(lambda: up.safe, 10)
    until(lambda: desktop.desk.run is None, 10)
    run = desktop.desk.last_run
    assert run is not None
    assert run.outcome == "aborted"
    assert "Esc" in run.reason
    until(lambda: shown(desktop, "feed_pressure") < 0.5, 20)
    until(lambda: desktop.desk.status is not None and desktop.desk.status.safe_to_open, 20)


def test_a_new_desktop_shows_the_run_from_its_start_with_its_plateaus_and_steps(
    app: QApplication, desktop: Desktop, until: Until
) -> None:
    start(desktop, until, "quick-permeability")
    until(lambda: shown(desktop, "feed_pressure") > 9.0, 60)
    marked = tuple(desktop.desk.spans)

    second = Desktop(app, desktop.desk.data, RIG)
    second.window.show()
    until(lambda: second.desk.run is not None and second.desk.live is not None, 20)
    run, live = second.desk.run, second.desk.live
    assert run is not None
    assert live is not None
    until(lambda: before(live.bins("feed_pressure", run.started, live.end, 1200), run.started + SECOND), 20)
    highest = live.bins("feed_pressure", run.started, live.end, 1200).high.max()
    until(lambda: all(span in second.desk.spans for span in marked), 20)
    until(lambda: "Step: " in happened(second), 20)
    take_apart(second)
    desktop.orders.stop("seen enough")
    until(lambda: desktop.desk.run is None, 30)

    assert marked, "the zero has been measured by then"
    assert highest > 9 * psi


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
    until(lambda: desktop.window.runs_page.list.rowCount() >= 1, 10)


def reset(desktop: Desktop) -> bool:
    """Press it as often as it is offered: a rig whose devices are still coming back trips once more."""
    if desktop.window.safety.reset.isVisible():
        QTest.mouseClick(desktop.window.safety.reset, Qt.MouseButton.LeftButton)
        spend(3000)
    return desktop.desk.state == "safe"


def before(bins: Bins, time: int) -> bool:
    return len(bins) > 0 and bins.times[0] < time
