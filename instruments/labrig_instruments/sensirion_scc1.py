"""Sensirion's liquid flow meters (SLF3x, SLx) on their SCC1 cable: flow and temperature, over SHDLC.

Of the cable's commands: 50 who the sensor is, 24 its type, 53 its scale and unit, 33 start, 34 stop, 35 the newest
measurement. Frames are made and checked by Sensirion's own ``sensirion-shdlc-driver``; the line is ours, because theirs
opens no URLs (docs/adr/0016). Each frame has a checksum, and says which command it answers.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal

import numpy as np
from pydantic import Field

from labrig.drivers import ChannelOptions, Name, Period
from labrig.errors import InstrumentError, WrongInstrument
from labrig.model import Block, Quality, judge_raw
from labrig.roles import Now
from labrig_instruments.line import Connect, Line, LineSettings, SerialLine

if TYPE_CHECKING:
    from labrig_instruments.shdlc import Shdlc

_PRODUCTS: Final = {
    **{0x070302: "SLF3S-1300F", 0x070303: "SLF3S-0600F", 0x070304: "SLF3C-1300F", 0x070305: "SLF3S-4000B"},
    **{0x070101: "SLQ-QT500", 0x070105: "SLQ-QT105", 0x070201: "SLI-0430", 0x070202: "SLI-1000", 0x070203: "SLI-2000"},
}
_LIQUIDS: Final = {"water": 0x3608, "isopropanol": 0x3615}
_SF06: Final = 3
"""The only type of sensor that answers as these do."""
_PREFIXES: Final = {3: 1e-9, 4: 1e-6, 5: 1e-3, 6: 1e-2, 7: 1e-1, 8: 1.0}
_TIMES: Final = {3: 1 / 60, 4: 1.0, 5: 60.0}
"""In minutes."""
_LITRES: Final = 8
_PER_KELVIN: Final = 200.0
AIR: Final = 1 << 0
FAST: Final = 1 << 1

Reads = Literal["flow", "temperature"]


class Scc1Channel(ChannelOptions):
    signals: ClassVar = ("mL/min", "°C")

    reads: Reads


@dataclass(frozen=True, slots=True)
class Measurement:
    """One of the sensor's own."""

    flow: int
    """In steps of the sensor's scale."""
    temperature: int
    """In 1/200 °C."""
    flags: int


