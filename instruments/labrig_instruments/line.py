"""Serial lines: a request out, a bounded reply in before a deadline, and one error for a line that is gone.

A port is whatever `serial.serial_for_url` opens: ``COM4``, ``/dev/ttyUSB0``, a pty, ``socket://host:port``,
``rfc2217://host:port``. pyserial reports a lost device in four families of exceptions (its own, OSError, termios.error,
and ValueError or TypeError from a port that was closed meanwhile); all of them become `LinkLost` here.
"""

from __future__ import annotations

import errno
import fnmatch
import glob
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from labrig.clock import SECOND, monotonic
from labrig.errors import InstrumentError, LinkLost

if sys.platform == "win32":
    _GONE: tuple[type[Exception], ...] = (OSError, ValueError, TypeError)
else:
    import termios

    _GONE: tuple[type[Exception], ...] = (OSError, ValueError, TypeError, termios.error)

_TICK: Final = 0.05
"""Longest wait for a byte, s: a deadline is overrun by no more than this."""

Framing = Literal["8N1", "8E1", "8O1", "7E1", "7O1", "7N2", "8N2"]
"""Data bits, parity, stop bits."""


class Silence(InstrumentError):
    """A device did not answer in time. Its reply may still come, and would then belong to no request."""


@dataclass(frozen=True, slots=True)
class LineSettings:
    """How to reach and to frame a line."""

    port: str
    baud: int = 9600
    framing: Framing = "8N1"
    terminator: bytes = b"\r\n"
    """Ends requests and replies."""
    reply_terminator: bytes = b""
    """Ends replies, where they end otherwise."""
    timeout: float = 1.0
    """Seconds within which a reply is complete."""
    longest: int = 256
    """Bytes after which a reply without an end is noise."""


class Line(Protocol):
    """What a driver sees of its line. Requests and replies come without their terminator."""

    def ask(self, request: bytes, *, timeout: float | None = None) -> bytes:
        """The reply to a request, after bytes that nobody asked for were thrown away.

        Raises `Silence` when none is complete in time, `InstrumentError` for an endless one, `LinkLost`.
        """
        ...

    def hear(self, *, timeout: float | None = None) -> bytes:
        """The next reply without another request; raises as `ask` does."""
        ...

    def tell(self, request: bytes) -> None:
        """Send what is not answered; raises `LinkLost`."""
        ...

    def close(self) -> None:
        """Let go of the port; safe to repeat, and safe after an error."""
        ...


Connect = Callable[[LineSettings], Line]
"""Opens a line: `SerialLine`, or a script in tests."""


Ports = str | tuple[str, ...]
"""One port, or where a device may be found: several, or patterns such as ``/dev/ttyUSB*``."""


def several(ports: Ports) -> bool:
    """Whether a device must be told from others by its identity."""
    return not isinstance(ports, str) or _is_pattern(ports)


def listed(ports: Ports) -> str:
    """The ports as a rig file names them, for people."""
    return ports if isinstance(ports, str) else ", ".join(ports)


def candidates(ports: Ports) -> tuple[str, ...]:
    """The ports that are there now, patterns resolved, each once."""
    found: dict[str, None] = {}
    for port in (ports,) if isinstance(ports, str) else ports:
        found |= dict.fromkeys(_matching(port) if _is_pattern(port) else [port])
    return tuple(found)


def _is_pattern(port: str) -> bool:
    return "://" not in port and any(sign in port for sign in "*?[")


def _matching(pattern: str) -> list[str]:
    from serial.tools import list_ports

    known = fnmatch.filter((port.device for port in list_ports.comports()), pattern)
    return sorted({*glob.glob(pattern), *known})  # noqa: PTH207 - an absolute pattern, which Path refuses


class Framer:
    """Bytes in, in whatever pieces they come; replies out."""

    def __init__(self, terminator: bytes, longest: int) -> None:
        self._terminator, self._longest = terminator, longest
        self._bytes = b""
        self._skipping = False

    def take(self, piece: bytes) -> None:
        self._bytes += piece

    def clear(self) -> None:
        self._bytes, self._skipping = b"", False

    def next(self) -> bytes | None:
        """The next complete reply, None where there is none yet.

        Raises `InstrumentError` once for a reply that is longer than allowed; all of it is dropped.
        """
        reply, end, rest = self._bytes.partition(self._terminator)
        limit = self._longest if end else self._longest + len(self._terminator) - 1  # part of its end may be in
        endless = not self._skipping and len(reply) > limit
        skipped, self._skipping = self._skipping, not end and (self._skipping or endless)
        if end:
            self._bytes = rest
        elif self._skipping:
            self._bytes = reply[-(len(self._terminator) - 1) :] if len(self._terminator) > 1 else b""
        if endless:
            raise InstrumentError(f"a reply without an end after {self._longest} bytes: {_shown(reply)}")
        if end:
            return self.next() if skipped else reply
        return None


