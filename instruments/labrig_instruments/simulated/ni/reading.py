"""Reads: of a running acquisition, of analog inputs on demand, and of what outputs were set to."""

from __future__ import annotations

from typing import Final

import numpy as np
from nidaqmx.constants import READ_ALL_AVAILABLE, ChannelType

from labrig_instruments.simulated.live import LivePlant
from labrig_instruments.simulated.ni.driver import Driver
from labrig_instruments.simulated.ni.errors import Code, DriverError
from labrig_instruments.simulated.ni.stream import AnalogStream, Caller, Samples
from labrig_instruments.simulated.ni.tasks import State, Task

ON_DEMAND_RATE: Final = 1000.0
"""Samples a second that a program can take one by one."""


def read_analog(driver: Driver, name: str, count: int, timeout: float, caller: Caller) -> Samples:
    """``count`` samples of each channel of a task; starts one that does not run, and stops it again."""
    if count < READ_ALL_AVAILABLE:
        raise DriverError(
            Code.INVALID_ATTRIBUTE_VALUE, f"Property: number of samples per channel\nRequested Value: {count}"
        )
    with driver.task(name) as task:
        if task.kind is not None and task.kind is not ChannelType.ANALOG_INPUT:
            raise DriverError(Code.INVALID_PHYS_CHAN_TYPE, f"Task Name: {name}")
        started = task.state is not State.RUNNING
        if started:
            if not task.auto_start:
                code = Code.CANNOT_READ_WHEN_AUTO_START_FALSE_AND_TASK_NOT_RUNNING_OR_COMMITTED
                raise DriverError(code, f"Task Name: {name}", read=0)
            task.start()
        stream = task.stream if task.timing is not None else None
        if stream is None:
            try:
                return _on_demand(driver.plant, task, count)
            finally:
                if started:
                    task.stop()
    try:
        return stream.take(_wanted(stream, count), timeout, caller)
    finally:
        if started:
            _stop_if_same(driver, name, stream)


def _wanted(stream: AnalogStream, count: int) -> int:
    if count != READ_ALL_AVAILABLE:
        return count
    return stream.available() if stream.finite is None else stream.finite - stream.position


def _stop_if_same(driver: Driver, name: str, stream: AnalogStream) -> None:
    """The task may have been cleared, and its name taken by another, while the read waited."""
    try:
        with driver.task(name) as task:
            if task.stream is stream:
                task.stop()
    except DriverError as error:
        if error.code is not Code.INVALID_TASK:
            raise


def _on_demand(plant: LivePlant, task: Task, count: int) -> Samples:
    """Samples that a program takes one by one, the last of them now."""
    count = 1 if count == READ_ALL_AVAILABLE else count
    first = task.next_demanded(count)
    start = plant.now() - (first + count - 1) / ON_DEMAND_RATE
    addresses = [channel.terminals[0] for channel in task.channels]
    raw = plant.acquire(addresses, first, count, ON_DEMAND_RATE, start)
    reach = np.array([[channel.reach] for channel in task.channels])
    return Samples(np.clip(raw, -reach, reach))


def read_frequency(driver: Driver, name: str, timeout: float, caller: Caller) -> float:
    """The frequency at a counter, Hz, once a whole period has passed; -200284 where none does within ``timeout``."""
    with driver.task(name) as task:
        if task.kind is not ChannelType.COUNTER_INPUT:
            raise DriverError(Code.INVALID_PHYS_CHAN_TYPE, f"Task Name: {name}")
        started = task.state is not State.RUNNING
        if started:
            task.start()
        (channel,) = task.channels
        index = task.next_demanded(1)
    frequency = _now(driver.plant, channel.terminals[0], index)
    period = 1 / frequency if frequency > 0 else np.inf
    caller.wait(min(period, timeout))
    if started and period <= timeout:
        with driver.task(name) as task:
            task.stop()
    if period > timeout:
        raise DriverError(Code.SAMPLES_NOT_YET_AVAILABLE, read=0)
    return _now(driver.plant, channel.terminals[0], index)


def _now(plant: LivePlant, address: str, index: int) -> float:
    start = plant.now() - index / ON_DEMAND_RATE
    return float(plant.acquire([address], index, 1, ON_DEMAND_RATE, start)[0, 0])


def read_lines(driver: Driver, name: str) -> list[list[bool]]:
    """The state of each line of each channel of a digital output task."""
    with driver.task(name) as task:
        if task.kind is not ChannelType.DIGITAL_OUTPUT:
            raise DriverError(Code.INVALID_PHYS_CHAN_TYPE, f"Task Name: {name}")
        return [[driver.plant.readback(line) != 0 for line in channel.terminals] for channel in task.channels]


def as_port(terminals: tuple[str, ...], states: list[bool]) -> int:
    """Lines as the bits of their port."""
    return sum(state << line_number(terminal) for terminal, state in zip(terminals, states, strict=True))


def line_number(terminal: str) -> int:
    return int(terminal.rpartition("line")[2])