class SensirionScc1:
    """One sensor on one cable."""

    def __init__(
        self,
        name: str,
        now: Now,
        connect: Connect = SerialLine,
        *,
        port: str,
        address: Annotated[int, Field(ge=0, le=254)] = 0,
        baud: int = 115200,
        serial_number: str | None = None,
        liquid: Literal["water", "isopropanol"] = "water",
        period: Period = 0.1,
        timeout: Period = 0.5,
        channels: Annotated[dict[Name, Scc1Channel], Field(min_length=1)],
    ) -> None:
        """``liquid``: which of its calibrations the sensor measures with."""
        self.name, self.period, self.rate = name, period, 1 / period
        self._reads = tuple(options.reads for options in channels.values())
        self.channels = tuple(options.as_channel(key, f"{port}/{options.reads}") for key, options in channels.items())
        self._now, self._connect, self._serial_number = now, connect, serial_number
        self._address, self._command = address, _LIQUIDS[liquid]
        self._settings = LineSettings(port, baud, terminator=b"\x7e", timeout=timeout, longest=600)
        self._shdlc: Shdlc | None = None
        self._identity = ""
        self._per_ml = 1.0
        """Steps of the sensor's scale in a millilitre a minute."""
        self._in_doubt = False
        self._index = 0

    def open(self) -> str:
        """Connect; returns product and serial number, which is checked before a measurement is started."""
        from labrig_instruments.shdlc import Shdlc

        self.close()
        line: Line = self._connect(self._settings)
        try:
            self._shdlc = Shdlc(line, self._address)
            self._shdlc.execute(0x34)  # a measurement that a program left behind keeps the cable from telling who it is
            product = self._identified(self._serial_number)
            self._per_ml = self._scale()
        except InstrumentError:
            line.close()
            self._shdlc = None
            raise
        self._in_doubt = False
        return f"Sensirion {product}, serial number {self._identity}"

    def close(self) -> None:
        shdlc, self._shdlc = self._shdlc, None
        if shdlc is not None:
            shdlc.close()

    def start(self) -> None:
        """Let the sensor measure twice as often as it is asked, so that no answer is older than a period."""
        interval = max(1, round(500 * self.period))
        self._opened().execute(0x33, struct.pack(">HH", interval, self._command))

    def stop(self) -> None:
        if self._shdlc is not None:
            self._shdlc.execute(0x34)

    def read(self) -> Block:
        """The newest measurement, timed at the middle of question and answer; raw values in mL/min and °C.

        A sensor with air in its line has no flow to tell. Raises `InstrumentError` for a frame that does not fit and
        for silence, `LinkLost` when the line is gone.
        """
        shdlc, index = self._opened(), self._index
        self._index += 1
        if self._in_doubt:
            self._resynchronise()
        self._in_doubt = True
        asked = self._now()
        reply = shdlc.execute(0x35, bytes([_SF06]))
        time = (asked + self._now()) // 2
        measurement = parse_measurement(reply)
        self._in_doubt = False
        values, quality = np.empty((1, len(self._reads))), np.zeros((1, len(self._reads)), np.uint8)
        for place, (channel, what) in enumerate(zip(self.channels, self._reads, strict=True)):
            values[0, place], said = self._value(what, measurement)
            quality[0, place] = judge_raw(channel, values[0, place]) | np.uint8(said)
        names = tuple(channel.name for channel in self.channels)
        return Block(self.name, names, index, np.array([time], np.int64), values, quality)

    def _value(self, what: Reads, measurement: Measurement | None) -> tuple[float, Quality]:
        if measurement is None:
            return np.nan, Quality.MISSING
        if what == "temperature":
            return measurement.temperature / _PER_KELVIN, Quality.GOOD
        if measurement.flags & AIR:
            return np.nan, Quality.MISSING
        return measurement.flow / self._per_ml, Quality.ABOVE if measurement.flags & FAST else Quality.GOOD

    def _identified(self, wanted: str | None) -> str:
        product, self._identity = parse_sensor(self._opened().execute(0x50))
        if wanted is not None and self._identity != wanted:
            raise WrongInstrument(
                f"{self._settings.port}: expected the sensor with serial number {wanted}, found {self._identity} "
                f"({product}). Not connected."
            )
        return product

    def _scale(self) -> float:
        kind = self._opened().execute(0x24)
        if kind != bytes([_SF06]):
            raise InstrumentError(
                f"{self._settings.port}: the cable is set to sensors of type {kind.hex() or 'unknown'}; set it to type "
                "3 with Sensirion's own program"
            )
        return parse_scale(self._opened().execute(0x53, struct.pack(">H", self._command)))

    def _resynchronise(self) -> None:
        """Make sure that the next reply belongs to the next question, and that the same sensor answers.

        The cable answers in order, and every answer says to what: once it has told who it is, no earlier one comes. It
        tells that only while it does not measure.
        """
        known = self._identity
        self._opened().execute(0x34)
        try:
            self._identified(known)
        finally:
            self._identity = known
        self.start()

    def _opened(self) -> Shdlc:
        if self._shdlc is None:
            raise InstrumentError(f"{self.name} is not connected")
        return self._shdlc


def parse_sensor(data: bytes) -> tuple[str, str]:
    """Product and serial number in an answer to command 50: eight and sixteen hexadecimal digits."""
    text = data.rstrip(b"\0").decode("ascii", "replace")
    if len(text) != 24 or not set(text.upper()) <= set("0123456789ABCDEF"):
        raise InstrumentError(f"no sensor on the cable: asked who it is, it answered {data!r}")
    number = int(text[:8], 16) >> 8
    return _PRODUCTS.get(number, f"product {number:#08x}"), str(int(text[8:], 16))


def parse_scale(data: bytes) -> float:
    """Steps in a millilitre a minute, of an answer to command 53."""
    if len(data) != 6:
        raise InstrumentError(f"the sensor does not measure that liquid: asked for its scale, it answered {data!r}")
    scale, unit, _ = struct.unpack(">HHH", data)
    prefix, time, volume = _PREFIXES.get(unit & 0xF), _TIMES.get(unit >> 4 & 0xF), unit >> 8 & 0xF
    if not scale or prefix is None or time is None or volume != _LITRES:
        raise InstrumentError(f"the sensor measures in a unit that labrig does not know ({unit:#06x}, scale {scale})")
    return float(scale) * 1e-3 * time / prefix


def parse_measurement(data: bytes) -> Measurement | None:
    """An answer to command 35; None where the sensor has none yet."""
    if not data:
        return None
    if len(data) != 6:
        raise InstrumentError(f"the sensor answered {data!r}, which is no measurement")
    return Measurement(*struct.unpack(">hhH", data))
