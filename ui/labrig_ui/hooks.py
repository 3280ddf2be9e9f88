"""What the process owes its surroundings: logs, unexpected errors in words, Qt's messages, signals."""

from __future__ import annotations

import logging
import logging.handlers
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType
from typing import Final

from PySide6.QtCore import QMessageLogContext, QObject, QSocketNotifier, QtMsgType, qInstallMessageHandler

log = logging.getLogger("labrig_ui")
_LEVELS: Final = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}
_LOG_SIZE: Final = 2_000_000


def log_to(folder: Path) -> Path:
    """Write the log into ``desktop.log`` of a folder, two megabytes and two older files at most; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "desktop.log"
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=_LOG_SIZE, backupCount=2, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    return path


def qt_messages_to_log() -> None:
    """Qt's warnings go where ours go, under the logger ``qt``."""
    qt = logging.getLogger("qt")

    def receive(kind: QtMsgType, _where: QMessageLogContext, message: str) -> None:
        qt.log(_LEVELS.get(kind, logging.WARNING), "%s", message)

    qInstallMessageHandler(receive)


def unexpected_errors_to(tell: Callable[[str, str], None]) -> None:
    """Log an exception that nobody caught, in any thread, and ``tell`` it: one line, and the details."""

    def caught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        log.error("unexpected", exc_info=(kind, error, trace))
        tell(f"{kind.__name__}: {error}", "".join(traceback.format_exception(kind, error, trace)))

    def in_thread(failed: threading.ExceptHookArgs) -> None:
        if failed.exc_value is not None:
            caught(failed.exc_type, failed.exc_value, failed.exc_traceback)

    sys.excepthook = caught
    threading.excepthook = in_thread


class Signals(QObject):
    """SIGINT and SIGTERM reach Qt's loop: Python runs a handler only when its interpreter does, and Qt's loop sleeps.

    A byte in a socket wakes the loop (`signal.set_wakeup_fd`). `release` gives everything back.
    """

    def __init__(self, asked_to_end: Callable[[str], None]) -> None:
        super().__init__()
        self._asked_to_end = asked_to_end
        self._read, self._write = socket.socketpair()
        for end in (self._read, self._write):
            end.setblocking(False)
        self._notifier = QSocketNotifier(self._read.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._wake)
        self._before_fd = signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        self._before = {number: signal.signal(number, self._note) for number in _ending_signals()}
        self._met: list[str] = []

    def release(self) -> None:
        self._notifier.setEnabled(False)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._before_fd)
        self._read.close()
        self._write.close()

    def _note(self, number: int, _: FrameType | None) -> None:
        self._met.append(signal.Signals(number).name)

    def _wake(self) -> None:
        try:
            self._read.recv(64)
        except BlockingIOError:
            return
        met, self._met = self._met, []
        for name in met:
            self._asked_to_end(name)


def _ending_signals() -> tuple[signal.Signals, ...]:
    names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    return tuple(getattr(signal, name) for name in names if hasattr(signal, name))
