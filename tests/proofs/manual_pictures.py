"""The pictures of the manual, in docs/images: the desktop with a real rig server and the simulated rig.

    python -m tests.proofs.manual_pictures [FOLDER]

Starts Xvfb (Debian: apt-get install xvfb) and plays a first day in it: a rig is started, a run ordered and checked,
held, resumed and filed; a second run asks its question and trips. Takes about three minutes. Look at the pictures.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRect
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtWidgets import QPushButton

from labrig.endpoint import known_rigs, read_endpoint
from labrig_ui.main_window import ORDER, RESULTS
from tests.proofs.desktop_screens import Visit, screen

if TYPE_CHECKING:
    from labrig_ui.app import Desktop

IMAGES: Final = Path(__file__).resolve().parents[2] / "docs" / "images"
SIZE: Final = "1280x800"
LARGEST: Final = 200_000
"""Bytes of one picture."""
PATIENCE: Final = 600.0
"""Seconds that a step of the day may take; a crowded machine needs them."""
GAP: Final = 12
"""px between two states."""
SHORT: Final = {"no_flow": "0 s", "zero": "1 s", "settle": "0 s", "soak": "0 s", "purge": "0 s", "compaction": "0 %"}
"""What makes the full procedure ask at once, and go on without waiting."""


def main() -> int:
    """Start the screen, and this program again inside it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=IMAGES)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.inside:
        with tempfile.TemporaryDirectory(prefix="labrig-") as data:
            play(options.folder, Path(data))
        return 0
    with screen(SIZE) as display:
        environment = os.environ | {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "QT_SCALE_FACTOR": "1"}
        command = [sys.executable, "-m", "tests.proofs.manual_pictures", *sys.argv[1:], "--inside"]
        return subprocess.run(command, env=environment, check=False).returncode


def play(folder: Path, data: Path) -> None:
    """The day, and its pictures."""
    from PySide6.QtWidgets import QApplication

    from labrig_ui.app import Desktop
    from labrig_ui.theme import Choice

    desktop = Desktop(QApplication(["labrig"]), data)
    desktop.theme.choose(Choice.LIGHT)
    desktop.window.setGeometry(desktop.window.screen().geometry())
    desktop.window.show()
    day = Day(desktop, folder, data)
    try:
        for part in (day.switch_on, day.order, day.watch, day.read_result, day.be_asked, day.trip, day.lose_server):
            part()
        day.save_states()
    finally:  # a day that ends early leaves no rig behind
        rig = desktop.desk.rig
        desktop.close()
        if rig in known_rigs(data):
            command = [sys.executable, "-m", "labrig.cli", "down", rig, "--data", str(data)]
            subprocess.run(command, check=False, timeout=60)


class Day:
    """What a technician does, in order."""

    def __init__(self, desktop: Desktop, folder: Path, data: Path) -> None:
        self.window, self.desk, self.orders = desktop.window, desktop.desk, desktop.orders
        self.visit, self.folder, self.data = Visit(desktop, folder), folder, data
        self.states: list[QPixmap] = []

    def switch_on(self) -> None:
        self.until(self.window.rig_page.rig.currentText)  # the list is read once the window is there
        self.window.rig_page.start_server()
        rig = self.window.rig_page
        self.until(lambda: self.desk.state == "safe" or rig.said.text().startswith("The rig did not"))
        if self.desk.state != "safe":
            sys.exit(rig.said.text())
        self.until(self.window.order_page.method.count)
        self.until(lambda: self.desk.status is not None and self.desk.status.safe_to_open)
        self.keep_state()

    def order(self) -> None:
        self.window.go(ORDER)
        page = self.window.order_page
        page.method.setCurrentText("quick-permeability")
        page.coupon.edit.setText("C-17")
        page.lot.edit.setText("L-3")
        page.operator.edit.setText("bench")
        page.run_checks()
        self.until(page.start.isEnabled)
        self.save("desktop-order")
        page.start_run()

    def watch(self) -> None:
        self.until(lambda: len(self.desk.spans) >= 2)
        self.visit.spend(8)
        self.save("desktop-live")
        self.keep_state()
        self.orders.hold()
        self.until(lambda: self.desk.state == "hold")
        self.keep_state()
        self.orders.resume()

    def read_result(self) -> None:
        card = self.window.runs_page.card
        self.until(lambda: card.run is not None and card.run.analysis)
        self.visit.spend(2)
        self.window.go(RESULTS)
        self.save("desktop-result")

    def be_asked(self) -> None:
        self.window.next_specimen()
        page = self.window.order_page
        page.method.setCurrentText("full-permeability")
        page.coupon.edit.setText("C-18")
        for name, typed in SHORT.items():
            page.form.set_text(name, typed)
        page.run_checks()
        self.until(page.start.isEnabled)
        page.start_run()
        self.until(lambda: self.window.question.buttons)
        self.save("desktop-question")
        self.window.question.buttons[0].click()

    def trip(self) -> None:
        from labrig_instruments.simulated.control import Control

        self.until(lambda: self.desk.run is not None and self.desk.run.step.endswith("psi"))
        with Control(read_endpoint(self.data, self.desk.rig).control) as simulated:
            simulated.set_fault("over-pressure", pressure="100 psi")
            self.until(lambda: self.desk.state == "tripped")
            self.keep_state()
            simulated.clear_faults()

    def lose_server(self) -> None:
        self.orders.shutdown()
        self.until(lambda: self.desk.state == "gone")
        self.keep_state()

    def until(self, holds: Callable[[], object]) -> None:
        end = time.monotonic() + PATIENCE
        while not holds():
            if time.monotonic() > end:
                said = self.window.rig_page.said.text() or self.window.order_page.why.text()
                sys.exit(f"waited {PATIENCE:g} s in vain; the rig is {self.desk.state}: {said}")
            self.visit.spend(0.05)

    def tidy(self) -> None:
        """Let the page settle, and put away what a crowded machine made the window say."""
        self.visit.spend(0.5)
        for made in self.window.banners.findChildren(QPushButton):
            if made.text() == "Put away":
                made.click()
        self.visit.spend(0.1)

    def save(self, name: str) -> None:
        self.tidy()
        self.write(name, self.window.screen().grabWindow(0))

    def write(self, name: str, picture: QPixmap) -> None:
        path = self.folder / f"{name}.png"
        picture.save(str(path), quality=0)
        size = path.stat().st_size
        print(f"{path.name}  {picture.width()} x {picture.height()}  {size / 1000:.0f} kB", flush=True)
        if size > LARGEST:
            sys.exit(f"{path.name} is larger than {LARGEST / 1000:.0f} kB")

    def keep_state(self) -> None:
        """The head of the window as it is now."""
        self.tidy()
        frame, banners = self.window.frame, self.window.banners
        below = banners.geometry().bottom() if banners.isVisible() else self.window.state.geometry().bottom()
        self.states.append(frame.grab(QRect(0, 0, frame.width(), below + 4)))

    def save_states(self) -> None:
        """All heads in one picture, one below the other."""
        height = sum(one.height() + GAP for one in self.states) - GAP
        whole = QPixmap(self.states[0].width(), height)
        whole.fill("white")
        painter, top = QPainter(whole), 0
        for one in self.states:
            painter.drawPixmap(0, top, one)
            top += one.height() + GAP
        painter.end()
        self.write("desktop-states", whole)


if __name__ == "__main__":
    sys.exit(main())
