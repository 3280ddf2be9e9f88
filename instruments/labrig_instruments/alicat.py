"""Alicat's gas flow meters, flow controllers and pressure controllers, on a serial line of their own.

A device is addressed by a letter and is silent to others. ``A??M*`` tells who it is, ``A??D*`` what its data frames
hold, ``A`` asks for a frame: ``A +014.70 +025.00 +002.00 +001.90 +002.00 N2 HLD``. There is no checksum; a number that
departs from the digits that the device itself described is refused. After a silence the device is asked who it is.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Annotated, ClassVar, Final

import numpy as np
from pydantic import Field

from labrig import units
from labrig.drivers import ChannelOptions, Name, Period
from labrig.errors import InstrumentError, WrongInstrument
from labrig.model import Block, Quality, judge_raw
from labrig.roles import Now
from labrig_instruments.alicat_frames import (
    Column,
    Frame,
    Nameplate,
    Statistic,
    is_identity,
    is_last,
    parse_description,
    parse_frame,
    parse_nameplate,
    refused,
)
from labrig_instruments.line import Connect, Line, LineSettings, SerialLine, Silence

_PAUSE: Final = 0.3
"""Seconds of silence after which an answer of several lines is over."""
_MOST: Final = 40
"""Lines of such an answer."""
_TARES: Final[dict[str, tuple[str, tuple[Statistic, ...]]]] = {
    "flow": ("V", ("mass flow", "volumetric flow")),
    "pressure": ("P", ("gauge pressure",)),
}
_QUIET: Final = 20
"""Last digits within which a tared value lies."""

UnitId = Annotated[str, Field(pattern=r"^[A-Z]$")]


class AlicatChannel(ChannelOptions):
    signals: ClassVar = ("psi", "L/min", "°C")

    reads: Statistic


class AlicatMeter:
    """A meter, or a controller of which only the readings are wanted."""

    def __init__(
        self,
        name: str,
        now: Now,
        connect: Connect = SerialLine,
        *,
        port: str,
        unit_id: UnitId = "A",
        baud: int = 19200,
        serial_number: str | None = None,
        period: Period = 0.1,
        timeout: Period = 0.5,
        channels: Annotated[dict[Name, AlicatChannel], Field(min_length=1)],
    ) -> None:
        self.name, self.period, self.rate = name, period, 1 / period
        self._reads = tuple(options.reads for options in channels.values())
        self.channels = tuple(
            options.as_channel(key, f"{port}/{_QUANTITIES[options.reads]}") for key, options in channels.items()
        )
        self._now, self._connect, self._serial_number, self._id = now, connect, serial_number, unit_id
        self._settings = LineSettings(port, baud, terminator=b"\r", timeout=timeout)
        self._line: Line | None = None
        self._lock = threading.RLock()
        """Of one transaction with all that belongs to it: a poller reads while somebody sets."""
        self._plate: Nameplate | None = None
        self._columns: tuple[Column, ...] = ()
        self._in_doubt = False
        self._index = 0

    def open(self) -> str:
        """Connect; returns model and serial number, which are checked before anything else is asked."""
        self.close()
        try:
            with self._lock:
                self._line = self._connect(self._settings)
                self._plate = self._identified(self._serial_number)
                self._columns = parse_description(self._several("??D*"))
                self._in_doubt = False
                for statistic in self._reads:
                    self._column(statistic)
                self._begin()
        except InstrumentError:
            self.close()
            raise
        return f"Alicat {self._plate.model}, serial number {self._plate.serial_number}"

    def _begin(self) -> None:
        """What a controller does once it is known: see `AlicatController`."""

    def close(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.close()

    def start(self) -> None:
        self._opened()

    def stop(self) -> None:
        """Nothing: between two questions the device is silent."""

    def read(self) -> Block:
        """One data frame, timed at the middle of question and answer; raw values in psi, L/min and °C.

        Raises `InstrumentError` for a reply that is no data frame and for silence, `LinkLost` when the line is gone.
        """
        index, self._index = self._index, self._index + 1
        with self._lock:
            asked = self._now()
            frame = self._frame()
            time = (asked + self._now()) // 2
        values, quality = np.empty((1, len(self._reads))), np.zeros((1, len(self._reads)), np.uint8)
        for place, (channel, statistic) in enumerate(zip(self.channels, self._reads, strict=True)):
            raw = np.asarray(_in(channel.raw_unit, frame.values[statistic], self._column(statistic)))
            said = frame.quality(statistic)
            values[0, place] = np.nan if said & Quality.MISSING else raw
            quality[0, place] = judge_raw(channel, values[0, place]) | np.uint8(said)
        names = tuple(channel.name for channel in self.channels)
        return Block(self.name, names, index, np.array([time], np.int64), values, quality)

    def tare(self, what: str) -> None:
        """Take the present ``flow`` or ``pressure`` as zero, with nothing flowing and no pressure.

        Raises `InstrumentError` where the device refuses, or does not read zero afterwards.
        """
        command, statistics = _TARES[what]
        with self._lock:
            before = self._frame()
            if before.values.get("set-point"):
                raise InstrumentError(f"{self.name} was not tared: bring its set-point to zero first")
            after = self._frame(command)
        for statistic in statistics:
            column = next((column for column in self._columns if column.statistic == statistic), None)
            if column and abs(after.values[statistic]) > _QUIET * 10.0**-column.decimals:
                raise InstrumentError(
                    f"{self.name} did not tare: its {statistic} reads {after.values[statistic]:g} yet"
                )

    def _frame(self, command: str = "") -> Frame:
        """The data frame that answers a command; without one, the present state."""
        line = self._opened()
        if self._in_doubt:
            self._resynchronise()
        self._in_doubt = True
        reply = line.ask(f"{self._id}{command}".encode())
        if refused(reply):
            self._in_doubt = False
            raise InstrumentError(
                f"{self.name} refused {command or 'to be asked'!r} (?): it does not know it, or not now"
            )
        frame = parse_frame(reply, self._id, self._columns)
        self._in_doubt = False
        return frame

    def _column(self, statistic: Statistic) -> Column:
        for column in self._columns:
            if column.statistic == statistic:
                return column
        told = ", ".join(sorted({column.statistic for column in self._columns if column.statistic}))
        raise InstrumentError(
            f"{self.name} does not tell its {statistic}, or in a unit unknown to labrig; it tells {told}"
        )

    def _identified(self, wanted: str | None) -> Nameplate:
        plate = parse_nameplate(self._several("??M*"))
        if wanted is not None and plate.serial_number != wanted:
            raise WrongInstrument(
                f"{self._settings.port}: expected the device with serial number {wanted}, found "
                f"{plate.serial_number} ({plate.model}). Not connected."
            )
        return plate

    def _resynchronise(self) -> None:
        """Make sure that the next reply belongs to the next question, and that the same device answers."""
        assert self._plate is not None
        self._identified(self._plate.serial_number)

    def _several(self, command: str) -> list[bytes]:
        """An answer of several lines; those of an earlier question that come before it are dropped."""
        line = self._opened()
        replies = [line.ask(f"{self._id}{command}".encode())]
        if refused(replies[0]):
            raise InstrumentError(
                f"{self._settings.port}: no Alicat device that labrig knows; it refused {command} (?)"
            )
        with suppress(Silence):
            while len(replies) < _MOST and not is_last(replies[-1]):
                replies.append(line.hear(timeout=_PAUSE))
        return [reply for reply in replies if is_identity(reply) == (command == "??M*")]

    def _opened(self) -> Line:
        if self._line is None:
            raise InstrumentError(f"{self.name} is not connected")
        return self._line


_QUANTITIES: Final[dict[Statistic, str]] = {
    **{"gauge pressure": "pressure", "absolute pressure": "absolute", "differential pressure": "difference"},
    **{"temperature": "temperature", "volumetric flow": "volumetric", "mass flow": "flow", "set-point": "requested"},
}
"""Last part of a channel's address."""


def _in(symbol: str, value: float, column: Column) -> float:
    """A value in a column's unit, in that of the channel's raw values."""
    assert column.unit is not None
    wanted = units.unit(symbol)
    return value if wanted == column.unit else wanted.from_si(column.unit.to_si(value))
