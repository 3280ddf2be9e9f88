"""What the tests of drivers share: a device on a socket that answers as told, and NI servers."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from labrig.clock import monotonic, spawn
from labrig_instruments.ni_analog_input import NiAnalogInput
from tests.instruments.analog_inputs import MODULE, voltage
from tests.instruments.ni_proxy import NiProxy
from tests.simulated.conftest import Endpoints, fresh_process, known_process

__all__ = ["Answer", "Peer", "fresh_process", "known_process"]

Answer = Callable[[bytes], Iterable[bytes]]
"""The pieces that a request ending in CR LF is answered with; each is sent on its own."""


class Peer:
    """A device at the other end of a socket, which may also speak unasked and hang up."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._connections: list[socket.socket] = []
        self.url = f"socket://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = spawn("peer", self._serve)

    def say(self, data: bytes) -> None:
        self._connections[-1].sendall(data)

    def hang_up(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self._thread.join()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._connections.append(connection)
                self._converse(connection)

    def _converse(self, connection: socket.socket) -> None:
        heard = b""
        while piece := connection.recv(4096):
            heard += piece
            *requests, heard = heard.split(b"\r\n")
            for request in requests:
                for part in self._answer(request):
                    connection.sendall(part)


@pytest.fixture
def peer() -> Iterator[Callable[[Answer], Peer]]:
    peers: list[Peer] = []

    def start(answer: Answer) -> Peer:
        peers.append(Peer(answer))
        return peers[-1]

    yield start
    for each in peers:
        each.hang_up()


@pytest.fixture
def proxy(known_process: Endpoints) -> Iterator[NiProxy]:
    """The simulated NI server behind a proxy."""
    between = NiProxy(known_process.ni)
    yield between
    between.close()


@pytest.fixture
def inputs(known_process: Endpoints, proxy: NiProxy) -> Iterator[Callable[..., NiAnalogInput]]:
    """Makes drivers of the known plant's inputs, closed before the proxy that they may go through."""
    made: list[NiAnalogInput] = []

    def make(*terminals: str, device: str = MODULE, server: str = "", **options: Any) -> NiAnalogInput:  # noqa: ANN401 - whatever the driver takes
        channels = {f"channel_{terminal}": voltage(terminal) for terminal in terminals or ("ai0",)}
        options = {"channels": channels} | options
        made.append(NiAnalogInput("inputs", monotonic, device=device, server=server or known_process.ni, **options))
        return made[-1]

    yield make
    for driver in made:
        driver.close()
