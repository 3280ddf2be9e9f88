"""Set-points and valves of a device that speaks text: told, and asked back every time."""

from __future__ import annotations

import threading
from typing import Final, Protocol

from labrig.errors import InstrumentError, RigError
from labrig_instruments.ascii_options import TextSetpoint, TextValve, matched
from labrig_instruments.number import parse_number

_STATES: Final = {True: "open", False: "closed"}


class Talker(Protocol):
    """The device behind the outputs."""

    def ask(self, request: str, what: str) -> str: ...
    def command(self, request: str, answer: str | None, what: str) -> None: ...
    def turn(self) -> threading.RLock: ...


class TextRegulator:
    """A number that the device follows."""

    def __init__(self, name: str, port: str, options: TextSetpoint, device: Talker) -> None:
        self.output = options.as_output(name, f"{port}/{name}")
        self.low, self.high = self.output.low, self.output.high
        self._options, self._device = options, device
        self._told: float | None = None

    def set(self, target: float) -> None:
        """Command a set-point, SI; raises `RigError` outside ``low`` to ``high``, unsent."""
        if not self.low <= target <= self.high:
            show = self.output.unit.show
            raise RigError(
                f"{self.output.name}: {show(target)} lies outside its limits {show(self.low)} to {show(self.high)}; "
                "nothing was sent"
            )
        offset, slope = self.output.calibration.coefficients
        request = self._options.tell.format(value=offset + slope * target)
        with self._device.turn():
            self._told = None
            self._device.command(request, self._options.answer, f"{self.output.name} was told {request!r}")
            self._told = target
            self.check()

    def setpoint(self) -> float:
        """The set-point that the device tells, SI."""
        what = f"{self.output.name} was asked {self._options.ask!r}"
        offset, slope = self.output.calibration.coefficients
        reply = self._device.ask(self._options.ask, what)
        return (parse_number(matched(self._options.reply, reply, what)["value"]) - offset) / slope

    def check(self) -> None:
        """Raises `InstrumentError` where the device tells another set-point than it was told."""
        if self._told is None:
            return
        found = self.setpoint()
        if not abs(found - self._told) <= self._options.allowance():
            show = self.output.unit.show
            raise InstrumentError(
                f"{self.output.name} was told {show(self._told)} and tells {show(found)}. Check the device by hand."
            )

    def make_safe(self) -> None:
        self.set(self.output.safe)

    def forget(self) -> None:
        """What was told, because the line is closed."""
        self._told = None


class TextSwitch:
    """A valve or relay."""

    def __init__(self, name: str, port: str, options: TextValve, device: Talker) -> None:
        self.output = options.as_output(name, f"{port}/{name}")
        self._options, self._device = options, device
        self._told: bool | None = None

    def open(self) -> None:
        self._command(opened=True)

    def close(self) -> None:
        self._command(opened=False)

    def is_open(self) -> bool:
        """What the device tells; raises `InstrumentError` where it tells neither."""
        what = f"{self.output.name} was asked {self._options.ask!r}"
        reply = self._device.ask(self._options.ask, what)
        try:
            matched(self._options.is_open, reply, what)
        except InstrumentError:
            matched(self._options.is_closed, reply, what)
            return False
        return True

    def check(self) -> None:
        """Raises `InstrumentError` where the device tells another state than it was told."""
        if self._told is not None and self.is_open() != self._told:
            raise InstrumentError(
                f"{self.output.name} was told to be {_STATES[self._told]} and is {_STATES[not self._told]}. "
                "Check it by hand."
            )

    def make_safe(self) -> None:
        self._command(opened=self.output.safe == 1)

    def forget(self) -> None:
        """What was told, because the line is closed."""
        self._told = None

    def _command(self, *, opened: bool) -> None:
        request = self._options.open if opened else self._options.close
        with self._device.turn():
            self._told = None
            self._device.command(request, self._options.answer, f"{self.output.name} was told {request!r}")
            self._told = opened
            self.check()
