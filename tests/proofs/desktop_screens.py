"""Pictures of every page of the desktop, on a real X screen, a real rig server and the simulated rig.

    python tests/proofs/desktop_screens.py FOLDER [--size 1280x800] [--scale 1] [--colours light]

Starts Xvfb (Debian: apt-get install xvfb), opens the desktop in it, starts a rig server by the desktop's own button,
runs a method and writes a picture at each stage. Prints the frames a second and the share of a processor that the live
page took. Look at the pictures: no program sees that a word is cut off.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDialog

if TYPE_CHECKING:
    from labrig_ui.app import Desktop

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 180.0


def main() -> int:
    """Start the screen, and this program again inside it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", default="1280x800")
    parser.add_argument("--scale", default="1")
    parser.add_argument("--colours", default="light", choices=("light", "dark"))
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.inside:
        with tempfile.TemporaryDirectory() as data:
            photograph(options.folder, options.colours, Path(data))
        return 0
    with screen(options.size) as display:
        environment = os.environ | {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "QT_SCALE_FACTOR": options.scale}
        command = [sys.executable, str(Path(__file__).resolve()), *sys.argv[1:], "--inside"]
        return subprocess.run(command, env=environment, check=False).returncode


@contextmanager
def screen(size: str) -> Iterator[str]:
    """An X server without a monitor; yields its display."""
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{size}x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=(writing,), stderr=subprocess.DEVNULL)
    os.close(writing)
    with os.fdopen(reading) as said:
        number = said.readline().strip()
    try:
        yield f":{number}"
    finally:
        server.terminate()
        server.wait()


def photograph(folder: Path, colours: str, data: Path) -> None:
    """One run, from no server to the result."""
    from PySide6.QtWidgets import QApplication

    from labrig.endpoint import known_rigs
    from labrig_ui.app import Desktop
    from labrig_ui.theme import Choice

    desktop = Desktop(QApplication(["labrig"]), data)
    desktop.theme.choose(Choice(colours))
    desktop.window.setGeometry(desktop.window.screen().geometry())
    desktop.window.show()
    visit = Visit(desktop, folder)
    try:
        for stage in (visit.rig, visit.order, visit.live, visit.result, visit.gone):
            stage()
    finally:  # a visit that waits in vain leaves no rig behind
        rig = desktop.desk.rig
        desktop.close()
        if rig in known_rigs(data):
            command = [sys.executable, "-m", "labrig.cli", "down", rig, "--data", str(data)]
            subprocess.run(command, check=False, timeout=60)


class Visit:
    """Goes through the window as a person would, and takes pictures."""

    def __init__(self, desktop: Desktop, folder: Path) -> None:
        self.desktop, self.window, self.desk, self.folder = desktop, desktop.window, desktop.desk, folder

    def rig(self) -> None:
        self.picture("01-no-rig", page=0)
        self.window.rig_page.start_server()
        self.spend(1.5)
        self.picture("02-starting")
        self.until(lambda: self.desk.state == "safe")
        self.picture("03-rig", page=0)
        self.picture("04-no-runs", page=3)

    def order(self) -> None:
        order = self.window.order_page
        order.coupon.edit.setText("M-0421/7")
        order.method.setCurrentText("full-permeability")
        order.leaves.setCurrentIndex(1)
        self.window.go(1)
        self.until(lambda: order.foretold.plots)
        self.picture("05-rehearsal")
        order.method.setCurrentText("quick-permeability")
        order.leaves.setCurrentIndex(0)
        order.form.set_text("zero", "5")
        self.picture("05-mistakes", page=1)
        order.form.restore()
        order.coupon.edit.setText("M-0421-7")
        order.lot.edit.setText("L-0421")
        order.operator.edit.setText("bench")
        order.run_checks()
        self.until(order.start.isEnabled)
        self.picture("06-checked")
        order.start_run()
        self.until(lambda: self.desk.run is not None)

    def live(self) -> None:
        page = self.window.live_page
        self.until(lambda: len(self.desk.spans) >= 2)
        before, frames, used = time.monotonic(), page.frames, time.process_time()
        self.spend(8)
        seconds = time.monotonic() - before
        share = (time.process_time() - used) / seconds
        print(f"live page: {(page.frames - frames) / seconds:.1f} frames/s, {share:.0%} of a processor", flush=True)
        self.picture("07-live")
        self.desktop.orders.hold()
        self.until(lambda: self.desk.state == "hold")
        self.window.close()
        self.picture("08-hold-and-close")
        self.put_away()
        self.desktop.orders.resume()

    def result(self) -> None:
        card = self.window.runs_page.card
        self.until(lambda: card.run is not None and card.run.analysis)
        self.spend(2)
        self.picture("09-result", page=3)
        tabs = self.window.runs_page.tabs
        for place, name in ((1, "plateaus"), (2, "curves"), (3, "anomalies"), (4, "further"), (0, "budget")):
            tabs.setCurrentIndex(place)
            self.picture(f"09-{name}")
        self.picture("10-after", page=2)
        specimens = self.window.specimens_page
        self.window.go(4)
        self.until(lambda: specimens.story is not None)
        self.picture("13-specimens")
        specimens.enter_new()
        self.picture("14-coupon")
        self.put_away()
        self.window.findChildren(QAction, "keyboard shortcuts")[0].trigger()
        self.picture("11-help")
        self.put_away()

    def gone(self) -> None:
        self.desktop.orders.shutdown()
        self.until(lambda: self.desk.state == "gone")
        self.picture("12-gone", page=2)

    def picture(self, name: str, page: int | None = None) -> None:
        if page is not None:
            self.window.go(page)
        self.spend(0.4)
        shown = self.window.screen().grabWindow(0)
        shown.save(str(self.folder / f"{name}.png"))
        print(f"{name}.png  {shown.width()} x {shown.height()}", flush=True)

    def put_away(self) -> None:
        for dialog in self.window.findChildren(QDialog):
            dialog.reject()

    def spend(self, seconds: float) -> None:
        loop = QEventLoop()
        QTimer.singleShot(round(seconds * 1000), loop.quit)
        loop.exec()

    def until(self, holds: Callable[[], object]) -> None:
        end = time.monotonic() + PATIENCE
        while not holds():
            if time.monotonic() > end:
                sys.exit(f"waited {PATIENCE:g} s in vain; the rig is {self.desk.state}: {self.desk.gone_because}")
            self.spend(0.05)


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "ui")]
    sys.exit(main())
