"""The desktop by its buttons and keys, on a played rig server."""

from __future__ import annotations

import math

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QMenu, QPushButton

from labrig.clock import monotonic
from labrig.units import mL_per_min, psi
from labrig.wire.documents import Check, Checks, CurvePaper, ForetoldPaper, Ordered, RunPaper
from labrig_ui.app import Desktop
from labrig_ui.confirm import CloseDialog
from labrig_ui.form import Line
from labrig_ui.live import PERMEABILITY
from labrig_ui.main_window import LIVE, ORDER, RESULTS
from labrig_ui.tiles import Tile
from tests.ui.conftest import Until, activate, spend
from tests.ui.fake import ANALYSIS, QUESTION, FakeRig


def click(button: QPushButton) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def type_into(field: QLineEdit, words: str) -> None:
    field.clear()
    QTest.keyClicks(field, words)


def prepare(desktop: Desktop, until: Until) -> None:
    """As far as a checked order."""
    page = desktop.window.order_page
    desktop.window.go(ORDER)
    type_into(page.coupon.edit, "M-0421-7")
    type_into(page.operator.edit, "bench")
    click(page.check)
    until(page.start.isEnabled)


def begin(desktop: Desktop, until: Until) -> None:
    prepare(desktop, until)
    click(desktop.window.order_page.start)
    until(lambda: desktop.desk.run is not None)


def tile_of(desktop: Desktop, channel: str) -> Tile:
    return next(tile for tile in desktop.window.live_page.tiles.tiles if tile.shown.name == channel)


def test_a_run_from_the_coupon_to_the_result_card(desktop: Desktop, rig: FakeRig, until: Until) -> None:
    window = desktop.window
    begin(desktop, until)
    assert window.pages.currentIndex() == LIVE
    assert rig.orders[-1].coupon == "M-0421-7"
    assert rig.orders[-1].changes == {}

    rig.pressure, rig.flow = 20 * psi, 262 * mL_per_min
    until(lambda: tile_of(desktop, "feed_pressure").digits.text().startswith("20."))
    until(lambda: tile_of(desktop, "permeate_flow").digits.text().startswith("26"))
    # 262 mL/min ÷ 3.301 cm² ÷ 20 psi, by hand
    until(lambda: tile_of(desktop, PERMEABILITY).digits.text() in {"3.96", "3.97", "3.98"})

    rig.change(question=QUESTION)
    until(window.question.isVisible)
    assert window.question.words.text() == QUESTION.text
    click(window.question.buttons[0])
    until(lambda: not window.question.isVisible())
    assert (rig.wishes[-1].verb, rig.wishes[-1].question, rig.wishes[-1].text) == ("answer", "q1", "Yes")

    rig.step("20 psi")
    rig.mark(0.2)
    until(lambda: [step.state for step in window.live_page.steps.shown or ()] == ["done", "done", "now"])
    rig.end("completed")
    until(lambda: window.pages.currentIndex() == RESULTS)
    rig.file(ANALYSIS)
    until(lambda: "3.891 ± 0.064 cm/min/psi" in window.runs_page.card.texts())


def test_stop_is_sent_at_once_and_says_what_came_of_it(desktop: Desktop, rig: FakeRig, until: Until) -> None:
    begin(desktop, until)

    click(desktop.window.safety.stop)

    until(lambda: rig.stops)
    assert rig.stops == [("stopped at the desktop", "bench")]
    until(lambda: desktop.desk.state == "safe")
    until(lambda: "3 ms" in desktop.window.safety.said.text())


@pytest.mark.parametrize("page", range(4))
def test_stop_can_be_seen_on_every_page(desktop: Desktop, page: int) -> None:
    desktop.window.go(page)
    spend(20)

    assert desktop.window.safety.stop.isVisible()
    assert desktop.window.safety.stop.isEnabled()
    assert desktop.window.safety.stop.height() >= 60


@pytest.mark.parametrize("key", [(Qt.Key.Key_Escape, "Esc"), (Qt.Key.Key_Period, "Ctrl+.")])
def test_escape_and_control_period_stop(desktop: Desktop, rig: FakeRig, until: Until, key: tuple[Qt.Key, str]) -> None:
    desktop.window.go(LIVE)
    activate(desktop, until)
    modifier = Qt.KeyboardModifier.ControlModifier if "Ctrl" in key[1] else Qt.KeyboardModifier.NoModifier

    QTest.keyClick(desktop.window, key[0], modifier)

    until(lambda: rig.stops)
    assert rig.stops[0][0] == f"stopped at the desktop ({key[1]})"


