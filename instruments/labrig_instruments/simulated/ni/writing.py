"""Writes: what an output task is told, each value at the time it arrives. Hardware-timed generation is not played."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from nidaqmx.constants import ChannelType

from labrig_instruments.simulated.ni.driver import Driver
from labrig_instruments.simulated.ni.errors import Code, DriverError
from labrig_instruments.simulated.ni.reading import line_number
from labrig_instruments.simulated.ni.tasks import State, Task


def write_analog(driver: Driver, name: str, values: Sequence[float], *, auto_start: bool) -> None:
    """One value for each channel, V; -200561 for one beyond the channel's limits, and then nothing is written."""
    with _writing(driver, name, ChannelType.ANALOG_OUTPUT, len(values), auto_start=auto_start) as task:
        for channel, value in zip(task.channels, values, strict=True):
            if not channel.low <= value <= channel.high:
                raise DriverError(
                    Code.INVALID_AO_DATA_WRITE,
                    f"Channel Name: {channel.name}\nRequested Value: {value:g}\n"
                    f"Minimum Value: {channel.low:g}\nMaximum Value: {channel.high:g}\n\nTask Name: {name}",
                )
        for channel, value in zip(task.channels, values, strict=True):
            driver.plant.command(channel.terminals[0], value)


def write_lines(driver: Driver, name: str, states: Sequence[Sequence[bool]], *, auto_start: bool) -> None:
    """One row of line states for each channel."""
    with _writing(driver, name, ChannelType.DIGITAL_OUTPUT, len(states), auto_start=auto_start) as task:
        for channel, row in zip(task.channels, states, strict=True):
            if len(row) < len(channel.terminals):
                raise DriverError(Code.WRITE_NUM_CHANS_MISMATCH, f"Channel Name: {channel.name}")
            for line, state in zip(channel.terminals, row, strict=False):
                driver.plant.command(line, float(state))


def write_ports(driver: Driver, name: str, values: Sequence[int], *, auto_start: bool) -> None:
    """One number for each channel, whose bits are the lines of the port."""
    with _writing(driver, name, ChannelType.DIGITAL_OUTPUT, len(values), auto_start=auto_start) as task:
        for channel, value in zip(task.channels, values, strict=True):
            for line in channel.terminals:
                driver.plant.command(line, float((value >> line_number(line)) & 1))


@contextmanager
def _writing(driver: Driver, name: str, kind: ChannelType, count: int, *, auto_start: bool) -> Iterator[Task]:
    """A task that runs, or is started for this write and stopped after it."""
    with driver.task(name) as task:
        if not task.channels:
            raise DriverError(Code.CAN_NOT_PERFORM_OP_WHEN_NO_CHANS_IN_TASK, f"Task Name: {name}")
        if task.kind is not kind:
            raise DriverError(Code.INVALID_PHYS_CHAN_TYPE, f"Task Name: {name}")
        if count != len(task.channels):
            raise DriverError(Code.WRITE_NUM_CHANS_MISMATCH, f"Task Name: {name}")
        driver.check_unlocked(task)
        if task.state is State.RUNNING:
            yield task
            return
        if not auto_start:
            raise DriverError(Code.CANNOT_WRITE_WHEN_AUTO_START_FALSE_AND_TASK_NOT_RUNNING, f"Task Name: {name}")
        task.start()
        try:
            yield task
        finally:
            task.stop()
