"""A Sensirion liquid flow meter on its SCC1 cable, as the serial line sees it; flow and temperature are the plant's."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from typing import Final, Literal

from labrig.units import celsius, mL_per_min
from labrig_instruments.simulated.shdlc import FrameReader, Request, answered
from labrig_instruments.simulated.terminal import Terminal

Product = Literal["SLF3S-0600F", "SLF3S-1300F", "SLF3S-4000B"]
MICRO, MILLI = 0x0844, 0x0845
"""Litres a minute, with that prefix."""
_PRODUCTS: Final[Mapping[Product, tuple[int, int, int, float]]] = {
    "SLF3S-0600F": (0x07030301, 10, MICRO, 3.25),
    "SLF3S-1300F": (0x07030201, 500, MILLI, 65.0),
    "SLF3S-4000B": (0x07030501, 32, MILLI, 1000.0),
}
"""Number, steps in a unit, unit, and the flow in mL/min beyond which it says that it is too fast."""
LIQUIDS: Final = (0x3608, 0x3615)
FAST: Final = 1 << 1
SMOOTHED: Final = 1 << 5
AMBIENT: Final = celsius(23)
UNKNOWN, NOT_NOW, OUT_OF_RANGE = 0x02, 0x43, 0x04
MOST: Final = 30
"""Samples of three signals in one answer."""
KEPT: Final = 5.0
"""Seconds that the cable buffers."""


class SensirionScc1:
    """One sensor of type 3 behind one cable at address 0."""

    kept = b"\x7e"

    def __init__(
        self,
        terminal: Terminal,
        *,
        baud: int = 115200,
        serial_number: str = "2215000042",
        product: Product = "SLF3S-4000B",
    ) -> None:
        self.baud, self.serial_number, self._terminal = baud, serial_number, terminal
        self._number, self._scale, self._unit, self._most = _PRODUCTS[product]
        self._reader = FrameReader()
        self._interval = 0.0
        """Seconds between two measurements; 0 while it does not measure."""
        self._due, self._at = 0.0, 0.0
        self._verbs: Mapping[int, Callable[[bytes], bytes | int]] = {
            **{0xD0: self._about, 0xD1: lambda _: bytes([1, 7, 0, 1, 0, 1, 0]), 0x24: lambda _: b"\x03"},
            **{0x25: lambda _: b"\x08", 0x50: self._sensor, 0x53: self._scaling, 0x33: self._start, 0x34: self._stop},
            **{0x35: self._newest, 0x36: self._buffered, 0x30: lambda _: bytes([self._interval > 0])},
        }

    def exchange(self, received: bytes, now: float) -> bytes:
        self._at = now
        return b"".join(self._obey(request) for request in self._reader.feed(received) if request.address == 0)

    def due(self) -> float | None:
        return None

    def _obey(self, request: Request) -> bytes:
        verb = self._verbs.get(request.command)
        result = verb(request.data) if verb else UNKNOWN
        return answered(request, b"", result) if isinstance(result, int) else answered(request, result)

    def _about(self, data: bytes) -> bytes | int:
        texts = {0: "00030000", 1: "SCC1-USB", 2: "1-101197-01", 3: "9B1F2E4C00000042"}
        return texts[data[0]].encode() + b"\0" if len(data) == 1 and data[0] in texts else OUT_OF_RANGE

    def _sensor(self, _: bytes) -> bytes | int:
        if self._interval:
            return NOT_NOW
        return f"{self._number:08X}{int(self.serial_number):016X}".encode() + b"\0"

    def _scaling(self, data: bytes) -> bytes | int:
        if self._interval:
            return NOT_NOW
        known = len(data) == 2 and int.from_bytes(data, "big") in LIQUIDS
        return struct.pack(">HHH", self._scale, self._unit, 0) if known else OUT_OF_RANGE

    def _start(self, data: bytes) -> bytes | int:
        if not data:
            return struct.pack(">H", round(self._interval * 1000)) if self._interval else b""
        if len(data) != 4 or int.from_bytes(data[2:], "big") not in LIQUIDS:
            return OUT_OF_RANGE
        if self._interval:
            return NOT_NOW
        self._interval = max(1, int.from_bytes(data[:2], "big")) / 1000
        self._due = self._at + self._interval
        return b""

    def _stop(self, _: bytes) -> bytes:
        self._interval = 0.0
        return b""

    def _newest(self, _: bytes) -> bytes:
        """Asked while it does not measure, it begins to."""
        if not self._interval:
            self._start(struct.pack(">HH", 100, LIQUIDS[0]))
        return struct.pack(">hhH", *self._measured(0.0)) if self._at >= self._due else b""

    def _buffered(self, _: bytes) -> bytes:
        """Lost and remaining samples, then those that were not told yet, oldest first."""
        if not self._interval or self._at < self._due:
            return struct.pack(">IHH", 0, 0, 3)
        count = int((self._at - self._due) / self._interval + 1e-6) + 1
        lost = max(0, count - int(KEPT / self._interval))
        first, told = self._due + lost * self._interval, min(count - lost, MOST)
        self._due = first + told * self._interval
        samples = [self._measured(self._at - first - k * self._interval) for k in range(told)]
        head = struct.pack(">IHH", lost * 6, (count - lost - told) * 6, 3)
        return head + b"".join(struct.pack(">hhH", *sample) for sample in samples)

    def _measured(self, ago: float) -> tuple[int, int, int]:
        """Flow, temperature and flags so many seconds ago."""
        flow = self._terminal.measure("flow", 0.0, ago=ago) / mL_per_min
        temperature = self._terminal.measure("temperature", AMBIENT, ago=ago)
        warmth = (AMBIENT if math.isinf(temperature) else temperature) - celsius(0)
        steps = self._scale * (1000 if self._unit == MICRO else 1) * min(flow, 2 * self._most)
        flags = SMOOTHED | (FAST if abs(flow) > self._most else 0)
        return max(-32768, min(32767, round(steps))), round(200 * warmth), flags
