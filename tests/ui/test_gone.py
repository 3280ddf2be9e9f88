"""When the server goes, the desktop says so in words, and attaches again by itself."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from labrig.clock import SECOND, monotonic
from labrig.model import Marked, Noted, Span
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
    assert not any("No rig server answers" in words for words in window.banners.shown)


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
def test_a_window_that_stands_still_attends_no_run_and_attends_it_again_when_it_moves(
    desktop: Desktop, rig: FakeRig, until: Until
) -> None:
    """The server counts an absence from half a second on, though the process lives and its connection stands."""
    attached = desktop.desk.live
    until(lambda: attending(rig) == [True])

    block_until(lambda: attending(rig) == [False])

    until(lambda: attending(rig) == [True])
    until(lambda: "stood still" in desktop.window.safety.said.text() + str(desktop.window.banners.shown))
    assert desktop.desk.live is attached, "it attached anew for a short pause"


@pytest.mark.fault("SYS-01")
def test_a_long_stand_still_is_written_into_the_record(desktop: Desktop, rig: FakeRig, until: Until) -> None:
    rig.begin(ORDER)
    until(lambda: desktop.desk.run is not None)

    threading.Event().wait(2.5)

    until(lambda: [wish.verb for wish in rig.wishes] == ["note"])
    assert "stood still for" in rig.wishes[0].text
    assert any("stood still for" in words for words in desktop.window.banners.shown)


def test_nothing_is_kept_for_a_window_that_has_stood_still_for_long(
    desktop: Desktop, rig: FakeRig, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "LET_GO", 0.8)

    block_until(lambda: not rig.watchers)

    until(lambda: attending(rig) == [True])
    until(lambda: desktop.desk.state == "safe")


def test_what_a_server_tells_again_is_shown_once(desktop: Desktop, rig: FakeRig, until: Until) -> None:
    rig.begin(ORDER)
    until(lambda: desktop.desk.run is not None)
    marked = Marked(monotonic(), Span("plateau", monotonic() - SECOND, monotonic()))

    for _ in range(2):
        rig.tell(marked)
    rig.change(warnings=("later",))
    until(lambda: "Later" in desktop.window.banners.shown)

    assert desktop.desk.spans == [marked.span]
    assert desktop.window.live_page.happenings.log.toPlainText().count("Measured") == 1


def test_what_happened_begins_anew_with_each_run(desktop: Desktop, rig: FakeRig, until: Until) -> None:
    log = desktop.window.live_page.happenings.log
    first = rig.begin(ORDER)
    until(lambda: desktop.desk.run is not None and desktop.desk.run.run == first.run)
    rig.tell(Noted(monotonic(), "of the first run", "bench"))
    until(lambda: "of the first run" in log.toPlainText())
    rig.end("completed")
    until(lambda: desktop.desk.run is None)

    second = rig.begin(ORDER)
    until(lambda: desktop.desk.run is not None and desktop.desk.run.run == second.run)
    rig.tell(Noted(monotonic(), "of the second run", "bench"))

    until(lambda: "of the second run" in log.toPlainText())
    assert "of the first run" not in log.toPlainText()


def block_until(holds: Callable[[], bool]) -> None:
    """Block this thread, which is the window's, until something holds; fails after ten seconds."""
    for _ in range(200):
        if holds():
            return
        threading.Event().wait(0.05)
    pytest.fail("what was waited for did not come")


def attending(rig: FakeRig) -> list[bool]:
    return [watcher.attending for watcher in rig.watchers]


def test_a_rig_that_was_left_is_not_listened_to(desktop: Desktop, rig: FakeRig) -> None:
    desktop.desk.leave()

    rig.change(warnings=("nobody hears this",))
    spend(100)

    assert not any("nobody hears" in words.casefold() for words in desktop.window.banners.shown)
    assert rig.watchers == []
    assert desktop.desk.state == "gone"
