"""Alicat's controllers of gas pressure and flow: what `labrig_instruments.alicat` reads, and a set-point.

``AS 12.50`` sets it, and is answered by a data frame with the set-point that the device has now. A device whose valve
is held (``HLD``) does not follow: that is an error, and the way to the safe state ends the hold (``AC``).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from labrig.drivers import Name, Period
from labrig.errors import InstrumentError, RigError
from labrig.model import Output
from labrig.roles import Now
from labrig_instruments.alicat import AlicatChannel, AlicatMeter, UnitId
from labrig_instruments.alicat_frames import HELD, Frame, parse_requested
from labrig_instruments.line import Connect, SerialLine
from labrig_instruments.set_points import SetPointOptions, check_within


class AlicatController(AlicatMeter):
    """A controller of pressure or flow: its readings, and its set-point as an output."""

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
        setpoint_name: Name,
        setpoint: SetPointOptions,
    ) -> None:
        super().__init__(
            name,
            now,
            connect,
            port=port,
            unit_id=unit_id,
            baud=baud,
            serial_number=serial_number,
            period=period,
            timeout=timeout,
            channels=channels,
        )
        self._output = setpoint.as_output(setpoint_name, f"{port}/setpoint")
        self.outputs: tuple[Output, ...] = (self._output,)
        self.low, self.high = self._output.low, self._output.high

    def output(self, name: str) -> AlicatController:
        """Its one output is itself; raises `RigError` for another name."""
        if name != self._output.name:
            raise RigError(f"{self.name} has no output {name!r}; it has {self._output.name}")
        return self

    def set(self, target: float) -> None:
        """Command a set-point, SI, and read it back; raises `RigError` outside ``low`` to ``high``, unsent."""
        check_within(self._output, target)
        with self._lock:
            frame = self._commanded(target)
        if held := frame.words & HELD:
            raise InstrumentError(
                f"{self.name} took {self._output.unit.show(target)}, but its valve is held ({', '.join(sorted(held))}) "
                "and does not follow. Cancel the hold at the device, or bring the rig to its safe state."
            )

    def setpoint(self) -> float:
        """The set-point that the device has, SI."""
        with self._lock:
            return self._to_si(self._frame().values["set-point"])

    def make_safe(self) -> None:
        """Bring the set-point to its safe value and end a hold of the valve, which would keep it from following."""
        with self._lock:
            frame = self._commanded(self._output.safe)
            if frame.words & HELD and self._frame("C").words & HELD:
                raise InstrumentError(f"{self.name} holds its valve and does not let go")

    def _begin(self) -> None:
        unit = self._column("set-point").unit
        if unit is None or unit.dimension != self._output.unit.dimension:
            found = unit.dimension if unit else "nothing"
            raise InstrumentError(
                f"{self.name} controls a {found}, its rig file a {self._output.unit.dimension}: set its loop variable"
            )
        self.make_safe()

    def _commanded(self, target: float) -> Frame:
        """The frame after a set-point was sent, which says that it was taken; raises `InstrumentError` where not."""
        self._opened()
        column = self._column("set-point")
        assert column.unit is not None
        value = round(column.unit.from_si(target), column.decimals) + 0.0
        frame = self._frame(f"S {value:.{column.decimals}f}")
        step = 10.0**-column.decimals
        if abs(frame.values["set-point"] - value) > 0.6 * step:
            requested = parse_requested(self._opened().ask(f"{self._id}LS".encode()), self._id)  # it may ramp
            if abs(requested - value) > 0.6 * step:
                raise InstrumentError(
                    f"{self.name} was told {value:g} and says {requested:g}: set its set-point source to serial"
                )
        return frame

    def _to_si(self, value: float) -> float:
        unit = self._column("set-point").unit
        assert unit is not None
        return unit.to_si(value)
