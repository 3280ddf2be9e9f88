"""One simulated serial device on its line: bytes at the line's speed in both directions, served by one thread."""

from __future__ import annotations

import threading
from typing import Protocol

from labrig.clock import SECOND, monotonic, spawn
from labrig_instruments.simulated.ports import Port
from labrig_instruments.simulated.uart import Wire, heard


class Instrument(Protocol):
    """A device as its line sees it: no threads, no waiting; time is told to it."""

    def exchange(self, received: bytes, now: float) -> bytes:
        """What it says by ``now``, after ``received`` has come; takes any bytes."""
        ...

    def due(self) -> float | None:
        """When it will have something to say without being asked."""
        ...


class Line:
    """Serves an instrument on a port until it is closed."""

    def __init__(self, name: str, instrument: Instrument, port: Port, baud: int) -> None:
        self.url = port.url
        self._instrument, self._port, self._baud = instrument, port, baud
        self._inward, self._outward = Wire(baud), Wire(baud)
        self._ending = threading.Event()
        self._thread = spawn(f"line {name}", self._serve)

    def close(self) -> None:
        self._ending.set()
        self._port.wake()
        self._thread.join()
        self._port.close()

    def _serve(self) -> None:
        while not self._ending.is_set():
            self._port.wait(self._patience())
            now = _seconds()
            self._inward.put(self._translated(self._port.read(), inward=True), now)
            self._outward.put(self._instrument.exchange(self._inward.take(now), now), now)
            said = self._outward.take(now)
            if said:
                self._port.write(self._translated(said, inward=False))

    def _patience(self) -> float | None:
        dues = [due for due in (self._inward.due(), self._outward.due(), self._instrument.due()) if due is not None]
        return max(0.0, min(dues) - _seconds()) if dues else None

    def _translated(self, data: bytes, *, inward: bool) -> bytes:
        """What the other side hears: garbage where the client listens at another speed."""
        theirs = self._port.baud() if data else None
        if theirs is None:
            return data
        return heard(data, theirs, self._baud) if inward else heard(data, self._baud, theirs)


def _seconds() -> float:
    return monotonic() / SECOND
