"""Where a simulated serial device is plugged in: a pseudo-terminal, or a TCP socket where there are none."""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import socket
from types import ModuleType
from typing import Final, Literal, Protocol

LOOPBACK: Final = "127.0.0.1"
CHUNK: Final = 4096
Kind = Literal["pty", "socket"]


class Port(Protocol):
    """The device's end of a serial line. Bytes that nobody takes are lost, as on a real one."""

    url: str
    """What a client opens with ``serial.serial_for_url``."""

    def wait(self, timeout: float | None) -> None:
        """Until bytes may have come, `wake` was called, or the time is over."""
        ...

    def read(self) -> bytes:
        """What has come; empty if nothing."""
        ...

    def write(self, data: bytes) -> None: ...

    def baud(self) -> int | None:
        """The speed that the client has set; None where the link knows none."""
        ...

    def wake(self) -> None: ...

    def close(self) -> None: ...


def plug(kind: Kind | None = None) -> Port:
    """A port of that kind, on this machine only; unset, a pseudo-terminal where this machine can open one."""
    if kind is None:
        kind = "pty" if has_pty() else "socket"
    return PtyPort() if kind == "pty" else SocketPort()


def has_pty() -> bool:
    """Windows has none, nor has a container without /dev/pts."""
    try:
        ends = os.openpty()
    except (AttributeError, OSError):
        return False
    try:
        return bool(os.ttyname(ends[1]))
    except OSError:
        return False
    finally:
        for end in ends:
            os.close(end)


class _Waiting:
    """A selector that another thread can interrupt."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._ear, self._mouth = socket.socketpair()
        self._ear.setblocking(False)
        self._mouth.setblocking(False)
        self._selector.register(self._ear, selectors.EVENT_READ)

    def watch(self, thing: int | socket.socket) -> None:
        self._selector.register(thing, selectors.EVENT_READ)

    def forget(self, thing: int | socket.socket) -> None:
        self._selector.unregister(thing)

    def wait(self, timeout: float | None) -> None:
        self._selector.select(timeout)
        with contextlib.suppress(BlockingIOError):
            self._ear.recv(CHUNK)

    def wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._mouth.send(b".")

    def close(self) -> None:
        self._selector.close()
        self._ear.close()
        self._mouth.close()


class PtyPort:
    """A pseudo-terminal: a path that every client can open, and the one link on which its speed shows.

    The server keeps the slave side open too: otherwise the line hangs up with each client, loses bytes on the next
    opening and forgets its settings.
    """

    def __init__(self) -> None:
        import termios
        import tty

        self._speeds = _speeds(termios)
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.url = os.ttyname(self._slave)
        self._waiting = _Waiting()
        self._waiting.watch(self._master)
        self._settings = termios.tcgetattr

    def wait(self, timeout: float | None) -> None:
        self._waiting.wait(timeout)

    def read(self) -> bytes:
        try:
            return os.read(self._master, CHUNK)
        except BlockingIOError:
            return b""

    def write(self, data: bytes) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._master, data)

    def baud(self) -> int | None:
        return self._speeds.get(self._settings(self._master)[5])

    def wake(self) -> None:
        self._waiting.wake()

    def close(self) -> None:
        self._waiting.close()
        os.close(self._master)
        os.close(self._slave)


def _speeds(termios: ModuleType) -> dict[int, int]:
    """Baud by the number that a terminal keeps for it."""
    return {getattr(termios, name): int(name[1:]) for name in dir(termios) if re.fullmatch(r"B[1-9]\d*", name)}


class SocketPort:
    """A TCP port for one client at a time; a second one is hung up on."""

    def __init__(self, number: int = 0) -> None:
        self._listener = socket.create_server((LOOPBACK, number))
        self._listener.setblocking(False)
        self._client: socket.socket | None = None
        self.url = f"socket://{LOOPBACK}:{self._listener.getsockname()[1]}"
        self._waiting = _Waiting()
        self._waiting.watch(self._listener)

    def wait(self, timeout: float | None) -> None:
        self._waiting.wait(timeout)
        self._admit()

    def read(self) -> bytes:
        if self._client is None:
            return b""
        try:
            data = self._client.recv(CHUNK)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            self._hang_up()
        return data

    def write(self, data: bytes) -> None:
        if self._client is None:
            return
        try:
            self._client.send(data)
        except BlockingIOError:
            return
        except OSError:
            self._hang_up()

    def baud(self) -> int | None:
        return None

    def wake(self) -> None:
        self._waiting.wake()

    def close(self) -> None:
        self._hang_up()
        self._waiting.close()
        self._listener.close()

    def _admit(self) -> None:
        self._notice_leaving()
        try:
            newcomer, _ = self._listener.accept()
        except BlockingIOError:
            return
        if self._client is not None:
            newcomer.close()
            return
        newcomer.setblocking(False)
        newcomer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client = newcomer
        self._waiting.watch(newcomer)

    def _notice_leaving(self) -> None:
        """A client that hangs up and comes back at once must not find itself in the way."""
        if self._client is None:
            return
        try:
            left = not self._client.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return
        except OSError:
            left = True
        if left:
            self._hang_up()

    def _hang_up(self) -> None:
        if self._client is not None:
            self._waiting.forget(self._client)
            self._client.close()
            self._client = None
