"""Everything has a name for a screen reader, can be reached without a mouse, and can be read in light and dark."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from labrig_ui.app import Desktop
from labrig_ui.confirm import CloseDialog, Confirm
from labrig_ui.crash import CrashDialog
from labrig_ui.help import SHORTCUTS, About, ShortcutHelp
from labrig_ui.main_window import LIVE, ORDER, PAGES, RESULTS, RIG
from labrig_ui.theme import DARK, LIGHT, STOP, Choice, Tokens, contrast
from tests.ui.conftest import Until, activate, spend
from tests.ui.fake import ANALYSIS, QUESTION, FakeRig

NEED_A_NAME = {
    QAccessible.Role.PushButton,
    QAccessible.Role.CheckBox,
    QAccessible.Role.RadioButton,
    QAccessible.Role.ComboBox,
    QAccessible.Role.EditableText,
    QAccessible.Role.List,
    QAccessible.Role.Table,
    QAccessible.Role.Tree,
    QAccessible.Role.Slider,
    QAccessible.Role.SpinBox,
    QAccessible.Role.MenuItem,
    QAccessible.Role.Dialog,
}


def nameless(window: QWidget) -> list[str]:
    """What a screen reader could not call by a name, though a person can use it."""
    found = []
    for widget in [window, *window.findChildren(QWidget)]:
        spoken = QAccessible.queryAccessibleInterface(widget)
        if not widget.isVisibleTo(window):
            continue
        usable = spoken.role() in NEED_A_NAME or bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
        inner = widget.objectName().startswith("qt_") or type(widget).__name__ in {"QTabBar", "QComboBoxListView"}
        if usable and not inner and not spoken.text(QAccessible.Text.Name).strip():
            found.append(f"{type(widget).__name__} in {type(widget.parentWidget()).__name__}")
    return found


@pytest.mark.parametrize("page", [RIG, ORDER, LIVE, RESULTS])
def test_every_control_of_every_page_has_a_name(desktop: Desktop, rig: FakeRig, until: Until, page: int) -> None:
    run_to_the_result(desktop, rig, until)
    rig.change(question=QUESTION)
    until(desktop.window.question.isVisible)

    desktop.window.go(page)
    spend(50)

    assert nameless(desktop.window) == []


def test_every_control_of_every_dialog_has_a_name(desktop: Desktop) -> None:
    window, orders = desktop.window, desktop.orders
    crash = CrashDialog(window, desktop.desk.data / "desktop.log", orders)
    crash.tell("ValueError: nothing", "Traceback …")
    ShortcutHelp(window, orders)
    About(window)
    Confirm(window, "Sure?", "It ends.", "&End", orders)
    CloseDialog(window, attended=True, orders=orders)
    dialogs = window.findChildren(QDialog)

    assert len(dialogs) == 5
    for dialog in dialogs:
        dialog.show()
        spend(10)
        assert nameless(dialog) == []
        dialog.close()


def test_a_tile_is_read_out_with_its_number_and_unit(desktop: Desktop, rig: FakeRig, until: Until) -> None:
    rig.pressure = 0.0
    desktop.window.go(LIVE)

    until(lambda: desktop.window.live_page.tiles.tiles[0].accessibleName() == "Feed pressure: 0.0 psi")


def test_a_whole_run_without_a_mouse(desktop: Desktop, rig: FakeRig, until: Until) -> None:
    """Pages, fields, checks, start, the answer, hold, a note and Stop: by keys alone."""
    window = desktop.window
    activate(desktop, until)
    key, ctrl = Qt.Key, Qt.KeyboardModifier.ControlModifier

    press(key.Key_2, ctrl)
    window.order_page.coupon.setFocus()
    QTest.keyClicks(focused(), "M-0421-7")
    press(key.Key_Return)
    press(key.Key_F5)
    until(window.order_page.start.hasFocus)
    press(key.Key_Return, ctrl)
    until(lambda: desktop.desk.state == "running")
    rig.change(question=QUESTION)
    until(window.question.isVisible)
    press(key.Key_1, Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.ShiftModifier)
    until(lambda: [wish.text for wish in rig.wishes] == ["Yes"])
    press(key.Key_H, ctrl)
    until(lambda: desktop.desk.state == "hold")
    press(key.Key_R, ctrl)
    until(lambda: desktop.desk.state == "running")
    press(key.Key_T, ctrl)
    assert focused() is window.safety.note
    QTest.keyClicks(focused(), "by keys")
    press(key.Key_Return)
    until(lambda: rig.wishes[-1].text == "by keys")
    press(key.Key_Escape)

    until(lambda: desktop.desk.state == "safe")
    assert rig.stops[0][0] == "stopped at the desktop (Esc)"


@pytest.mark.parametrize("page", range(len(PAGES)))
def test_tab_walks_round_every_page_and_comes_by_stop(desktop: Desktop, until: Until, page: int) -> None:
    window = desktop.window
    activate(desktop, until)
    window.go(page)
    window.rail[page].setFocus()
    met: list[QWidget] = []

    while len(met) < 60 and (not met or met[-1] is not window.rail[page]):
        press(Qt.Key.Key_Tab)
        met.append(focused())

    assert met[-1] is window.rail[page], "Tab did not come round"
    assert window.safety.stop in met


def test_no_two_keys_of_the_help_are_the_same() -> None:
    keys = [key for key, _ in SHORTCUTS]

    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("page", range(len(PAGES)))
def test_no_two_controls_of_a_page_answer_to_the_same_letter(desktop: Desktop, page: int) -> None:
    from PySide6.QtWidgets import QAbstractButton, QLabel

    desktop.window.go(page)
    spend(20)
    letters: dict[str, str] = {}
    menus = [action.text() for action in desktop.window.menuBar().actions()]
    shown = [
        one.text()
        for one in desktop.window.findChildren(QWidget)
        if one.isVisible()
        and (isinstance(one, QAbstractButton) or (isinstance(one, QLabel) and one.buddy() is not None))
    ]

    for words in [*menus, *shown]:
        _, mark, rest = words.partition("&")
        if mark and rest[0] != "&":
            assert rest[0].lower() not in letters, f"{words!r} and {letters[rest[0].lower()]!r} on {PAGES[page]}"
            letters[rest[0].lower()] = words


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
def test_words_stand_out_from_what_is_behind_them(tokens: Tokens) -> None:
    """WCAG 2.2: 4.5 for text, 3 for marks."""
    for words in (tokens.text, tokens.muted, tokens.good, tokens.caution, tokens.bad):
        for behind in (tokens.surface, tokens.window):
            assert contrast(words, behind) >= 4.5, (words, behind)
    assert contrast(tokens.on_accent, tokens.accent) >= 4.5
    assert contrast(*STOP) >= 4.5
    assert all(contrast(front, back) >= 4.5 for _, back, front in tokens.states)
    assert all(contrast(curve, tokens.plot) >= 3 for curve in tokens.curves)
    assert contrast(tokens.focus, tokens.surface) >= 3


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_what_is_drawn_in_an_empty_field_can_be_read(desktop: Desktop, colours: str) -> None:
    """As drawn: Qt makes the words of an empty field fainter than the palette says, unless it is told not to."""
    desktop.theme.choose(Choice(colours))
    desktop.window.go(RESULTS)
    for field in (desktop.window.runs_page.search, desktop.window.safety.note):
        spend(50)
        picture = field.grab().toImage()
        inside = [
            picture.pixelColor(x, y).name()
            for x in range(12, picture.width() // 2)
            for y in range(10, picture.height() - 10)
        ]
        behind = max(set(inside), key=inside.count)

        assert max(contrast(colour, behind) for colour in set(inside)) >= 4.5, field.placeholderText()


def test_contrast_is_that_of_the_guidelines() -> None:
    """Black on white is 21; #767676 on white is the known grey at 4.54."""
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#767676", "#FFFFFF") == pytest.approx(4.54, abs=0.01)


def run_to_the_result(desktop: Desktop, rig: FakeRig, until: Until) -> None:
    from labrig.wire.documents import Ordered

    rig.begin(Ordered(method="quick-permeability", coupon="M-0421-7", operator="bench"))
    until(lambda: desktop.desk.run is not None)
    rig.end("completed")
    rig.file(ANALYSIS)
    until(lambda: desktop.window.runs_page.list.rowCount() == 1)
    desktop.window.runs_page.list.selectRow(0)
    until(lambda: "3.891" in desktop.window.runs_page.card.texts())


def press(key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(focused(), key, modifier)
    spend(10)


def focused() -> QWidget:
    found = QApplication.focusWidget() or QApplication.activeWindow()
    assert found is not None
    return found