def test_escape_stops_from_inside_a_field_too(desktop: Desktop, rig: FakeRig, until: Until) -> None:
    desktop.window.go(ORDER)
    activate(desktop, until)
    field = desktop.window.order_page.coupon.edit
    field.setFocus()

    QTest.keyClick(field, Qt.Key.Key_Escape)

    until(lambda: rig.stops)


def test_what_is_wrong_stands_beside_its_field_and_nothing_can_be_started(desktop: Desktop) -> None:
    page = desktop.window.order_page
    desktop.window.go(ORDER)
    zero = page.form.widget("zero")
    assert isinstance(zero, Line)

    type_into(page.coupon.edit, "M/7")
    type_into(zero.edit, "5")

    assert "Letters, digits" in page.coupon.below.text()
    assert zero.below.text() == "Write the unit too, such as 5 s"
    assert zero.below.isVisible()
    assert not page.check.isEnabled()
    assert not page.start.isEnabled()


def test_only_what_was_changed_is_ordered(desktop: Desktop, rig: FakeRig, until: Until) -> None:
    page = desktop.window.order_page
    desktop.window.go(ORDER)
    page.form.set_text("pressures", "0.5 bar, 20 psi")
    page.form.set_text("purge", "no")

    prepare(desktop, until)

    assert rig.orders[-1].changes == {"pressures": ["0.5 bar", "20 psi"], "purge": False}


def test_a_check_that_failed_is_named_first_and_keeps_the_run_from_starting(
    desktop: Desktop, rig: FakeRig, until: Until
) -> None:
    rig.checks = Checks(
        checks=(
            Check(name="rig", ok=True, words="the rig is safe"),
            Check(name="balance", ok=False, words="the balance does not answer; look at its cable"),
        )
    )
    page = desktop.window.order_page
    desktop.window.go(ORDER)
    type_into(page.coupon.edit, "M-0421-7")

    click(page.check)

    until(lambda: page.checks.list.count() == 2)
    first = page.checks.list.item(0)
    assert first is not None
    assert first.text() == "✕  Balance: the balance does not answer; look at its cable"
    assert page.checks.summary.text() == "1 of 2 checks failed"
    assert not page.start.isEnabled()


def test_what_was_changed_after_the_check_must_be_checked_again(desktop: Desktop, until: Until) -> None:
    prepare(desktop, until)
    page = desktop.window.order_page

    type_into(page.coupon.edit, "M-0421-8")

    assert not page.start.isEnabled()
    assert page.checks.summary.text() == "Changed since it was checked; check again."


def test_a_scanner_that_ends_with_enter_starts_nothing(desktop: Desktop, rig: FakeRig, until: Until) -> None:
    prepare(desktop, until)
    page = desktop.window.order_page
    activate(desktop, until)
    page.coupon.edit.setFocus()

    QTest.keyClick(page.coupon.edit, Qt.Key.Key_Return)
    spend(50)

    assert rig.status.state == "safe"
    assert page.lot.edit.hasFocus()


def test_hold_and_resume(desktop: Desktop, rig: FakeRig, until: Until) -> None:
    begin(desktop, until)
    safety = desktop.window.safety

    click(safety.hold)
    until(safety.resume.isVisible)
    assert desktop.window.state.pill.text() == "ON HOLD"
    click(safety.resume)

    until(lambda: desktop.desk.state == "running")
    assert [wish.verb for wish in rig.wishes] == ["hold", "resume"]


def test_a_trip_is_said_in_words_and_is_reset_when_its_cause_is_gone(
    desktop: Desktop, rig: FakeRig, until: Until
) -> None:
    window = desktop.window
    begin(desktop, until)
    rig.pressure = 90 * psi
    rig.end("tripped", "over_pressure: feed_pressure is 90 psi", state="tripped")

    until(lambda: window.banners.shown == ("Tripped: Over pressure: feed pressure is 90 psi. The outputs are safe.",))
    assert window.state.pill.text() == "TRIPPED"
    assert window.frame.colour() == "#D55E00"
    click(window.safety.reset)
    until(lambda: any("The rig stays tripped" in words for words in window.banners.shown))
    rig.pressure = 0.0
    click(window.safety.reset)

    until(lambda: desktop.desk.state == "safe")
    assert not window.safety.reset.isVisible()


