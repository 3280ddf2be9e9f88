"""Specimens: scan or find a coupon; what it is, what was done to it and measured on it, how its lot scatters."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLabel,
    QLineEdit,
    QScrollArea,
    QSplitter,
    QTableWidget,
    QVBoxLayout,
    QWidget,
)

from labrig.errors import LabrigError
from labrig_ui import specimens
from labrig_ui.background import Background
from labrig_ui.coupon_dialog import CouponDialog, Entered
from labrig_ui.desk import Desk
from labrig_ui.orders import Orders
from labrig_ui.parts import button, choice, clear, column, row, set_kind, show, text
from labrig_ui.result_card import table
from labrig_ui.specimens import Found, Story

if TYPE_CHECKING:
    from pathlib import Path

EVERY: Final = "Every lot"
PAUSE: Final = 200
"""ms without a key after which a search begins."""
COUPONS: Final = ("Coupon", "Lot", "Condition", "Last touched")
RESULTS: Final = ("Quantity", "Value", "Validity", "Method", "Started")
RUNS: Final = ("Started", "Method", "Outcome", "Leaves it", "Operator")
REPLICATES: Final = ("Quantity", "Mean", "Standard deviation", "Relative", "Results on coupons")


class SpecimensPage(QWidget):
    """Reads the catalogue of the data folder in the background, whether a rig is up or not."""

    measure = Signal(str, str)
    """Coupon and lot: a run of it is to be prepared."""

    def __init__(self, desk: Desk, orders: Orders, background: Background) -> None:
        super().__init__()
        self._desk, self._orders, self._background = desk, orders, background
        self._asked = 0
        self._wanted = ""
        self.story: Story | None = None
        self.search = QLineEdit()
        self.search.setAccessibleName("Scan or find a coupon")
        self.search.setPlaceholderText("Barcode, coupon, lot, sheet, family or note")
        self.search.setClearButtonEnabled(True)
        self.lot = choice("Lot")
        self.lot.addItem(EVERY)
        self.said = text(kind="muted", wrap=True)
        self.list = _coupons()
        self._detail = QVBoxLayout()
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE)
        self._pause.timeout.connect(self.look)
        self._lay_out()
        self.search.textChanged.connect(lambda _: self._pause.start())
        self.search.returnPressed.connect(self._scanned)
        self.lot.currentIndexChanged.connect(lambda _: self.look())
        self.list.itemSelectionChanged.connect(self._selected)
        desk.run_ended.connect(lambda _: self._pause.start())
        self._show(None)

    def begin(self) -> None:
        """The page is opened: a scanner types into the search."""
        self.search.setFocus()
        self.search.selectAll()
        self.look()

    def enter_new(self) -> None:
        """Ask for a coupon that the catalogue does not have; what was scanned is taken for its identifier."""
        self._enter(Entered(id=self.search.text().strip() if self.story is None else ""))

    def look(self) -> None:
        """Ask the catalogue; an earlier question that has not been answered is forgotten."""
        if not self.isVisible():
            return
        self._pause.stop()
        self._asked += 1
        asked, typed = self._asked, self.search.text()
        lot = self.lot.currentText() if self.lot.currentIndex() > 0 else ""
        find = partial(specimens.find, self._desk.data, typed, lot)
        self._background.run("catalogue", find, partial(self._take, asked), self._fail)

    def _scanned(self) -> None:
        """A scanner's Enter opens the coupon that it has read."""
        self._wanted = ""
        self.look()

    def _take(self, asked: int, found: Found) -> None:
        if asked != self._asked:
            return
        self._offer(found.lots)
        typed = self.search.text().strip()
        none = f"No coupon is found for {typed!r}. Enter it with New coupon." if typed else NONE
        more = f"The first {specimens.MOST}; type more to find others." if len(found.coupons) == specimens.MOST else ""
        show(self.said, more if found.coupons else none)
        with QSignalBlocker(self.list):
            _fill(self.list, [specimens.coupon_cells(one) for one in found.coupons])
        ids = [one.id for one in found.coupons]
        if found.exact or self._wanted not in ids:
            self._wanted = ids[0] if ids else ""
        if self._wanted:
            self.list.selectRow(ids.index(self._wanted))
            self._selected()
        else:
            self._show(None)

    def _offer(self, lots: tuple[str, ...]) -> None:
        wanted = [EVERY, *lots]
        if wanted == [self.lot.itemText(place) for place in range(self.lot.count())]:
            return
        chosen = self.lot.currentText()
        with QSignalBlocker(self.lot):
            self.lot.clear()
            self.lot.addItems(wanted)
            self.lot.setCurrentText(chosen if chosen in wanted else EVERY)

    def _selected(self) -> None:
        item = self.list.item(self.list.currentRow(), 0)
        if item is None:
            return
        self._wanted = item.text()
        ask = partial(specimens.story, self._desk.data, self._wanted)
        self._background.run("catalogue", ask, self._told, self._fail)

    def _told(self, story: Story) -> None:
        if story.coupon.id == self._wanted:
            self._show(story)

    def _fail(self, error: LabrigError) -> None:
        show(self.said, f"The catalogue does not answer: {error}")

    def _show(self, story: Story | None) -> None:
        self.story = story
        clear(self._detail)
        if story is None:
            self._detail.addWidget(text("A coupon that is chosen on the left is shown here.", "muted", wrap=True))
            self._detail.addStretch(1)
            return
        coupon = story.coupon
        edit = button("&Edit …", lambda: self._enter(Entered.of(coupon)), tip="Correct or complete what is known of it")
        run = button(
            "&Measure it", lambda: self.measure.emit(coupon.id, coupon.lot), "primary", tip="Prepare a run of it"
        )
        self._detail.addLayout(row(text(coupon.id, "title"), None, edit, run))
        for name, said in specimens.facts(coupon, story.runs):
            self._detail.addWidget(text(f"{name}: {said}", wrap=True))
        results = [specimens.result_cells(one) for one in story.results]
        self._add("Results", "Nothing has been measured on it yet.", RESULTS, results)
        self._add("Runs", "It was in no run yet.", RUNS, [specimens.run_cells(one) for one in story.runs])
        replicates = [specimens.replicate_cells(one, story.results) for one in story.replicates]
        of_lot = f"Replicates of lot {coupon.lot}" if coupon.lot else "Replicates"
        self._add(of_lot, "Its lot has no valid results yet; indicative ones do not count.", REPLICATES, replicates)
        self._detail.addStretch(1)

    def _add(self, title: str, none: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        self._detail.addWidget(text(title, "heading"))
        if not rows:
            self._detail.addWidget(text(none, "muted", wrap=True))
            return
        made = table(title, heads, rows)
        line = made.verticalHeader().defaultSectionSize()
        made.setFixedHeight(made.horizontalHeader().sizeHint().height() + line * min(len(rows), 6) + 6)
        self._detail.addWidget(made)

    def _enter(self, known: Entered) -> None:
        dialog = CouponDialog(self, known, self._orders)
        dialog.entered.connect(self._write)
        dialog.open()

    def _write(self, entered: Entered) -> None:
        """Into the catalogue's ledger, with the operator's name."""
        data: Path = self._desk.data
        show(self.said, f"Entering {entered.id} …")
        self._wanted = entered.id

        def written(_: int) -> None:
            self.search.setText(entered.id)
            self.look()

        self._background.run("catalogue", partial(entered.write, data, self._orders.by), written, self._fail)

    def _lay_out(self) -> None:
        label = QLabel("S&can or find")
        label.setBuddy(self.search)
        new = button("&New coupon …", self.enter_new, tip="Enter a coupon")
        left, right = QWidget(), QWidget()
        column(label, self.search, row(self.lot, new), self.list, self.said, spacing=6, into=left)
        inside = QWidget()
        column(self._detail, margin=12, into=inside)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(inside)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setAccessibleName("What is known of the coupon")
        column(scroll, into=right)
        split = QSplitter()
        split.addWidget(left)
        split.addWidget(right)
        split.setSizes([360, 750])
        split.setChildrenCollapsible(False)
        column(split, into=self)
        set_kind(self.said, "muted")
        again = QShortcut(QKeySequence("Ctrl+F"), self)
        again.activated.connect(self.search.setFocus)


NONE: Final = "The catalogue has no coupons yet. A run enters its coupon by itself; New coupon enters one beforehand."


def _coupons() -> QTableWidget:
    made = table("Coupons", COUPONS, ())
    made.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    header = made.horizontalHeader()
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    return made


def _fill(list_: QTableWidget, rows: Sequence[Sequence[str]]) -> None:
    from labrig_ui.result_card import cell

    list_.clearSelection()
    list_.setRowCount(len(rows))
    for line, cells in enumerate(rows):
        for place, said in enumerate(cells):
            list_.setItem(line, place, cell(said))
