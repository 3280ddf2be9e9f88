"""What the order on the page would do, by rehearsal: drawn anew a moment after each change of the parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QVBoxLayout, QWidget

from labrig.clock import SECOND
from labrig.errors import LabrigError
from labrig.units import L, mL, round_significant, unit
from labrig.wire.documents import Checks, CurvePaper, ForetoldPaper, Ordered
from labrig_ui import words
from labrig_ui.bins import Bins
from labrig_ui.channels import shown
from labrig_ui.desk import Desk
from labrig_ui.orders import Orders
from labrig_ui.parts import clear, column, set_kind, show, stretch, text
from labrig_ui.theme import Theme

if TYPE_CHECKING:
    from labrig_ui.plots import Plot

PAUSE: Final = 900
"""ms without a change after which the order is rehearsed."""
DRAWN: Final = 2
EMPTY: Final = "A moment after each change the run is rehearsed on the rig's simulated twin and drawn here."
NO_TWIN: Final = "This rig has no simulated twin, so that nothing can be foretold."


class Foretold(QWidget):
    """Asks for rehearsals while it may: while the page is seen, and no run keeps the rig busy."""

    def __init__(self, desk: Desk, orders: Orders, theme: Theme, order: Callable[[], Ordered | None]) -> None:
        super().__init__()
        self._desk, self._orders, self._theme, self._order = desk, orders, theme, order
        self._asked: Ordered | None = None
        self._busy = False
        self.plots: tuple[Plot, ...] = ()
        self.said = text(EMPTY, "muted", wrap=True)
        self._column = QVBoxLayout()
        self._column.setSpacing(0)
        column(self.said, self._column, margin=4, spacing=4, into=self).setStretch(1, 1)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE)
        self._pause.timeout.connect(self._ask)
        theme.changed.connect(self._paint)

    def soon(self) -> None:
        """The order may be another one now."""
        if self._order() != self._asked:
            self._pause.start()

    def take(self, order: Ordered, checks: Checks) -> None:
        """What a rehearsal said of an order, by whomever it was asked."""
        self._asked = order
        failed = next((one.words for one in checks.checks if one.name in {"method", "rehearsal"} and not one.ok), "")
        self._draw(checks.foretold)
        if failed or checks.foretold is None:
            show(self.said, words.readable(failed, self._desk.names()) or NO_TWIN)
            set_kind(self.said, "bad" if failed else "muted")
            return
        show(self.said, summary(checks.foretold, checks.seconds), "By rehearsal")
        set_kind(self.said, "good")

    def _ask(self) -> None:
        order = self._order()
        if order is None or order == self._asked or self._desk.state != "safe":
            return
        page = self.parentWidget()
        if self._busy or page is None or not page.window().isVisible():
            self._pause.start()
            return
        self._busy = True
        show(self.said, "Rehearsing …")
        set_kind(self.said, "muted")
        self._orders.rehearse(order, lambda checks: self._answered(order, checks), self._failed)

    def _answered(self, order: Ordered, checks: Checks) -> None:
        self._busy = False
        self.take(order, checks)
        self.soon()

    def _failed(self, error: LabrigError) -> None:
        self._busy = False
        show(self.said, f"No rehearsal: {error}")
        set_kind(self.said, "caution")

    def _draw(self, foretold: ForetoldPaper | None) -> None:
        clear(self._column)
        self.plots = ()
        known = {one.name: one for one in (self._desk.description.channels if self._desk.description else ())}
        curves = [one for one in (foretold.curves if foretold is not None else ()) if one.channel in known][:DRAWN]
        if not curves:
            return
        from labrig_ui.plots import stack

        self.plots = stack([shown(known[one.channel]) for one in curves])
        for plot, curve in zip(self.plots, curves, strict=True):
            self._column.addWidget(stretch(plot), 1)
            plot.draw(bins_of(curve), 0)
            plot.setXRange(0, max(1.0, curve.times[-1]), padding=0.01)
        self._paint()

    def _paint(self) -> None:
        for place, plot in enumerate(self.plots):
            plot.paint_with(self._theme.tokens, self._theme.tokens.curve(place))


def summary(foretold: ForetoldPaper, seconds: float) -> str:
    """``37 s, up to 30.0 psi, 117 mL of water``."""
    parts = [words.duration(seconds)]
    if foretold.highest > 0:
        parts.append(f"up to {unit('psi').from_si(foretold.highest):.1f} psi")
    amount, symbol = (foretold.water / mL, "mL") if foretold.water < L else (foretold.water / L, "L")
    parts.append(f"{round_significant(amount, 3)} {symbol} of water")
    return ", ".join(parts)


def bins_of(curve: CurvePaper) -> Bins:
    """As a plot draws them, from the start at 0."""
    values = np.array(curve.values, float)
    return Bins(np.array(np.array(curve.times) * SECOND, np.int64), values, values, values)
