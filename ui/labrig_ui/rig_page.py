"""The page that chooses a rig: those whose server has been started, and how to start another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QFileDialog,
    QListWidget,
    QPlainTextEdit,
    QScrollArea,
    QSplitter,
    QWidget,
)

from labrig.clock import SECOND, monotonic
from labrig.endpoint import known_rigs
from labrig.errors import LabrigError
from labrig_ui.about_rig import AboutRig
from labrig_ui.background import Background
from labrig_ui.desk import Desk
from labrig_ui.orders import Orders
from labrig_ui.parts import add_field, button, card, choice, column, form, row, set_kind, show, text
from labrig_ui.starting import PATIENCE, Starting, log_of, name_of, up_command

LOOK: Final = 500
"""ms between two looks at a server that is starting, and at the list of servers."""
FIRST: Final = "bench-25"
"""The shipped rig that is offered first."""
Command = Callable[[str, Path, str], tuple[str, ...]]


class RigPage(QWidget):
    """Connection to a rig server, and what that rig has."""

    def __init__(self, desk: Desk, orders: Orders, background: Background, command: Command = up_command) -> None:
        super().__init__()
        self._desk, self._background, self._command = desk, background, command
        self._starting: Starting | None = None
        self._begun = 0
        self.servers = QListWidget()
        self.servers.setAccessibleName("Rigs that are up")
        self.servers.setMaximumHeight(100)
        self.servers.itemActivated.connect(lambda item: desk.choose(item.text()))
        self.none = text(
            "None is up yet. Start one below: the rigs that labrig brings along are simulated and need no hardware.",
            "muted",
            wrap=True,
        )
        self.attach = button("Connec&t", self.attach_chosen, tip="Show the rig that is chosen in the list")
        self.detach = button("&Disconnect", desk.leave, tip="Stop watching; the rig and its run go on")
        self.rig = choice("Rig to start")
        self.membrane = choice("Membrane in the simulated rig")
        self.membrane.addItem("as the rig file says", "")
        self.start = button(
            "&Start this rig",
            self.start_server,
            "primary",
            tip="Start its server, which keeps it and its run (labrig up)",
        )
        self.start.setEnabled(False)
        self.progress = QPlainTextEdit()
        self.progress.setReadOnly(True)
        self.progress.setAccessibleName("What starting the server says")
        self.progress.setTabChangesFocus(True)
        self.progress.setFixedHeight(130)
        self.progress.setPlaceholderText("Nothing said yet …")
        self.progress.hide()
        self.said = text(wrap=True)
        self.about = AboutRig(desk, orders)
        self._lay_out(desk)
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK)
        self._timer.timeout.connect(self._look)
        self._timer.start()
        desk.attachment_changed.connect(self.refresh)
        self.refresh()
        background.run("files", _shipped, self._offer, self._fail)

    def _offer(self, shipped: tuple[tuple[str, ...], tuple[str, ...]]) -> None:
        rigs, membranes = shipped
        self.rig.addItems(list(rigs))
        self.rig.setCurrentText(FIRST)
        for name in membranes:
            self.membrane.addItem(name, name)
        self.start.setEnabled(self._starting is None)

    def attach_chosen(self) -> None:
        item = self.servers.currentItem()
        if item is not None:
            self._desk.choose(item.text())

    def choose_file(self) -> None:
        """A rig file of one's own, beside the shipped ones."""
        name, _ = QFileDialog.getOpenFileName(self, "Rig file", str(Path.home()), "Rig files (*.toml)")
        if name:
            self.rig.addItem(name)
            self.rig.setCurrentText(name)

    def start_server(self) -> None:
        """Check the rig file in the background, then start ``labrig up`` and wait for its server."""
        wanted, membrane, data = self.rig.currentText(), str(self.membrane.currentData()), self._desk.data
        self.start.setEnabled(False)
        self._tell(f"Reading {wanted} …", "muted")

        def begin() -> Starting:
            name = name_of(wanted)
            return Starting(self._command(wanted, data, membrane), name, log_of(name, data))

        self._background.run("files", begin, self._begin, self._fail)

    def refresh(self) -> None:
        known = known_rigs(self._desk.data)
        if [self.servers.item(place).text() for place in range(self.servers.count())] != list(known):
            chosen = self._desk.rig
            self.servers.clear()
            self.servers.addItems(list(known))
            self.servers.setCurrentRow(known.index(chosen) if chosen in known else 0)
        self.none.setVisible(not known)
        self.servers.setVisible(bool(known))
        place = self.servers.currentRow()
        self.attach.setEnabled(place >= 0 and known[place] != self._desk.rig)
        self.detach.setEnabled(bool(self._desk.rig))

    def _look(self) -> None:
        if self._starting is not None:
            self._watch_start(self._starting)
        if self.isVisible():
            self.refresh()

    def _begin(self, starting: Starting) -> None:
        self._starting, self._begun = starting, monotonic()
        self.progress.clear()
        self.progress.show()
        self._tell(f"Starting {starting.rig}; this takes some seconds …", "muted")

    def _watch_start(self, starting: Starting) -> None:
        if starting.words != self.progress.toPlainText():
            self.progress.setPlainText(starting.words)
        waited = (monotonic() - self._begun) / SECOND
        if starting.up:
            self._end()
            self.progress.hide()
            self._tell(f"{starting.rig} is up. Go on with New run (Ctrl+2).", "good")
            self._desk.choose(starting.rig)
        elif starting.failed:
            self._fail(LabrigError(starting.failed))
        elif waited > PATIENCE:
            self._fail(LabrigError(f"it has not answered within {PATIENCE:.0f} s; see: labrig status"))

    def _fail(self, error: LabrigError) -> None:
        self._end()
        self._tell(f"The rig did not start: {error}", "bad")

    def _end(self) -> None:
        if self._starting is not None:
            self._starting.forget()
        self._starting = None
        self.start.setEnabled(True)

    def _tell(self, words: str, kind: str) -> None:
        show(self.said, words)
        set_kind(self.said, kind)

    def _lay_out(self, desk: Desk) -> None:
        folder = text(f"Data folder: {desk.data}", "hint", wrap=True)
        fields = form()
        add_field(fields, "R&ig", self.rig)
        add_field(fields, "Me&mbrane", self.membrane)
        file = button("Rig fil&e …", self.choose_file, tip="A rig file of your own")
        left = QWidget()
        column(
            card(
                text("Rigs that are up", "heading"),
                self.none,
                self.servers,
                row(None, self.detach, self.attach),
                folder,
            ),
            card(text("Start a rig", "heading"), fields, row(file, None, self.start), self.said, self.progress),
            None,
            into=left,
        )
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(self.about)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setAccessibleName("About the rig")
        split = QSplitter()
        split.addWidget(left)
        split.addWidget(scroll)
        split.setSizes([470, 620])
        split.setChildrenCollapsible(False)
        column(split, into=self)


def _shipped() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Rigs and membranes that labrig brings along; what reads them is not imported before the window stands."""
    from labrig.config import shipped_rigs
    from labrig.plant import shipped_membranes

    return tuple(shipped_rigs()), tuple(sorted(shipped_membranes()))
