"""Properties that a client can ask for, by NI's numbers (`nidaqmx` names them in its own source)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from nidaqmx.constants import AcquisitionType, ChannelType, SampleTimingType, UsageTypeAI, UsageTypeAO

from labrig_instruments.simulated.ni.channels import Channel
from labrig_instruments.simulated.ni.devices import Device
from labrig_instruments.simulated.ni.driver import VERSION, Driver
from labrig_instruments.simulated.ni.errors import Code, DriverError
from labrig_instruments.simulated.ni.stream import AnalogStream
from labrig_instruments.simulated.ni.tasks import State, Task, Timing, fastest_rate, made_rate

Value = bool | int | float | str | Sequence[float]


def listed(names: Sequence[str]) -> str:
    """As the driver lists names."""
    return ", ".join(names)


def _ranges(device: Device, measures: str) -> tuple[float, ...]:
    """Pairs of low and high."""
    if device.product.measures != measures:
        return ()
    return tuple(end for limit in device.product.input_ranges for end in (-limit, limit))


def _device_names(task: Task) -> list[str]:
    return list(dict.fromkeys(channel.device.name for channel in task.channels))


def _measures(channel: Channel) -> int:
    kinds = {"analog voltage": UsageTypeAI.VOLTAGE, "analog current": UsageTypeAI.CURRENT, "bridge": UsageTypeAI.BRIDGE}
    return int(kinds[channel.device.product.measures].value)


def _running(task: Task) -> AnalogStream:
    if task.state is not State.RUNNING or task.stream is None:
        raise DriverError(Code.CANNOT_GET_PROPERTY_WHEN_TASK_NOT_RESERVED_COMMITTED_OR_RUNNING)
    return task.stream


def _timing(task: Task) -> Timing:
    """As configured; reading it back verifies the task, as NI's driver does."""
    if task.timing is None:
        raise DriverError(Code.ATTR_NOT_SUPPORTED, f"Task Name: {task.name}")
    task.verify()
    return task.timing


def _timing_device(task: Task) -> str:
    _timing(task)
    device = task.channels[0].device
    return device.chassis or device.name


def _default_count(task: Task) -> int:
    """How many samples a read of all that is available means."""
    if task.kind is not ChannelType.ANALOG_INPUT or task.timing is None:
        return 1
    if task.timing.mode is AcquisitionType.FINITE:
        return task.timing.samples
    return _running(task).available()


SYSTEM: Final[Mapping[int, Callable[[Driver], Value]]] = {
    0x1272: lambda driver: VERSION[0],
    0x1923: lambda driver: VERSION[1],
    0x2F22: lambda driver: VERSION[2],
    0x193B: lambda driver: listed(driver.devices.names),
}

DEVICE: Final[Mapping[int, Callable[[Driver, Device], Value]]] = {
    0x0631: lambda driver, device: device.product.name,
    0x0632: lambda driver, device: device.serial,
    0x22CA: lambda driver, device: True,  # is_simulated
    0x29A9: lambda driver, device: device.product.category.value,
    0x2326: lambda driver, device: device.product.bus.value,
    0x29B6: lambda driver, device: listed([module.name for module in driver.devices.modules(device.name)]),
    0x29B7: lambda driver, device: device.chassis,
    0x29B8: lambda driver, device: device.slot,
    0x231E: lambda driver, device: listed(device.inputs()),
    0x231F: lambda driver, device: listed(device.outputs()),
    0x2320: lambda driver, device: "",  # DI lines
    0x2321: lambda driver, device: "",  # DI ports
    0x2322: lambda driver, device: listed(device.lines()),
    0x2323: lambda driver, device: listed(device.ports()),
    0x2324: lambda driver, device: listed(device.counters()),  # counter inputs
    0x2325: lambda driver, device: "",  # counter outputs
    0x298F: lambda driver, device: False,  # simultaneous sampling
    0x298C: lambda driver, device: device.product.rate,  # one channel
    0x298D: lambda driver, device: device.product.rate,  # all channels together
    0x2990: lambda driver, device: _ranges(device, "analog voltage"),
    0x2991: lambda driver, device: _ranges(device, "analog current"),
    0x2FD0: lambda driver, device: _ranges(device, "bridge"),
    0x299B: lambda driver, device: (
        (-device.product.output_range, device.product.output_range) if device.product.outputs else ()
    ),
}

TASK: Final[Mapping[int, Callable[[Task], Value]]] = {
    0x1276: lambda task: task.name,
    0x1273: lambda task: listed([channel.name for channel in task.channels]),
    0x2181: lambda task: len(task.channels),
    0x230E: lambda task: listed(_device_names(task)),
    0x29BA: lambda task: len(_device_names(task)),
    0x1274: lambda task: task.state is not State.RUNNING or (task.stream is not None and task.stream.done()),
}

CHANNEL: Final[Mapping[int, Callable[[Channel], Value]]] = {
    0x187F: lambda channel: channel.kind.value,
    0x18F5: lambda channel: listed(channel.terminals),
    0x1926: lambda channel: "",  # description
    0x0695: _measures,
    0x18A2: lambda channel: channel.source,  # CI.Freq.Term
    0x1108: lambda channel: UsageTypeAO.VOLTAGE.value,
    0x17DD: lambda channel: channel.high,  # AI.Max
    0x17DE: lambda channel: channel.low,  # AI.Min
    0x1815: lambda channel: channel.reach,  # AI.Rng.High
    0x1816: lambda channel: -channel.reach,  # AI.Rng.Low
    0x1186: lambda channel: channel.high,  # AO.Max
    0x1187: lambda channel: channel.low,  # AO.Min
    0x2179: lambda channel: len(channel.terminals),  # DO.NumLines
}

READ: Final[Mapping[int, Callable[[Task], Value]]] = {
    0x1823: lambda task: "",  # channels to read: all
    0x217B: lambda task: len(task.channels),
    0x217C: lambda task: max((len(channel.terminals) for channel in task.channels), default=0),
    0x1223: lambda task: _running(task).available(),
    0x192A: lambda task: _running(task).acquired(),
    0x1221: lambda task: _running(task).position,
    0x31E8: _default_count,
    0x1826: lambda task: task.auto_start,
}

WRITE: Final[Mapping[int, Callable[[Task], Value]]] = {
    0x217E: lambda task: len(task.channels),
    0x217F: lambda task: max((len(channel.terminals) for channel in task.channels), default=0),
}

TIMING: Final[Mapping[int, Callable[[Task], Value]]] = {
    0x1344: lambda task: made_rate(task.channels, _timing(task)),
    0x22C8: lambda task: fastest_rate(task.channels),
    0x1300: lambda task: _timing(task).mode.value,
    0x1310: lambda task: _timing(task).samples,
    0x1347: lambda task: (SampleTimingType.ON_DEMAND if task.timing is None else SampleTimingType.SAMPLE_CLOCK).value,
    0x1852: lambda task: f"/{_timing_device(task)}/ai/SampleClock",
}

BUFFER: Final[Mapping[int, Callable[[Task], Value]]] = {0x186C: lambda task: task.buffer}