def test_a_note_reaches_the_record_with_its_author(desktop: Desktop, rig: FakeRig, until: Until) -> None:
    begin(desktop, until)
    note = desktop.window.safety.note

    type_into(note, "smells of solvent")
    QTest.keyClick(note, Qt.Key.Key_Return)

    until(lambda: rig.wishes)
    assert (rig.wishes[0].verb, rig.wishes[0].text, rig.wishes[0].by) == ("note", "smells of solvent", "bench")
    until(lambda: "Note: smells of solvent (bench)" in desktop.window.live_page.happenings.log.toPlainText())


def test_warnings_and_forecasts_stand_above_every_page(desktop: Desktop, rig: FakeRig, until: Until) -> None:
    rig.change(warnings=("the balance is being looked for",), forecasts=("permeate vessel full in 12 min",))

    until(lambda: "The balance is being looked for  ·  Permeate vessel full in 12 min" in desktop.window.banners.shown)


def test_a_feed_that_was_refilled_is_said_where_its_end_is_foretold(
    desktop: Desktop, rig: FakeRig, until: Until
) -> None:
    banners = desktop.window.banners
    rig.change(forecasts=("feed empty in about 60 s",))
    until(lambda: "Feed empty in about 60 s" in banners.shown)
    refilled = next(one for one in banners.findChildren(QPushButton) if "refilled" in one.accessibleName())

    rig.change(forecasts=("feed empty in about 59 s",))
    until(lambda: "Feed empty in about 59 s" in banners.shown)
    click(refilled)

    until(lambda: banners.shown == ())
    assert rig.wishes[-1].verb == "refilled"


@pytest.mark.fault("SPC-06")
class TestClosingDuringARun:
    def dialog(self, desktop: Desktop, until: Until) -> CloseDialog:
        begin(desktop, until)
        desktop.window.close()
        until(lambda: desktop.window.findChild(CloseDialog))
        found = desktop.window.findChild(CloseDialog)
        assert isinstance(found, CloseDialog)
        return found

    def test_cancel_is_the_default(self, desktop: Desktop, rig: FakeRig, until: Until) -> None:
        dialog = self.dialog(desktop, until)
        until(dialog.isVisible)

        assert dialog.cancel.isDefault()
        QTest.keyClick(dialog, Qt.Key.Key_Escape)

        until(lambda: desktop.window.findChild(CloseDialog) is None)
        assert desktop.window.isVisible()
        assert rig.stops == []

    def test_stop_and_vent_stops_before_it_closes(self, desktop: Desktop, rig: FakeRig, until: Until) -> None:
        dialog = self.dialog(desktop, until)

        click(dialog.stop)

        until(lambda: not desktop.window.isVisible())
        assert rig.stops == [("stopped when the desktop was closed", "bench")]

    def test_keep_running_leaves_the_run_alone(self, desktop: Desktop, rig: FakeRig, until: Until) -> None:
        dialog = self.dialog(desktop, until)

        click(dialog.keep)

        until(lambda: not desktop.window.isVisible())
        assert rig.stops == []
        assert rig.status.state == "running"

    def test_control_period_stops_inside_the_dialog(self, desktop: Desktop, rig: FakeRig, until: Until) -> None:
        dialog = self.dialog(desktop, until)
        until(dialog.isVisible)
        dialog.activateWindow()
        until(dialog.isActiveWindow)

        QTest.keyClick(dialog, Qt.Key.Key_Period, Qt.KeyboardModifier.ControlModifier)

        until(lambda: rig.stops)


def test_other_curves_can_be_chosen(desktop: Desktop, rig: FakeRig, until: Until) -> None:
    page = desktop.window.live_page
    desktop.window.go(LIVE)
    click(page.curves)
    until(lambda: page.findChild(QMenu))
    menu = page.findChild(QMenu)
    assert isinstance(menu, QMenu)
    by_name = {action.text(): action for action in menu.actions()}
    assert [name for name, action in by_name.items() if action.isChecked()] == [
        "Permeability, live estimate",
        "Feed pressure",
        "Permeate flow",
    ]

    by_name["Membrane pressure"].trigger()
    menu.close()

    until(lambda: "membrane_pressure" in [plot.shown.name for plot in page.plots])
    assert len(page.plots) == 4


def test_without_a_run_the_window_closes_without_a_question(desktop: Desktop) -> None:
    desktop.window.close()

    assert not desktop.window.isVisible()