class SerialLine:
    """A line on a real port, opened at birth. One transaction at a time, from whichever thread."""

    def __init__(self, settings: LineSettings) -> None:
        self._settings = settings
        self._framer = Framer(settings.reply_terminator or settings.terminator, settings.longest)
        self._lock = threading.Lock()
        self._port = opened_port(settings)

    def ask(self, request: bytes, *, timeout: float | None = None) -> bytes:
        with self._lock, self._watched():
            self._port.reset_input_buffer()
            self._framer.clear()
            self._port.write(request + self._settings.terminator)
            return self._receive(timeout, f"did not answer {_shown(request)}")

    def hear(self, *, timeout: float | None = None) -> bytes:
        with self._lock, self._watched():
            return self._receive(timeout, "stayed silent")

    def tell(self, request: bytes) -> None:
        with self._lock, self._watched():
            self._port.write(request + self._settings.terminator)

    def close(self) -> None:
        close_port(self._port)

    def _receive(self, timeout: float | None, what: str) -> bytes:
        seconds = self._settings.timeout if timeout is None else timeout
        deadline = monotonic() + round(seconds * SECOND)
        while (reply := self._framer.next()) is None:
            if monotonic() >= deadline:
                raise Silence(f"{self._settings.port}: the device {what} within {seconds:g} s")
            self._framer.take(self._port.read(max(1, self._port.in_waiting)))
        return reply

    def _watched(self) -> AbstractContextManager[None]:
        return watched(self._settings.port)


class ScriptedLine:
    """A line that plays a conversation, word for word: what is sent, and what comes back.

    For tests of drivers. An error in place of a reply is raised; a request of ``b""`` is heard without being asked;
    what is told has None for a reply.
    """

    def __init__(self, script: Iterable[tuple[bytes, bytes | InstrumentError | None]]) -> None:
        self._script = list(script)
        self.closed = False

    def ask(self, request: bytes, *, timeout: float | None = None) -> bytes:
        del timeout  # A script answers at once or not at all.
        reply = self._played(request)
        if reply is None:
            raise AssertionError(f"the script gives no reply to {request!r}, which was asked")
        return reply

    def _played(self, request: bytes) -> bytes | None:
        if self.closed:
            raise LinkLost("the scripted line is closed")
        if not self._script:
            raise AssertionError(f"the script is over, but {request!r} was sent")
        expected, reply = self._script.pop(0)
        if request != expected:
            raise AssertionError(f"the script expects {expected!r}, but {request!r} was sent")
        if isinstance(reply, InstrumentError):
            raise reply
        return reply

    def hear(self, *, timeout: float | None = None) -> bytes:
        return self.ask(b"", timeout=timeout)

    def tell(self, request: bytes) -> None:
        if (reply := self._played(request)) is not None:
            raise AssertionError(f"the script replies {reply!r} to {request!r}, which was told and not asked")

    def close(self) -> None:
        self.closed = True

    def finished(self) -> bool:
        """Whether everything was said."""
        return not self._script


@contextmanager
def watched(port: str) -> Iterator[None]:
    """Whatever pyserial raises for a line that is gone becomes `LinkLost`."""
    try:
        yield
    except _GONE as error:
        raise LinkLost(f"{port}: the line is gone ({error}). Check its cable and power, then reconnect.") from error


def close_port(port: Any) -> None:  # noqa: ANN401 - pyserial ships no types
    """Let go of a port of pyserial's, whatever became of it."""
    socket = vars(port).get("_socket")
    with suppress(*_GONE):
        port.close()
    if socket is not None:
        socket.close()  # pyserial forgets to where the other end hung up first.


def opened_port(settings: LineSettings) -> Any:  # noqa: ANN401 - pyserial ships no types
    """A port of pyserial's that nobody else has open; raises `LinkLost` in words."""
    import serial

    bits, parity, stops = settings.framing
    try:
        return serial.serial_for_url(
            settings.port,
            baudrate=settings.baud,
            bytesize=int(bits),
            parity=parity,
            stopbits=int(stops),
            timeout=_TICK,
            write_timeout=settings.timeout,
            exclusive=True,
        )
    except _GONE as error:
        raise LinkLost(f"{settings.port} {_why_not(error)}") from error


def _why_not(error: Exception) -> str:
    code = getattr(error, "errno", None)
    taken = "PermissionError(13" in str(error) if sys.platform == "win32" else code in {errno.EAGAIN, errno.EBUSY}
    if taken:
        return "is in use by another program. Close that program, then reconnect."
    if code == errno.EACCES:
        return (
            "may not be opened by this user. Add the user to the group of the port (often dialout), then log in again."
        )
    return f"cannot be opened ({error}). Ports on this computer: {_ports()}."


def _ports() -> str:
    from serial.tools import list_ports

    return ", ".join(sorted(port.device for port in list_ports.comports())) or "none"


def _shown(data: bytes) -> str:
    return repr(bytes(data[:40])) + ("…" if len(data) > 40 else "")
