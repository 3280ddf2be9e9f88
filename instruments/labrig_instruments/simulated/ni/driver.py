"""The driver: every task of every client by name, and the hardware that they share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Final

from nidaqmx.constants import WDTTaskAction

from labrig_instruments.simulated.live import LivePlant
from labrig_instruments.simulated.ni.devices import Device, Inventory, inventory
from labrig_instruments.simulated.ni.errors import Code, DriverError
from labrig_instruments.simulated.ni.reservations import Reservations
from labrig_instruments.simulated.ni.stream import AnalogStream, Caller
from labrig_instruments.simulated.ni.tasks import State, Task
from labrig_instruments.simulated.ni.watchdogs import WatchdogTask, lock_of

VERSION: Final = (26, 0, 0)
"""Major, minor and update of NI-DAQmx that this driver claims to be."""


class SessionExists(Exception):
    """A client wants a new task under a name that another task has."""


class SessionMissing(Exception):
    """A client wants to attach to a task that does not exist."""


class Driver:
    """Holds the one lock of all tasks. Reads that wait do so outside of it."""

    def __init__(self, plant: LivePlant) -> None:
        self.plant = plant
        self.devices: Inventory = inventory(plant.addresses)
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._tasks: dict[str, Task] = {}
        self._reservations = Reservations()
        self._unnamed = 0
        self._lost: dict[str, Code] = {}
        """Tasks whose device was pulled out; they stay lost when it comes back."""
        self._strict: frozenset[str] = frozenset()
        """Chassis that refuse every task while their watchdog has gone off."""

    def create(self, name: str, owner: str, *, new: bool | None) -> tuple[Task, bool]:
        """A task, and whether it was made now. ``new`` demands (True) or forbids (False) that it be made."""
        return self._create(name, lambda final: Task(final, owner, self.plant, self._reservations), new=new)

    def create_watchdog(
        self, name: str, owner: str, device: str, timeout: float, *, new: bool | None
    ) -> tuple[Task, bool]:
        """The same for a watchdog of a device; -200662 for a device that has none."""
        found = self.devices.device(device)
        parts = (owner, self.plant, self._reservations)

        def make(final: str) -> WatchdogTask:
            return WatchdogTask(final, *parts, device=found, timeout=timeout, busy=self._busy)

        return self._create(name, make, new=new)

    def _create(self, name: str, make: Callable[[str], Task], *, new: bool | None) -> tuple[Task, bool]:
        with self._lock:
            known = self._tasks.get(name)
            if known is not None and name:
                if new:
                    raise SessionExists(name)
                return known, False
            if new is False:
                raise SessionMissing(name)
            if not name:
                name, self._unnamed = f"_unnamedTask<{self._unnamed}>", self._unnamed + 1
            self._tasks[name] = make(name)
            return self._tasks[name], True

    def _busy(self, device: Device) -> bool:
        """Whether a task holds a part of a chassis' modules."""
        return any(
            task.state >= State.RESERVED and any(channel.device.chassis == device.name for channel in task.channels)
            for task in self._tasks.values()
        )

    @contextmanager
    def task(self, name: str) -> Iterator[Task]:
        """The task, to oneself; -200088 for one that does not exist, and what is said of a device that is gone."""
        with self._changed:
            task = self._tasks.get(name)
            if task is None:
                raise DriverError(Code.INVALID_TASK, f"Task Name: {name}")
            if name in self._lost:
                raise DriverError(self._lost[name], f"Task Name: {name}")
            for channel in task.channels:
                self.devices.check_present(channel.device)
                if self._locked(lock := lock_of(self.devices, channel.device)):
                    raise DriverError(Code.CONFIG_FAILED_BECAUSE_WATCHDOG_EXPIRED, f"Device: {lock}")
            try:
                yield task
            finally:
                self._changed.notify_all()

    @contextmanager
    def watchdog(self, name: str) -> Iterator[WatchdogTask]:
        """The watchdog task, to oneself; -200635 for a task of another kind."""
        with self.task(name) as task:
            if not isinstance(task, WatchdogTask):
                raise DriverError(Code.ACTION_NOT_SUPPORTED_TASK_NOT_WATCHDOG, f"Task Name: {name}")
            yield task

    def unlock(self, task: WatchdogTask) -> None:
        """Let the device of a watchdog that has gone off be written again; -200644 for one that has to be reset."""
        if self._locked(task.device.name):
            raise DriverError(Code.CANT_RESET_EXPIRED_WATCHDOG, f"Device: {task.device.name}")
        task.act(WDTTaskAction.CLEAR_EXPIRATION)

    def be_strict(self, device: str, *, strict: bool) -> None:
        """Whether a watchdog that has gone off keeps a chassis from every task until it is reset."""
        name = self.devices.device(device).name
        with self._lock:
            self._strict = self._strict | {name} if strict else self._strict - {name}

    def _locked(self, device: str) -> bool:
        return device in self._strict and self.plant.has_gone_off(device)

    def check_unlocked(self, task: Task) -> None:
        """-200678 where a watchdog has gone off and was not cleared."""
        for channel in task.channels:
            if self.plant.has_gone_off(lock_of(self.devices, channel.device)):
                detail = f"Device: {channel.device.name}\n\nTask Name: {task.name}"
                raise DriverError(Code.WRITE_FAILED_BECAUSE_WATCHDOG_EXPIRED, detail)

    def next_stream(self, name: str, after: AnalogStream | None, caller: Caller) -> AnalogStream | None:
        """Waits until the task runs an acquisition other than ``after``; None once the task or the caller is gone."""
        with self._changed, caller.waiting_on(self._changed):
            while not caller.gone and (task := self._tasks.get(name)) is not None:
                if task.state is State.RUNNING and task.stream is not after:
                    return task.stream
                self._changed.wait()
        return None

    def clear(self, name: str) -> None:
        with self._changed:
            task = self._tasks.pop(name, None)
            self._lost.pop(name, None)
            if task is None:
                raise DriverError(Code.INVALID_TASK, f"Task Name: {name}")
            task.clear()
            self._changed.notify_all()

    def overrun(self, device: str) -> None:
        """Every acquisition on a device has run over its buffer."""
        with self._lock:
            affected = {each.name for each in self._with_modules(device)}
            streams = [
                task.stream
                for task in self._tasks.values()
                if task.state is State.RUNNING and any(channel.device.name in affected for channel in task.channels)
            ]
        for stream in streams:
            if stream is not None:
                stream.overrun()

    def remove(self, device: str, code: Code, *, power_lost: bool) -> None:
        """Pull a device out: its tasks end and are lost. Without power its outputs fall to 0, a watchdog forgets."""
        with self._changed:
            affected = self._with_modules(device)
            names = {each.name for each in affected}
            for name, task in self._tasks.items():
                watched = {task.device.name} if isinstance(task, WatchdogTask) else set()
                if names & (watched | {channel.device.name for channel in task.channels}):
                    self._lost[name] = code
                    if not watched or power_lost:
                        task.clear()
            if power_lost:
                self._power_up(affected)
            self.devices.absent[affected[0].name] = code
            self._changed.notify_all()

    def bring_back(self, device: str) -> None:
        with self._changed:
            self.devices.absent.pop(device, None)

    def _with_modules(self, device: str) -> tuple[Device, ...]:
        found = self.devices.device(device)
        return (found, *self.devices.modules(found.name))

    def _power_up(self, devices: Collection[Device]) -> None:
        for each in devices:
            for terminal in (*each.lines(), *each.outputs()):
                self.plant.command(terminal, 0.0)

    def reset(self, device: str) -> None:
        """End every task on a device, and on a chassis' modules, and bring its outputs to their power-up state.

        A watchdog on it that has gone off is forgotten.
        """
        affected = self._with_modules(device)
        found = affected[0]
        names = {each.name for each in affected}
        with self._lock:
            for task in self._tasks.values():
                touched = {channel.device.name for channel in task.channels}
                if touched & names or (isinstance(task, WatchdogTask) and task.device.name == found.name):
                    task.clear()
            self.plant.forgive(found.name)
            self._power_up(affected)

    def owners(self) -> set[str]:
        with self._lock:
            return {task.owner for task in self._tasks.values()}

    def abandon(self, owners: Collection[str]) -> None:
        """Clear the tasks of clients that are gone, as the driver does when a process ends; outputs stay.

        Watchdogs stay as well: they are for that very case.
        """
        with self._lock:
            for name, task in list(self._tasks.items()):
                if task.owner in owners and not isinstance(task, WatchdogTask):
                    task.clear()
                    del self._tasks[name]
                    self._lost.pop(name, None)
            self._changed.notify_all()

    def keep_up(self) -> None:
        with self._lock:
            streams = [task.stream for task in self._tasks.values() if task.stream is not None]
        for stream in streams:
            stream.keep_up()

    def close(self) -> None:
        """Clear every task, so that nobody waits any longer."""
        self.abandon(self.owners())
