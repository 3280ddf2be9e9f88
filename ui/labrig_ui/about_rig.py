"""What the attached rig has: channels with ranges and limits, outputs, methods, where its runs go."""

from __future__ import annotations

from typing import Final

from PySide6.QtWidgets import QFrame, QVBoxLayout

from labrig.units import unit
from labrig.wire.documents import ChannelPaper, Description, OutputPaper
from labrig_ui.confirm import Confirm
from labrig_ui.desk import Desk
from labrig_ui.orders import Orders
from labrig_ui.parts import button, clear, row, set_kind, text
from labrig_ui.result_card import table

FIRST_STEPS: Final = (
    "1.  Start this rig, on the left: bench-25 is simulated, and can break nothing.",
    "2.  New run (Ctrl+2): type a coupon, look at the rehearsal, then Check and Start.",
    "3.  Live (Ctrl+3) shows the run; STOP or Esc makes the rig safe at any time.",
    "4.  Results (Ctrl+4) opens by itself when the run is over: the value, its uncertainty, and why.",
)
LATER: Final = "What the rig measures and moves stands here, once it is connected."


class AboutRig(QFrame):
    """Read from the server's description; says plainly when there is none."""

    def __init__(self, desk: Desk, orders: Orders) -> None:
        super().__init__()
        self._desk, self._orders = desk, orders
        self._shown: tuple[Description | None, bool] | None = None
        set_kind(self, "card")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(14, 12, 14, 12)
        desk.attachment_changed.connect(self.refresh)
        desk.status_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        description, there = self._desk.description, self._desk.server is not None
        if (description, there) == self._shown:
            return
        self._shown = description, there
        clear(self._column)
        if description is None:
            self._column.addWidget(text("Your first measurement", "heading"))
            for step in FIRST_STEPS:
                self._column.addWidget(text(step, wrap=True))
            self._column.addWidget(text(LATER, "muted", wrap=True))
            self._column.addStretch(1)
            return
        self._fill(description)
        end = button("Sh&ut this rig down …", self.shut_down, tip="The rig is left safe")
        end.setEnabled(there)
        self._column.addLayout(row(None, end))

    def shut_down(self) -> None:
        """Ask once more, then end the server."""
        running = self._desk.run is not None
        words = (
            "The run is stopped, the rig is made safe and its server ends."
            if running
            else ("The rig is left safe and its server ends.")
        )
        asked = Confirm(self, "Shut this rig down?", words, "Shut &down", self._orders)
        asked.agreed.connect(self._orders.shutdown)
        asked.open()

    def _fill(self, description: Description) -> None:
        add = self._column.addWidget
        add(text(description.rig, "title"))
        if description.description:
            add(text(description.description, wrap=True))
        kind = "Simulated rig" if description.simulated else "Real rig"
        cell = f"cell {description.cell}, exposed diameter {unit('mm').show(description.exposed_diameter)}"
        add(text(f"{kind}; {cell}; labrig {description.version}", "muted", wrap=True))
        add(text(f"Rig file: {description.rig_file}", "hint", wrap=True))
        add(text(f"Run files: {description.folder}", "hint", wrap=True))
        channels = table(
            "Channels", ("Measured", "Range", "Trips", "Used as"), [_channel(one) for one in description.channels]
        )
        outputs = table(
            "Outputs", ("Output", "Kind", "Range", "Used as"), [_output(one) for one in description.outputs]
        )
        self._column.addWidget(channels, 3)
        self._column.addWidget(outputs, 2)
        for method in description.methods:
            add(text(f"Method {method.name} {method.version}: {method.title}", wrap=True))


def _channel(channel: ChannelPaper) -> tuple[str, str, str, str]:
    own = unit(channel.unit)
    above = f"above {own.show(channel.guarded_high)}" if channel.guarded_high is not None else ""
    below = f"below {own.show(channel.guarded_low)}" if channel.guarded_low is not None else ""
    trips = ", ".join(one for one in (below, above) if one) or "–"
    return channel.label or channel.name, _range(channel), trips, channel.role.replace("_", " ") or "–"


def _output(output: OutputPaper) -> tuple[str, str, str, str]:
    span = "open, closed" if output.kind == "valve" else _range(output)
    return output.name.replace("_", " ").capitalize(), output.kind.capitalize(), span, output.role or "–"


def _range(one: ChannelPaper | OutputPaper) -> str:
    own = unit(one.unit)
    return f"{own.from_si(one.low):.6g} to {own.from_si(one.high):.6g} {own.symbol}"
