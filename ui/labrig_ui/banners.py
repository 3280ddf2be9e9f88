"""What a person should know now, above every page: no server, a trip, a warning, a forecast, an order that failed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from PySide6.QtWidgets import QFrame, QLabel, QSizePolicy, QVBoxLayout, QWidget

from labrig_ui import words
from labrig_ui.desk import GONE, Desk
from labrig_ui.orders import Orders
from labrig_ui.parts import button, drop, row, set_kind, show, text

FEED_EMPTY: Final = "feed empty"
"""How the server's forecast of the feed's end begins."""
REFILLED: Final = "Press it when the feed vessel is full again: its end is forecast anew from a full vessel"


@dataclass(frozen=True, slots=True)
class Banner:
    """One line, bad or to be taken care of."""

    words: str
    bad: bool
    can_go: bool = False
    """Whether a person may put it away."""
    refill: bool = False
    """Whether it foretells the end of the feed, which somebody can fill again."""


class Banners(QWidget):
    """A column of lines; empty it takes no room."""

    def __init__(self, desk: Desk, orders: Orders) -> None:
        super().__init__()
        self._desk, self._orders = desk, orders
        self._labels: list[QLabel] = []
        self._said: tuple[Banner, ...] = ()
        self._shown: tuple[Banner, ...] = ()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(12, 0, 12, 0)
        self._column.setSpacing(4)
        desk.status_changed.connect(self.refresh)
        desk.attachment_changed.connect(self.refresh)
        self.refresh()

    def say(self, said: str, *, bad: bool = True, instead: str = "") -> None:
        """Show something that failed, or to be taken care of, until a person puts it away.

        It stands in place of earlier lines that begin with ``instead``, or are the same.
        """
        others = (one for one in self._said if not one.words.startswith(instead or said))
        self._said = (*others, Banner(said, bad, True))[-3:]
        self.refresh()

    @property
    def shown(self) -> tuple[str, ...]:
        return tuple(banner.words for banner in self._shown)

    def refresh(self) -> None:
        wanted = (*_of(self._desk), *self._said)
        if wanted == self._shown:
            return
        kept = _alike(self._shown, wanted)
        self._shown = wanted
        while self._column.count() > kept:
            drop(self._column, kept)
        del self._labels[kept:]
        for banner in wanted[kept:]:
            self._column.addWidget(self._line(banner))
        for label, banner in zip(self._labels, wanted, strict=True):
            show(label, banner.words, "Alarm" if banner.bad else "Warning")
        self.setVisible(bool(wanted))

    def _line(self, banner: Banner) -> QFrame:
        frame = QFrame()
        set_kind(frame, "banner-bad" if banner.bad else "banner-caution")
        label = text(wrap=True)
        self._labels.append(label)
        parts: list[QWidget] = [label]
        if banner.refill:
            parts.append(button("Feed was refi&lled", self._orders.refilled, tip=REFILLED))
        if banner.can_go:
            parts.append(button("Put away", lambda: self._forget(banner.words), name=f"Put away: {banner.words}"))
        row(*parts, margin=6, into=frame)
        label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        return frame

    def _forget(self, said: str) -> None:
        self._said = tuple(one for one in self._said if one.words != said)
        self.refresh()


def _of(desk: Desk) -> tuple[Banner, ...]:
    """What the rig's picture calls for."""
    status = desk.status
    if desk.state == GONE:
        if not desk.rig:
            return ()
        return (Banner(f"No rig server answers for {desk.rig}: {desk.gone_because}", bad=True),)
    if status is None:
        return ()
    reason = words.readable(status.reason, desk.names())
    tripped = (Banner(f"Tripped: {reason}. The outputs are safe.", bad=True),) if desk.state == "tripped" else ()
    cautions = "  ·  ".join(words.readable(said, desk.names()) for said in (*status.warnings, *status.forecasts))
    refill = any(said.startswith(FEED_EMPTY) for said in status.forecasts)
    return (*tripped, Banner(cautions, bad=False, refill=refill)) if cautions else tripped


def _alike(before: tuple[Banner, ...], now: tuple[Banner, ...]) -> int:
    """How many of the first lines keep their widgets: a button keeps still while the words beside it count down."""
    same = (_shape(one) == _shape(other) for one, other in zip(before, now, strict=False))
    return sum(1 for _ in takewhile(bool, same))


def _shape(banner: Banner) -> tuple[object, ...]:
    """What its widgets follow from; a line that can be put away keeps its words."""
    return banner.bad, banner.refill, banner.can_go and banner.words
