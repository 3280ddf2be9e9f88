"""Watchdog tasks: a timer in the device that brings its outputs to stated states unless a program resets it in time.

The plant's own clock decides (`LivePlant.arm`), so that a watchdog goes off at its moment whoever is dead, frozen or
slow. It does not end with its client: NI's gRPC Device Server keeps the sessions of clients that are gone, and the
timer is in the hardware.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from nidaqmx.constants import Level, TaskMode, WatchdogAOExpirState, WDTTaskAction

from labrig_instruments.simulated.live import LivePlant
from labrig_instruments.simulated.ni.devices import Device, Inventory
from labrig_instruments.simulated.ni.errors import Code, DriverError
from labrig_instruments.simulated.ni.reservations import Reservations
from labrig_instruments.simulated.ni.tasks import State, Task

NEVER: Final = -1.0
"""A time-out that never ends."""
VOLTAGE: Final = int(WatchdogAOExpirState.VOLTAGE.value)
NO_CHANGE: Final = int(WatchdogAOExpirState.NO_CHANGE.value)
STATES: Final[Mapping[int, float | None]] = {Level.LOW.value: 0.0, Level.HIGH.value: 1.0, NO_CHANGE: None}
"""What a digital line is brought to, by NI's numbers; None leaves it."""


class WatchdogTask(Task):
    """One watchdog of one device. Not thread-safe: the driver locks."""

    def __init__(
        self,
        name: str,
        owner: str,
        plant: LivePlant,
        reservations: Reservations,
        *,
        device: Device,
        timeout: float,
        busy: Callable[[Device], bool],
    ) -> None:
        """``busy`` tells whether other tasks hold parts of the device."""
        super().__init__(name, owner, plant, reservations)
        limit = device.product.watchdog
        if not limit:
            raise DriverError(Code.WATCHDOG_TIMER_NOT_SUPPORTED, f"Device: {device.name}")
        if timeout != NEVER and not 0 < timeout <= limit:
            raise DriverError(
                Code.WATCHDOG_TIMEOUT_OUT_OF_RANGE_AND_NOT_SPECIAL_VAL,
                f"Requested Value: {timeout:g}\nMaximum Value: {limit:g}\n\nDevice: {device.name}",
            )
        self.device, self.timeout = device, timeout
        self.states: dict[str, float] = {}
        """Raw states by terminal."""
        self._busy = busy

    @property
    def expired(self) -> bool:
        """-200557 while the task does not run."""
        if self.state is not State.RUNNING:
            raise DriverError(Code.CANNOT_GET_PROPERTY_WHEN_TASK_NOT_RESERVED_COMMITTED_OR_RUNNING)
        return self._plant.has_gone_off(self.device.name)

    def set_states(self, states: Mapping[str, float]) -> None:
        self._refuse_while_running(Code.CAN_NOT_PERFORM_OP_WHILE_TASK_RUNNING)
        self.states.update(states)

    def set_timeout(self, timeout: float) -> None:
        self._refuse_while_running(Code.CANNOT_SET_PROPERTY_WHEN_TASK_RUNNING)
        self.timeout = timeout

    def verify(self) -> None:
        self.state = max(self.state, State.VERIFIED)

    def control(self, action: TaskMode) -> None:
        match action:
            case TaskMode.TASK_START:
                self.start()
            case TaskMode.TASK_STOP | TaskMode.TASK_ABORT:
                self.stop()
            case _:
                self.verify()

    def start(self) -> None:
        self._refuse_while_running(Code.CAN_NOT_PERFORM_OP_WHILE_TASK_RUNNING)
        if self._plant.has_gone_off(self.device.name):
            raise DriverError(Code.CONFIG_FAILED_BECAUSE_WATCHDOG_EXPIRED, f"Device: {self.device.name}")
        if self._busy(self.device):
            detail = f"Device: {self.device.name}"
            raise DriverError(Code.CANT_RESERVE_WATCHDOG_TASK_WHILE_OTHER_TASKS_RESERVED, detail)
        self._reservations.take(self.name, [f"{self.device.name}/watchdog"])
        self.state = State.RUNNING
        self._wind()

    def stop(self) -> None:
        """Disarms; a watchdog that has gone off keeps its device locked."""
        if self.state is State.RUNNING:
            self._plant.disarm(self.device.name)
            self._settle(State.VERIFIED)

    def act(self, action: WDTTaskAction) -> None:
        """Reset the timer, or unlock the device after it ran out. Outputs stay as they are until they are written."""
        if action is WDTTaskAction.CLEAR_EXPIRATION:
            self._plant.forgive(self.device.name)
        elif self._plant.has_gone_off(self.device.name):
            raise DriverError(Code.CANT_RESET_EXPIRED_WATCHDOG, f"Device: {self.device.name}")
        if self.state is State.RUNNING:
            self._wind()

    def _wind(self) -> None:
        if self.timeout != NEVER:
            self._plant.arm(self.device.name, self.timeout, self.states)


def lock_of(devices: Inventory, device: Device) -> str:
    """The device whose watchdog locks that device's outputs: a module's chassis, else itself."""
    return devices.device(device.chassis).name if device.chassis else device.name
