"""``labrig-desktop``: command line, application, window."""

from __future__ import annotations

import argparse
import faulthandler
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import platformdirs
from PySide6.QtCore import QByteArray, QSettings, QTimer
from PySide6.QtGui import QSessionManager
from PySide6.QtWidgets import QApplication

from labrig.client import Client
from labrig.endpoint import Endpoint, known_rigs
from labrig_ui import hooks
from labrig_ui.background import Background
from labrig_ui.crash import CrashDialog
from labrig_ui.desk import Desk
from labrig_ui.help import installed_version
from labrig_ui.link import Server
from labrig_ui.main_window import LIVE, RIG, MainWindow
from labrig_ui.order_page import FIRST
from labrig_ui.orders import Orders
from labrig_ui.theme import Choice, Theme

GOODBYE: Final = 5000
"""ms that a Stop may take when the desktop is told to end."""
log = logging.getLogger("labrig_ui")


class Desktop:
    """The parts of the running application, put together; `close` takes them apart."""

    def __init__(
        self, app: QApplication, data: Path, rig: str = "", connect: Callable[[Endpoint], Server] = Client
    ) -> None:
        self._app = app
        self.settings = QSettings(str(data / "desktop.ini"), QSettings.Format.IniFormat)
        self.background = Background()
        self.desk = Desk(data, self.background, connect)
        self.orders = Orders(self.desk, self.background)
        self.theme = Theme(app, _choice(self.settings.value("colours", Choice.SYSTEM.value)))
        self.window = MainWindow(self.desk, self.orders, self.background, self.theme)
        self._restore()
        if rig := rig or _only(known_rigs(data)):
            self.desk.choose(rig)
            self.window.go(LIVE)
        else:
            self.window.go(RIG)

    def told_to_end(self, by: str) -> None:
        """A signal, or the end of the session: an attended run is stopped first, an unattended one goes on."""
        run = self.desk.run
        if run is None or not run.attended or self.desk.server is None:
            self.window.close_now()
            return
        log.warning("told to end (%s) during an attended run: stopping it", by)
        QTimer.singleShot(GOODBYE, self.window.close_now)
        self.orders.stopped.connect(lambda _: self.window.close_now())
        self.orders.stop(f"the desktop was told to end ({by})")

    def close(self) -> None:
        self.settings.setValue("colours", self.theme.choice.value)
        self.settings.setValue("geometry", self.window.saveGeometry())
        self.settings.setValue("operator", self.window.order_page.operator.words)
        self.settings.setValue("method", self.window.order_page.method.currentText() or self.window.order_page.usual)
        self.settings.sync()
        self.desk.leave()
        self.background.close()

    def _restore(self) -> None:
        geometry = self.settings.value("geometry")
        if not (isinstance(geometry, QByteArray) and self.window.restoreGeometry(geometry)):
            self.window.resize(1280, 800)
        self.window.order_page.usual = str(self.settings.value("method") or FIRST)
        operator = str(self.settings.value("operator") or "")
        if operator:
            self.window.order_page.operator.edit.setText(operator)
            self.orders.by = operator


def main(arguments: Sequence[str] | None = None) -> int:
    """Open the desktop; returns the exit code."""
    options = _parser().parse_args(arguments)
    data = options.data.resolve() if options.data else platformdirs.user_data_path("labrig", appauthor=False)
    _without_a_screen()
    path = hooks.log_to(data / "logs")
    if sys.stderr is not None:
        faulthandler.enable()
    app = QApplication([sys.argv[0]])
    app.setApplicationName("labrig")
    app.setApplicationDisplayName("labrig")
    app.setDesktopFileName("labrig")
    hooks.qt_messages_to_log()
    desktop = Desktop(app, data, options.rig)
    crash = CrashDialog(desktop.window, path, desktop.orders)
    hooks.unexpected_errors_to(lambda line, details: desktop.background.post(lambda: crash.tell(line, details)))
    signals = hooks.Signals(desktop.told_to_end)

    def session_ends(_: QSessionManager) -> None:
        desktop.told_to_end("end of the session")

    app.commitDataRequest.connect(session_ends)
    desktop.window.show()
    log.info("the window is open")
    try:
        return app.exec()
    finally:
        signals.release()
        desktop.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="labrig-desktop", description="The desktop of labrig.")
    parser.add_argument("--data", type=Path, help="folder for everything that labrig writes")
    parser.add_argument("--rig", default="", help="attach to this rig's server at once")
    parser.add_argument("--version", action="version", version=f"labrig {installed_version()}")
    return parser


def _without_a_screen() -> None:
    """Where there is no display Qt would abort the process; say it in words instead."""
    if sys.platform != "linux" or os.environ.get("QT_QPA_PLATFORM"):
        return
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        sys.exit(
            "labrig-desktop: there is no screen here (neither DISPLAY nor WAYLAND_DISPLAY is set); nothing was opened."
            " Use the labrig command, or log in at a desktop."
        )


def _choice(saved: object) -> Choice:
    return Choice(saved) if saved in {choice.value for choice in Choice} else Choice.SYSTEM


def _only(rigs: tuple[str, ...]) -> str:
    """The one rig that a server has been started for; empty where there is none or a choice."""
    return rigs[0] if len(rigs) == 1 else ""
