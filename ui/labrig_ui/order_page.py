"""The page that prepares a run: specimen, method, parameters, checks, Start."""

from __future__ import annotations

from typing import Final, Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QScrollArea, QSplitter, QTabWidget, QWidget

from labrig.errors import LabrigError
from labrig.wire.documents import Checks, MethodPaper, Ordered, Started
from labrig_ui import words
from labrig_ui.checks import CheckList
from labrig_ui.desk import Desk
from labrig_ui.foretold import Foretold
from labrig_ui.form import Form, NameLine
from labrig_ui.orders import Orders
from labrig_ui.parts import add_field, button, card, choice, column, form, row, set_kind, show, text
from labrig_ui.theme import Theme

Side = Literal["skin-up", "support-up"]
FIRST: Final = "quick-permeability"
"""For whoever opens the page for the first time: it takes less than a minute."""
SIDES: Final[dict[str, Side]] = {"Skin towards the feed": "skin-up", "Support towards the feed": "support-up"}


class OrderPage(QWidget):
    """Start is allowed only for what was checked, and only while the rig is safe."""

    started = Signal(object)
    """`Started`"""

    def __init__(self, desk: Desk, orders: Orders, theme: Theme) -> None:
        super().__init__()
        self._desk, self._orders = desk, orders
        self._checked: tuple[Ordered, Checks] | None = None
        self._busy = ""
        self.usual = FIRST
        """Method that is chosen where a rig offers it."""
        self.coupon = NameLine("Coupon", "the specimen's identifier (type or scan it)", needed=True)
        self.lot = NameLine("Lot", "the lot", needed=False)
        self.operator = NameLine("Operator", "who runs it", needed=True)
        self.operator.edit.setText(orders.by)
        self.side = choice("Orientation")
        self.side.addItems(list(SIDES))
        self.method = choice("Method")
        self.attended = QCheckBox("Stop the run when &no desktop watches it")
        self.attended.setAccessibleName("Attended run")
        self.about = text(kind="hint", wrap=True)
        self.form = Form()
        self.checks = CheckList(theme)
        self.foretold = Foretold(desk, orders, theme, self._to_rehearse)
        self.check = button("&Check", self.run_checks, tip="Look whether the run can be started; rehearses it (F5)")
        self.start = button("&Start", self.start_run, "primary", tip="Start the run (Ctrl+Enter)")
        self.check.setShortcut("F5")
        self.start.setShortcut("Ctrl+Return")
        self.why = text(kind="muted", wrap=True)
        self._lay_out()
        for line in (self.coupon, self.lot, self.operator):
            line.changed.connect(self.refresh)
        self.form.changed.connect(self.refresh)
        self.form.changed.connect(self.foretold.soon)
        self.side.currentIndexChanged.connect(lambda _: self.refresh())
        self.attended.toggled.connect(lambda _: self.refresh())
        self.method.currentIndexChanged.connect(lambda _: self._method_chosen())
        desk.status_changed.connect(self.refresh)
        desk.attachment_changed.connect(self._offer_methods)
        self._offer_methods()

    def order(self) -> Ordered | None:
        """What the fields say; None while something is missing or wrong."""
        names = (self.coupon, self.lot, self.operator)
        if any(line.error for line in names) or self.form.errors() or not self.method.currentText():
            return None
        return Ordered(
            method=self.method.currentText(),
            changes=self.form.changes(),
            coupon=self.coupon.words,
            lot=self.lot.words,
            operator=self.operator.words,
            orientation=SIDES[self.side.currentText()],
            attended=self.attended.isChecked(),
        )

    def begin(self) -> None:
        """The page is opened: typing or scanning goes into the coupon's field where it is empty."""
        if not self.coupon.words:
            self.coupon.setFocus()
        self.foretold.soon()

    def next_specimen(self) -> None:
        """The same method again, on another coupon."""
        self.coupon.edit.clear()
        self._checked = None
        self.checks.clear()
        self.refresh()
        self.coupon.setFocus()

    def take_specimen(self, coupon: str, lot: str) -> None:
        """Another coupon, as the catalogue has it."""
        self.next_specimen()
        self.coupon.edit.setText(coupon)
        self.lot.edit.setText(lot)
        self.method.setFocus()

    def run_checks(self) -> None:
        order = self.order()
        if order is None or self._busy:
            return
        self._orders.by = order.operator
        self._busy = "Checking; the run is rehearsed, which may take a while …"
        self._checked = None
        self.checks.clear()
        self.leaves.setCurrentIndex(0)
        self.refresh()
        self._orders.preflight(order, lambda checks: self._were_checked(order, checks), self._refused)

    def start_run(self) -> None:
        order = self.order()
        if order is None or not self._may_start(order):
            return
        self._busy = "Starting …"
        self.refresh()
        self._orders.start(order, self._was_started, self._refused)

    def refresh(self) -> None:
        """What may be pressed now, and why not."""
        order = self.order()
        there = self._desk.server is not None and self._desk.status is not None
        self.check.setEnabled(order is not None and there and not self._busy)
        may = order is not None and self._may_start(order)
        self.start.setEnabled(may)
        show(self.why, self._why(order, there=there))
        if self._checked is not None and order != self._checked[0]:
            self.checks.outdate()

    def _to_rehearse(self) -> Ordered | None:
        """The order, with names that it still lacks made up: what a run does depends on none of them."""
        if not self.isVisible() or self.form.errors() or not self.method.currentText():
            return None
        return self.order() or Ordered(
            method=self.method.currentText(), changes=self.form.changes(), coupon="rehearsal", operator="rehearsal"
        )

    def _may_start(self, order: Ordered) -> bool:
        checked = self._checked is not None and self._checked[0] == order and self._checked[1].ok
        return checked and not self._busy and self._desk.state == "safe"

    def _why(self, order: Ordered | None, *, there: bool) -> str:
        if self._busy:
            return self._busy
        if not there:
            return "No rig server answers. Choose or start a rig on the Rig page (Ctrl+1)."
        return self._what_is_wrong() if order is None else self._what_is_next(order)

    def _what_is_wrong(self) -> str:
        wrong = (*(line.error for line in (self.coupon, self.operator, self.lot)), *self.form.errors().values())
        return next((error for error in wrong if error), "This rig offers no method.")

    def _what_is_next(self, order: Ordered) -> str:
        if self._checked is None or self._checked[0] != order:
            return "Check first (F5): Start is allowed for what was checked."
        if not self._checked[1].ok:
            return "A check failed. Mend it, then check again."
        if self._desk.state != "safe":
            return f"The rig is {words.STATE_WORDS[self._desk.state].lower()}; a run starts from SAFE only."
        seconds = self._checked[1].seconds
        return f"Ready. The run takes about {words.duration(seconds)}." if seconds else "Ready."

    def _were_checked(self, order: Ordered, checks: Checks) -> None:
        self._busy = ""
        self._checked = order, checks
        self.checks.show_checks(checks)
        self.foretold.take(order, checks)
        self.refresh()
        if checks.ok and self.start.isEnabled():
            self.start.setFocus()

    def _was_started(self, started: Started) -> None:
        self._busy = ""
        self._checked = None
        self.checks.clear()
        self.refresh()
        self.started.emit(started)

    def _refused(self, error: LabrigError) -> None:
        self._busy = ""
        self.checks.show_refusal(str(error))
        self.refresh()

    def _offer_methods(self) -> None:
        methods = self._desk.description.methods if self._desk.description is not None else ()
        names = [method.name for method in methods]
        if names != [self.method.itemText(place) for place in range(self.method.count())]:
            self.method.blockSignals(True)
            self.method.clear()
            self.method.addItems(names)
            self.method.setCurrentText(self.usual)
            self.method.blockSignals(False)
            self._method_chosen()
        self._checked = None
        self._busy = ""
        self.checks.clear()
        self.refresh()

    def _method_chosen(self) -> None:
        method = self._chosen()
        self.form.show_method(method)
        self.attended.setChecked(method.attended if method is not None else True)
        self.foretold.soon()
        show(self.about, f"{method.title}, version {method.version}. {method.description}" if method else "")
        self.refresh()

    def _chosen(self) -> MethodPaper | None:
        methods = self._desk.description.methods if self._desk.description is not None else ()
        return next((method for method in methods if method.name == self.method.currentText()), None)

    def _lay_out(self) -> None:
        specimen = form()
        labelled = (("C&oupon", self.coupon), ("&Lot", self.lot), ("O&perator", self.operator))
        for label, widget in labelled:
            add_field(specimen, label, widget)
        add_field(specimen, "Or&ientation", self.side)
        which = form()
        add_field(which, "&Method", self.method)
        restore = button("Restore the method's &values", self.form.restore)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(self.form)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setAccessibleName("Parameters of the method")
        left = QWidget()
        self.leaves = QTabWidget()
        self.leaves.setAccessibleName("Checks and rehearsal")
        self.leaves.tabBar().setAccessibleName("Checks and rehearsal")
        self.leaves.addTab(self.checks, "Checks")
        self.leaves.addTab(self.foretold, "Rehearsal")
        below = card(self.leaves, self.why, row(None, self.check, self.start))
        column(card(text("Specimen", "heading"), specimen), below, into=left).setStretch(1, 1)
        right = card(text("Method", "heading"), which, self.about, self.attended, scroll, row(None, restore))
        split = QSplitter()
        split.addWidget(left)
        split.addWidget(right)
        split.setSizes([520, 560])
        split.setChildrenCollapsible(False)
        column(split, into=self)
        set_kind(self.why, "muted")
