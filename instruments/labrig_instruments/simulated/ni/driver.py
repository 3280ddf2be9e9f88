"""The driver: every task of every client by name, and the hardware that they share."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Final

from labrig_instruments.simulated.live import LivePlant
from labrig_instruments.simulated.ni.devices import Inventory, inventory
from labrig_instruments.simulated.ni.errors import Code, DriverError
from labrig_instruments.simulated.ni.reservations import Reservations
from labrig_instruments.simulated.ni.stream import AnalogStream, Caller
from labrig_instruments.simulated.ni.tasks import State, Task

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

    def create(self, name: str, owner: str, *, new: bool | None) -> tuple[Task, bool]:
        """A task, and whether it was made now. ``new`` demands (True) or forbids (False) that it be made."""
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
            self._tasks[name] = Task(name, owner, self.plant, self._reservations)
            return self._tasks[name], True

    @contextmanager
    def task(self, name: str) -> Iterator[Task]:
        """The task, to oneself; -200088 for one that does not exist."""
        with self._changed:
            task = self._tasks.get(name)
            if task is None:
                raise DriverError(Code.INVALID_TASK, f"Task Name: {name}")
            try:
                yield task
            finally:
                self._changed.notify_all()

    def next_stream(self, name: str, after: AnalogStream | None, caller: Caller) -> AnalogStream | None:
        """Waits until the task runs an acquisition other than ``after``; None once the task or the caller is gone."""
        with self._changed, caller.waiting_on(self._changed):
            while not caller.gone and (task := self._tasks.get(name)) is not None:
                if task.state is State.RUNNING and task.stream is not after:
                    return task.stream
                self._changed.wait()
        return None

    def clear(self, name: str) -> None:
        with self.task(name) as task:
            task.clear()
            del self._tasks[name]

    def reset(self, device: str) -> None:
        """Stop every task on a device and bring its outputs to their power-up state."""
        found = self.devices.device(device)
        with self._lock:
            for task in self._tasks.values():
                if any(channel.device.name == found.name for channel in task.channels):
                    task.clear()
            for terminal in (*found.lines(), *found.outputs()):
                self.plant.command(terminal, 0.0)

    def owners(self) -> set[str]:
        with self._lock:
            return {task.owner for task in self._tasks.values()}

    def abandon(self, owners: Collection[str]) -> None:
        """Clear the tasks of clients that are gone, as the driver does when a process ends; outputs stay."""
        with self._lock:
            for name, task in list(self._tasks.items()):
                if task.owner in owners:
                    task.clear()
                    del self._tasks[name]
            self._changed.notify_all()

    def keep_up(self) -> None:
        with self._lock:
            streams = [task.stream for task in self._tasks.values() if task.stream is not None]
        for stream in streams:
            stream.keep_up()

    def close(self) -> None:
        """Clear every task, so that nobody waits any longer."""
        self.abandon(self.owners())
