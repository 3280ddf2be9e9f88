"""Hardware watchdog of an NI device: brings lines and voltages to stated states when labrig does not pet it in time.

Chassis such as the cDAQ-9185 and cDAQ-9189 have one, and X Series cards for their digital lines. On a chassis it must
be armed before any other task is reserved, so it is opened first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field

from labrig.errors import InstrumentError, WatchdogExpired
from labrig.quantities import Duration, Voltage
from labrig.roles import Now
from labrig_instruments.ni import Daq, SerialNumber, Server, Wanted

_LEVELS: Final = {"low": 0.0, "high": 1.0}


def _reasonable(timeout: float) -> float:
    if not 0.1 <= timeout <= 10:
        raise ValueError(f"a time-out from 0.1 s to 10 s, not {timeout:g} s")
    return timeout


Line = Annotated[str, Field(pattern=r"^[\w-]+/port\d+/line\d+$")]
AnalogOutput = Annotated[str, Field(pattern=r"^[\w-]+/ao\d+$")]


class NiWatchdog:
    """One watchdog timer."""

    def __init__(
        self,
        name: str,
        now: Now,
        *,
        device: str,
        server: Server | None = None,
        product: str | None = None,
        serial_number: SerialNumber | None = None,
        timeout: Annotated[Duration, AfterValidator(_reasonable)] = 0.5,
        lines: Annotated[dict[Line, Literal["low", "high"]], Field(min_length=1)],
        outputs: dict[AnalogOutput, Voltage] | None = None,
    ) -> None:
        """``lines`` and ``outputs``: what each is brought to when the time runs out."""
        del now  # The time that counts is the device's.
        self.name = name
        self.guards: Mapping[str, float] = {
            **{line: _LEVELS[level] for line, level in lines.items()},
            **(outputs or {}),
        }
        """Raw state by address: what each output is brought to."""
        self._timeout, self._lines, self._voltages = timeout, dict(lines), dict(outputs or {})
        self._daq = Daq(name, Wanted(device, server, product, serial_number), patience=timeout)
        self._session = f"labrig watchdog {device}"
        self._task: Any = None  # nidaqmx ships no types
        self._runs = False
        self._was_expired = False
        self._petted = False

    def open(self) -> str:
        """Connect, check identity, arm. A watchdog that is found expired stays so: see `expired`."""
        self.close()
        identity = self._daq.open()
        try:
            with self._daq.watched():
                self._take_over()
                if not self._was_expired:
                    self._arm()
        except WatchdogExpired:
            self._was_expired = True
        except InstrumentError:
            self.close()
            raise
        return identity

    def close(self) -> None:
        """Disarm: the outputs stay as they are. One that has expired keeps them locked."""
        self._drop()
        self._was_expired = self._petted = False
        self._daq.close()

    def pet(self) -> None:
        """Start its time anew.

        Time that ran out before the first of all pets says only that starting took long, with every output still
        safe: it is armed again. Raises `WatchdogExpired` for every other time.
        """
        if self._was_expired:
            raise WatchdogExpired(self._explained())
        try:
            with self._daq.watched():
                self._opened().reset_timer()
        except WatchdogExpired:
            if self._petted:
                self._was_expired = True
                raise WatchdogExpired(self._explained()) from None
            self.rearm()
        self._petted = True

    def expired(self) -> bool:
        """Whether it has run out since it was armed, or had when it was opened."""
        if not self._was_expired and self._petted:
            with self._daq.watched():
                self._was_expired = bool(self._opened().expired)
        return self._was_expired

    def rearm(self) -> None:
        """Unlock the device and arm it again, as it is after `open`.

        A device that cannot be unlocked is reset, and its tasks are gone.
        """
        try:
            with self._daq.watched():
                self._opened().clear_expiration()
                if self._runs:
                    self._task.reset_timer()
                else:
                    self._arm()
        except InstrumentError:
            self._drop()
            with self._daq.watched():
                self._daq.reset()
                self._arm()
        self._was_expired = self._petted = False

    def _take_over(self) -> None:
        """The watchdog of a labrig that died may still be there: expired, it is kept; else it is made anew."""
        self._task = task = self._daq.watchdog(self._session, self._timeout)
        try:
            self._was_expired = bool(task.expired)
        except _daq_error():  # not running: it was made just now
            return
        self._runs = True
        if not self._was_expired:
            self._drop()

    def _arm(self) -> None:
        from nidaqmx.constants import Level, WatchdogAOExpirState
        from nidaqmx.types import AOExpirationState, DOExpirationState

        if self._task is None:
            self._task = self._daq.watchdog(self._session, self._timeout)
        levels = {"low": Level.LOW, "high": Level.HIGH}
        self._task.cfg_watchdog_do_expir_states(
            [DOExpirationState(physical_channel=line, expiration_state=levels[at]) for line, at in self._lines.items()]
        )
        if self._voltages:
            kind = WatchdogAOExpirState.VOLTAGE
            self._task.cfg_watchdog_ao_expir_states(
                [AOExpirationState(output, volts, kind) for output, volts in self._voltages.items()]
            )
        self._task.start()
        self._runs = True

    def _drop(self) -> None:
        task, self._task, self._runs = self._task, None, False
        if task is not None:
            try:
                with self._daq.watched():
                    task.close()
            except InstrumentError:
                return  # the device, its server or the task is gone: nothing is left to disarm

    def _opened(self) -> Any:  # noqa: ANN401 - nidaqmx ships no types
        if self._task is None:
            raise InstrumentError(f"{self.name} is not connected")
        return self._task

    def _explained(self) -> str:
        return (
            f"the hardware watchdog has expired: labrig did not pet it for {self._timeout:g} s. The outputs are in "
            "their safe states and stay there. Find out what stopped labrig, then reset it."
        )


def _daq_error() -> Any:  # noqa: ANN401 - nidaqmx ships no types; imported late
    from nidaqmx.errors import DaqError

    return DaqError
