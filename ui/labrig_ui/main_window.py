"""The window: state above, pages in the middle, what must be in reach below."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAction, QActionGroup, QCloseEvent, QKeySequence
from PySide6.QtWidgets import QButtonGroup, QFrame, QMainWindow, QMenu, QPushButton, QStackedWidget, QWidget

from labrig.wire.documents import RunPaper
from labrig_ui.background import Background
from labrig_ui.banners import Banners
from labrig_ui.confirm import CloseDialog
from labrig_ui.desk import Desk
from labrig_ui.help import About, ShortcutHelp
from labrig_ui.live_page import LivePage
from labrig_ui.order_page import OrderPage
from labrig_ui.orders import Orders
from labrig_ui.parts import button, column, row, set_kind
from labrig_ui.questions import QuestionPanel
from labrig_ui.rig_page import RigPage
from labrig_ui.runs_page import RunsPage
from labrig_ui.safety_bar import SafetyBar, add_stop_keys
from labrig_ui.specimens_page import SpecimensPage
from labrig_ui.state_bar import BORDER, StateBar, StateFrame
from labrig_ui.theme import Choice, Theme

PAGES: Final = ("Rig", "New run", "Live", "Results", "Specimens")
RIG, ORDER, LIVE, RESULTS, SPECIMENS = range(5)
LONG_STILL: Final = 2.0
"""s that a window may stand still without a word in the record."""
STOOD_STILL: Final = "This window stood still"
STOP_PATIENCE: Final = 6000
"""ms that closing waits for the rig to be safe."""


class MainWindow(QMainWindow):
    """Everything that a technician needs, in one window."""

    def __init__(self, desk: Desk, orders: Orders, background: Background, theme: Theme) -> None:
        super().__init__()
        self._desk, self._orders, self._theme = desk, orders, theme
        self._may_close = False
        self.setWindowTitle("labrig")
        self.setMinimumSize(1000, 660)
        self.state = StateBar(desk, theme)
        self.banners = Banners(desk, orders)
        self.question = QuestionPanel(desk, orders)
        self.safety = SafetyBar(desk, orders)
        self.rig_page = RigPage(desk, orders, background)
        self.order_page = OrderPage(desk, orders, theme)
        self.live_page = LivePage(desk, theme)
        self.runs_page = RunsPage(desk, orders, background, theme)
        self.specimens_page = SpecimensPage(desk, orders, background)
        self.pages = QStackedWidget()
        for page in (self.rig_page, self.order_page, self.live_page, self.runs_page, self.specimens_page):
            self.pages.addWidget(page)
        self.rail: tuple[QPushButton, ...] = ()
        self.frame = StateFrame(desk, theme)
        self._lay_out()
        self._menus()
        add_stop_keys(self, orders)
        orders.failed.connect(self.banners.say)
        self.order_page.started.connect(lambda _: self.go(LIVE))
        self.runs_page.card.next_wanted.connect(self.next_specimen)
        self.specimens_page.measure.connect(self.measure)
        desk.run_ended.connect(self._run_ended)
        desk.moved.connect(self._stood_still)
        desk.attachment_changed.connect(self._retitle)
        self.go(RIG)

    def go(self, page: int) -> None:
        """Show a page."""
        self.pages.setCurrentIndex(page)
        self.rail[page].setChecked(True)
        if page == ORDER:
            self.order_page.begin()
        elif page == RESULTS:
            self.runs_page.begin()
        elif page == SPECIMENS:
            self.specimens_page.begin()

    def measure(self, coupon: str, lot: str) -> None:
        """Prepare a run of a coupon."""
        self.go(ORDER)
        self.order_page.take_specimen(coupon, lot)

    def next_specimen(self) -> None:
        self.go(ORDER)
        self.order_page.next_specimen()

    def closeEvent(self, asked: QCloseEvent) -> None:
        run = self._desk.run
        if self._may_close or run is None or self._desk.server is None:
            asked.accept()
            return
        asked.ignore()
        dialog = CloseDialog(self, attended=run.attended, orders=self._orders)
        dialog.keep_running.connect(self.close_now)
        dialog.stop_and_vent.connect(self.stop_and_close)
        dialog.open()

    def close_now(self) -> None:
        """Close without another question."""
        self._may_close = True
        self.close()

    def stop_and_close(self) -> None:
        """Stop the rig; close once it has said that its outputs are safe."""
        self._orders.stopped.connect(lambda _: self.close_now())
        patience = QTimer(self)
        patience.setSingleShot(True)
        patience.timeout.connect(
            lambda: self.banners.say("The rig has not answered the Stop. Use the stop that is wired to the rig.")
        )
        patience.start(STOP_PATIENCE)
        self._orders.stop("stopped when the desktop was closed")

    def _run_ended(self, run: RunPaper) -> None:
        """Who watched a run complete goes on to its result; nobody else, and nobody after a trip, is taken away."""
        if self.pages.currentIndex() == LIVE and run.outcome == "completed":
            self.go(RESULTS)

    def _stood_still(self, seconds: float) -> None:
        """Say that nothing could be seen meanwhile; a long time stands in the record too."""
        words = f"{STOOD_STILL} for {seconds:.1f} s; the rig server went on."
        if seconds < LONG_STILL:
            self.safety.say(words)
            return
        self.banners.say(words, bad=False, instead=STOOD_STILL)
        if self._desk.run is not None:
            self._orders.note(f"the desktop's window stood still for {seconds:.1f} s")

    def _retitle(self) -> None:
        self.setWindowTitle(f"{self._desk.rig} – labrig" if self._desk.rig else "labrig")

    def _lay_out(self) -> None:
        group = QButtonGroup(self)
        made = []
        for place, name in enumerate(PAGES):
            one = button(name, lambda place=place: self.go(place), "nav", tip=f"Ctrl+{place + 1}")  # type: ignore[misc]
            one.setCheckable(True)
            group.addButton(one)
            made.append(one)
        self.rail = tuple(made)
        rail = QFrame()
        set_kind(rail, "rail")
        column(*self.rail, None, margin=12, spacing=4, into=rail)
        rail.setFixedWidth(round(150 * self._theme.scale))
        content = QWidget()
        column(self.question, self.pages, margin=12, spacing=8, into=content)
        body = row(rail, content, spacing=0)
        body.setStretch(1, 1)
        layout = column(self.state, self.banners, body, self.safety, margin=BORDER, spacing=4, into=self.frame)
        layout.setStretch(2, 1)
        self.setCentralWidget(self.frame)

    def _menus(self) -> None:
        bar = self.menuBar()
        bar.setAccessibleName("Menus")
        file, view = bar.addMenu("&File"), bar.addMenu("Vie&w")
        rig, help_ = bar.addMenu("Ri&g"), bar.addMenu("Help")
        self._add(file, "&Next specimen", "Ctrl+N", self.next_specimen)
        self._add(file, "&Close labrig", "Ctrl+Q", self.close)
        for place, name in enumerate(PAGES):
            self._add(view, name, f"Ctrl+{place + 1}", lambda place=place: self.go(place))
        view.addSeparator()
        self._themes(view)
        self._add(rig, "STOP", "", lambda: self._orders.stop("stopped at the desktop (menu)"))
        self._add(rig, "&Hold", "Ctrl+H", self.safety.hold.click)
        self._add(rig, "&Resume", "Ctrl+R", self.safety.resume.click)
        self._add(rig, "Reset &trip", "Ctrl+Shift+T", self.safety.reset.click)
        self._add(rig, "Feed was refi&lled", "", self._orders.refilled)
        self._add(rig, "Write a n&ote", "Ctrl+T", lambda: self.safety.note.setFocus(Qt.FocusReason.ShortcutFocusReason))
        self._add(help_, "&Keyboard shortcuts", "F1", lambda: ShortcutHelp(self, self._orders).open())
        self._add(help_, "&About labrig", "", lambda: About(self).open())

    def _themes(self, menu: QMenu) -> None:
        group = QActionGroup(self)
        for choice in Choice:
            action = self._add(menu, f"Colours: {choice.value}", "", lambda choice=choice: self._theme.choose(choice))
            action.setCheckable(True)
            action.setChecked(choice is self._theme.choice)
            group.addAction(action)
        self._add(menu, "Light or &dark", "Ctrl+D", self._toggle)

    def _toggle(self) -> None:
        dark = self._theme.tokens.window < "#808080"
        self._theme.choose(Choice.LIGHT if dark else Choice.DARK)

    def _add(self, menu: QMenu, words: str, keys: str, act: object) -> QAction:
        action = menu.addAction(words)
        action.setObjectName(words.replace("&", "").lower())
        if keys:
            action.setShortcut(QKeySequence(keys))
        action.triggered.connect(lambda *_: act())  # type: ignore[operator]
        return action