def test_a_new_desktop_shows_the_run_from_its_start(desktop: Desktop, rig: FakeRig, until: Until) -> None:
    begin(desktop, until)
    rig.pressure = 15 * psi
    spend(600)
    started = rig.status.run.started if rig.status.run else 0

    desktop.desk.choose("bench-25")
    until(lambda: desktop.desk.live is not None and desktop.desk.live.knows("feed_pressure"))
    until(lambda: desktop.desk.state == "running")
    spend(200)

    live = desktop.desk.live
    assert live is not None
    bins = live.bins("feed_pressure", started, monotonic(), 1000)
    assert (bins.times[0] - started) / 1e9 < 0.2
    assert max(bins.high) == pytest.approx(15 * psi, rel=0.01)
    assert not any(math.isnan(value) for value in bins.mean)


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_colours_can_be_chosen_while_plots_are_shown(desktop: Desktop, until: Until, colours: str) -> None:
    from labrig_ui.theme import Choice

    desktop.window.go(LIVE)
    spend(100)
    desktop.theme.choose(Choice(colours))
    spend(100)

    dark = desktop.theme.tokens.window == "#16191E"
    assert dark == (colours == "dark")


def test_only_the_live_page_draws_and_only_while_it_is_seen(desktop: Desktop) -> None:
    page = desktop.window.live_page
    desktop.window.go(ORDER)
    spend(60)
    before = page.frames

    spend(200)

    assert page.frames == before


def finished(rig: FakeRig, coupon: str, method: str, validity: str) -> RunPaper:
    run = rig.begin(Ordered(method=method, coupon=coupon, operator="bench"))
    rig.end("completed")
    rig.file({**ANALYSIS, "validity": validity})
    return run


def test_runs_are_filtered_by_method_and_by_what_came_of_them(desktop: Desktop, rig: FakeRig, until: Until) -> None:
    for coupon, method, validity in (("A", "quick", "valid"), ("B", "quick", "invalid"), ("C", "leak", "valid")):
        finished(rig, coupon, method, validity)
    page = desktop.window.runs_page
    desktop.window.go(RESULTS)
    page.reload()
    until(lambda: page.list.rowCount() == 3)

    page.filter.method.setCurrentText("quick 1")
    page.filter.kind.setCurrentText("Valid")

    assert [page.list.item(line, 1).text() for line in range(page.list.rowCount())] == ["A"]  # type: ignore[union-attr]


def test_marked_runs_are_laid_over_each_other(desktop: Desktop, rig: FakeRig, until: Until) -> None:
    for coupon in ("A", "B"):
        finished(rig, coupon, "quick", "valid")
    page = desktop.window.runs_page
    desktop.window.go(RESULTS)
    page.reload()
    until(lambda: page.list.rowCount() == 2)

    page.list.selectAll()

    until(lambda: page.curves.said.text().startswith("No curves"))  # these runs have no files
    assert {name for name, _ in page.curves.wanted} == {"A", "B"}


FORETOLD = ForetoldPaper(
    curves=(CurvePaper(channel="feed_pressure", times=(0.0, 10.0, 42.0), values=(0.0, 10 * psi, 30 * psi)),),
    water=117e-6,
    highest=30 * psi,
)


def test_a_changed_parameter_is_rehearsed_and_drawn_before_anybody_checks(
    desktop: Desktop, rig: FakeRig, until: Until
) -> None:
    """No coupon is named yet: what a run does depends on none."""
    rig.checks = Checks(checks=(Check(name="rehearsal", ok=True, words="rehearsed"),), seconds=42.0, foretold=FORETOLD)
    page = desktop.window.order_page
    desktop.window.go(ORDER)

    page.form.set_text("pressures", "10 psi, 30 psi")

    until(lambda: page.foretold.said.text() == "42 s, up to 30.0 psi, 117 mL of water")
    until(lambda: rig.orders[-1].changes == {"pressures": ["10 psi", "30 psi"]})
    assert len(page.foretold.plots) == 1
    assert not page.start.isEnabled(), "what was rehearsed alone was not checked"


def test_a_rehearsal_that_fails_says_why_where_it_would_be_drawn(desktop: Desktop, rig: FakeRig, until: Until) -> None:
    why = Check(name="rehearsal", ok=False, words="the rehearsal was failed: pressure can be set to 80 psi at most")
    rig.checks = Checks(checks=(why,), foretold=FORETOLD)
    desktop.window.go(ORDER)

    until(lambda: "80 psi at most" in desktop.window.order_page.foretold.said.text())
