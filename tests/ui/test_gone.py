"""When the server goes, the desktop says so in words, and attaches again by itself."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from labrig.wire.documents import Ordered
from labrig_ui import link
from labrig_ui.app import Desktop
from labrig_ui.main_window import LIVE
from tests.ui.conftest import Until, spend
from tests.ui.fake import FakeRig

ORDER = Ordered(method="quick-permeability", coupon="M-0421-7", operator="bench")


def test_a_server_that_is_gone_is_said_in_words_and_found_again(desktop: Desktop, rig: FakeRig, until: Until) -> None:
    window = desktop.window
    window.go(LIVE)

    rig.kill()

    until(lambda: any("No rig server answers for bench-25" in words for words in window.banners.shown))
    assert window.state.pill.text() == "NO SERVER"
    until(lambda: window.live_page.tiles.tiles[0].state.text() == "not live")
    rig.revive()
    until(lambda: desktop.desk.state == "safe")
    assert window.banners.shown == ()


def test_the_same_server_can_go_twice_and_is_told_twice(desktop: Desktop, rig: FakeRig, until: Until) -> None:
    for _ in range(2):
        rig.kill()
        until(lambda: desktop.desk.state == "gone")
        rig.revive()
        until(lambda: desktop.desk.state == "safe")


@pytest.mark.expected_logs("labrig_ui.orders")
def test_a_stop_that_nobody_answers_points_to_the_wired_one(desktop: Desktop, rig: FakeRig, until: Until) -> None:
    rig.kill()
    until(lambda: desktop.desk.state == "gone")

    QTest.mouseClick(desktop.window.safety.stop, Qt.MouseButton.LeftButton)

    until(lambda: any("Use the stop that is wired to the rig" in words for words in desktop.window.banners.shown))


def test_after_a_restart_the_run_is_shown_from_its_start(desktop: Desktop, rig: FakeRig, until: Until) -> None:
    run = rig.begin(ORDER)
    spend(400)
    rig.kill()
    until(lambda: desktop.desk.state == "gone")
    rig.revive()

    until(lambda: desktop.desk.state == "running")
    live = desktop.desk.live
    assert live is not None
    until(lambda: len(live.bins("permeate_mass", run.started, live.end, 1000)) > 5)

    assert live.bins("permeate_mass", run.started, live.end, 1000).times[0] - run.started < 2e8


@pytest.mark.fault("SYS-01")
def test_a_frozen_window_attends_no_run(desktop: Desktop, rig: FakeRig, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the GUI thread is blocked the watch is let go, so that the server stops an attended run."""
    import threading

    monkeypatch.setattr(link, "FROZEN", 0.4)
    assert [watcher.attending for watcher in rig.watchers] == [True]

    threading.Event().wait(1.5)

    assert rig.watchers == []


def test_after_it_was_frozen_the_window_attends_again(
    desktop: Desktop, rig: FakeRig, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    monkeypatch.setattr(link, "FROZEN", 0.4)
    threading.Event().wait(1.5)

    until(lambda: [watcher.attending for watcher in rig.watchers] == [True])
    until(lambda: desktop.desk.state == "safe")


def test_a_rig_that_was_left_is_not_listened_to(desktop: Desktop, rig: FakeRig) -> None:
    desktop.desk.leave()

    rig.change(warnings=("nobody hears this",))
    spend(100)

    assert desktop.window.banners.shown == ()
    assert rig.watchers == []
    assert desktop.desk.state == "gone"
