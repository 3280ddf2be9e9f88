"""Virtual channels: what a client names, checked against the devices that are there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nidaqmx.constants import ChannelType
from nidaqmx.errors import DaqError
from nidaqmx.utils import unflatten_channel_string

from labrig.plant import AddressKind
from labrig_instruments.simulated.ni.devices import Device, Inventory
from labrig_instruments.simulated.ni.errors import Code, DriverError


@dataclass(frozen=True, slots=True)
class Channel:
    """One virtual channel: an analog terminal, or one or more digital lines."""

    name: str
    kind: ChannelType
    device: Device
    terminals: tuple[str, ...]
    low: float = 0.0
    high: float = 0.0
    source: str = ""
    """Terminal of a counter's signal where it is not the counter's own."""

    @property
    def reach(self) -> float:
        """Where the input range saturates, V or A: of the smallest range that holds ``low`` and ``high``."""
        product = self.device.product
        end = next(end for end in product.input_ranges if max(abs(self.low), abs(self.high)) <= end * product.headroom)
        return end * product.headroom


def input_channels(devices: Inventory, names: str, kind: AddressKind, low: float, high: float) -> list[Channel]:
    """Analog inputs; -200077 for limits beyond every range, -200431 for a device that measures something else."""
    found = [_terminal(devices, name, ChannelType.ANALOG_INPUT) for name in _expanded(names)]
    for device, terminal in found:
        if device.product.measures != kind:
            raise DriverError(Code.PHYS_CHAN_MEAS_TYPE, f"Physical Channel Name: {terminal}")
        limit = device.product.input_ranges[-1] * device.product.headroom
        _check_limits(terminal, low, high, limit, "AI")
    return [Channel(t, ChannelType.ANALOG_INPUT, device, (t,), low, high) for device, t in found]


def counter_channels(devices: Inventory, names: str, low: float, high: float) -> list[Channel]:
    """Counters that measure a frequency; -200077 for limits that are none."""
    found = [_terminal(devices, name, ChannelType.COUNTER_INPUT) for name in _expanded(names)]
    for _, terminal in found:
        if not 0 < low < high:
            detail = (
                f"Property: CI.Min, CI.Max\nRequested Values: {low:g}, {high:g}\n\nPhysical Channel Name: {terminal}"
            )
            raise DriverError(Code.INVALID_ATTRIBUTE_VALUE, detail)
    return [Channel(t, ChannelType.COUNTER_INPUT, device, (t,), low, high) for device, t in found]


def output_channels(devices: Inventory, names: str, low: float, high: float) -> list[Channel]:
    """Analog outputs; -200077 for limits beyond the range."""
    found = [_terminal(devices, name, ChannelType.ANALOG_OUTPUT) for name in _expanded(names)]
    for device, terminal in found:
        _check_limits(terminal, low, high, device.product.output_range, "AO")
    return [Channel(t, ChannelType.ANALOG_OUTPUT, device, (t,), low, high) for device, t in found]


def line_channels(devices: Inventory, names: str, *, one_per_line: bool) -> list[Channel]:
    """Digital output lines, as a channel each or as one channel."""
    lines = [line for name in _expanded(names) for line in _lines(devices, name)]
    if one_per_line:
        return [Channel(line, ChannelType.DIGITAL_OUTPUT, device, (line,)) for device, line in lines]
    name = lines[0][1] + ("..." if len(lines) > 1 else "")
    return [Channel(name, ChannelType.DIGITAL_OUTPUT, lines[0][0], tuple(line for _, line in lines))]


def renamed(channels: Sequence[Channel], name: str) -> list[Channel]:
    """With the name that the client gives: as it is for one channel, numbered for several."""
    if not name:
        return list(channels)
    names = [name] if len(channels) == 1 else [f"{name}{k}" for k in range(len(channels))]
    return [Channel(n, c.kind, c.device, c.terminals, c.low, c.high) for n, c in zip(names, channels, strict=True)]


def terminals(channels: Iterable[Channel]) -> list[str]:
    return [terminal for channel in channels for terminal in channel.terminals]


def _expanded(names: str) -> list[str]:
    try:
        expanded = unflatten_channel_string(names)
    except DaqError as error:
        raise DriverError(Code.INVALID_RANGE_OF_OBJECTS_SYNTAX_IN_STRING, f"Channels: {names}") from error
    if not expanded:
        raise DriverError(Code.PHYSICAL_CHANNEL_NOT_SPECIFIED)
    return [name.strip("/") for name in expanded]


def _terminal(devices: Inventory, name: str, kind: ChannelType) -> tuple[Device, str]:
    device, terminal = _split(devices, name)
    wanted = {
        ChannelType.ANALOG_INPUT: device.inputs(),
        ChannelType.ANALOG_OUTPUT: device.outputs(),
        ChannelType.COUNTER_INPUT: device.counters(),
    }
    if terminal in wanted[kind]:
        return device, terminal
    others = (*device.inputs(), *device.outputs(), *device.lines(), *device.ports(), *device.counters())
    code = Code.INVALID_PHYS_CHAN_TYPE if terminal in others else Code.PHYSICAL_CHAN_DOES_NOT_EXIST
    raise DriverError(code, f"Physical Channel Name: {terminal}")


def _lines(devices: Inventory, name: str) -> list[tuple[Device, str]]:
    device, terminal = _split(devices, name)
    if terminal in device.lines():
        return [(device, terminal)]
    if terminal in device.ports():
        return [(device, line) for line in device.lines()]
    analog = (*device.inputs(), *device.outputs())
    code = Code.INVALID_PHYS_CHAN_TYPE if terminal in analog else Code.PHYSICAL_CHAN_DOES_NOT_EXIST
    raise DriverError(code, f"Physical Channel Name: {terminal}")


def _split(devices: Inventory, name: str) -> tuple[Device, str]:
    """The device, and the terminal's full name in the driver's own spelling."""
    device_name, _, rest = name.partition("/")
    device = devices.device(device_name)
    return device, f"{device.name}/{rest.casefold()}"


def _check_limits(terminal: str, low: float, high: float, limit: float, family: str) -> None:
    if not -limit <= low < high <= limit:
        raise DriverError(
            Code.INVALID_ATTRIBUTE_VALUE,
            f"Property: {family}.Min, {family}.Max\nRequested Values: {low:g}, {high:g}\n"
            f"Maximum Value: {limit:g}\n\nPhysical Channel Name: {terminal}",
        )
