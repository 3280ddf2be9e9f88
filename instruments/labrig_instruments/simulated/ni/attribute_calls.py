"""RPCs that ask for properties: one for each family and type, all alike."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from nidaqmx._stubs import nidaqmx_pb2 as pb
from nidaqmx.utils import unflatten_channel_string

from labrig_instruments.simulated.ni.attributes import (
    BUFFER,
    CHANNEL,
    DEVICE,
    READ,
    SYSTEM,
    TASK,
    TIMING,
    WRITE,
    Value,
)
from labrig_instruments.simulated.ni.calls import Message, Unary, attribute_of
from labrig_instruments.simulated.ni.channels import Channel
from labrig_instruments.simulated.ni.driver import Driver
from labrig_instruments.simulated.ni.errors import Code, DriverError
from labrig_instruments.simulated.ni.stream import Caller
from labrig_instruments.simulated.ni.tasks import Task

INPUT_BUFFER = 0x186C
READ_AUTO_START = 0x1826
COUNTER_SOURCE = 0x18A2
Getter = TypeVar("Getter")


class AttributeCalls:
    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def calls(self) -> list[Unary]:
        families: list[tuple[str, str, Callable[[Message], Value]]] = [
            ("SystemInfoAttribute", "UInt32 String", self._of_system),
            ("DeviceAttribute", "UInt32 String Bool Int32 Double DoubleArray", self._of_device),
            ("TaskAttribute", "UInt32 String Bool", self._of(TASK)),
            ("ChanAttribute", "Int32 UInt32 Double String", self._of_channel),
            ("ReadAttribute", "UInt32 UInt64 String Bool", self._of(READ)),
            ("WriteAttribute", "UInt32", self._of(WRITE)),
            ("TimingAttribute", "Double Int32 UInt64 String", self._of(TIMING)),
            ("BufferAttribute", "UInt32", self._of(BUFFER)),
        ]
        gets = [_get(f"Get{family}{kind}", value) for family, kinds, value in families for kind in kinds.split()]
        return [
            *gets,
            Unary(pb.SetReadAttributeBoolRequest, self._set_auto_start),
            Unary(pb.SetChanAttributeStringRequest, self._set_source),
            Unary(pb.SetBufferAttributeUInt32Request, self._set_buffer),
            Unary(pb.ResetBufferAttributeRequest, self._reset_buffer),
        ]

    def _of_system(self, request: Message) -> Value:
        return _looked_up(SYSTEM, request)(self._driver)

    def _of_device(self, request: Message) -> Value:
        device = self._driver.devices.device(request.device_name)
        return _looked_up(DEVICE, request)(self._driver, device)

    def _of(self, table: Mapping[int, Callable[[Task], Value]]) -> Callable[[Message], Value]:
        def value(request: Message) -> Value:
            with self._driver.task(request.task.name) as task:
                return _looked_up(table, request)(task)

        return value

    def _of_channel(self, request: Message) -> Value:
        getter = _looked_up(CHANNEL, request)
        with self._driver.task(request.task.name) as task:
            return getter(_channel(task, request.channel))

    def _set_auto_start(self, request: Message, caller: Caller) -> Message:
        if attribute_of(request) != READ_AUTO_START:
            raise _unsupported(request)
        with self._driver.task(request.task.name) as task:
            task.auto_start = request.value
        return pb.SetReadAttributeBoolResponse()

    def _set_source(self, request: Message, caller: Caller) -> Message:
        if attribute_of(request) != COUNTER_SOURCE:
            raise _unsupported(request)
        with self._driver.task(request.task.name) as task:
            channel = _channel(task, request.channel)
            if not re.fullmatch(rf"/{channel.device.name}/PFI\d{{1,2}}", request.value):
                raise DriverError(Code.ROUTE_NOT_SUPPORTED_BY_HW, f"Source Terminal: {request.value}")
            task.channels[task.channels.index(channel)] = replace(channel, source=request.value)
        return pb.SetChanAttributeStringResponse()

    def _set_buffer(self, request: Message, caller: Caller) -> Message:
        self._check_is_input_buffer(request)
        with self._driver.task(request.task.name) as task:
            task.set_buffer(request.value)
        return pb.SetBufferAttributeUInt32Response()

    def _reset_buffer(self, request: Message, caller: Caller) -> Message:
        self._check_is_input_buffer(request)
        with self._driver.task(request.task.name) as task:
            task.set_buffer(None)
        return pb.ResetBufferAttributeResponse()

    def _check_is_input_buffer(self, request: Message) -> None:
        if attribute_of(request) != INPUT_BUFFER:
            raise _unsupported(request)


def _get(name: str, value: Callable[[Message], Value]) -> Unary:
    """Enumerations travel in ``value_raw``; a client that finds 0 in it takes the property for broken."""
    answer = getattr(pb, f"{name}Response")
    field = "value_raw" if name.endswith("Int32") and not name.endswith("UInt32") else "value"
    return Unary(getattr(pb, f"{name}Request"), lambda request, caller: answer(**{field: value(request)}))


def _looked_up(table: Mapping[int, Getter], request: Message) -> Getter:
    getter = table.get(attribute_of(request))
    if getter is None:
        raise _unsupported(request)
    return getter


def _channel(task: Task, names: str) -> Channel:
    """The first of the named channels; a client asks for properties that are alike for all of them."""
    wanted = unflatten_channel_string(names)[:1] or [channel.name for channel in task.channels[:1]]
    for channel in task.channels:
        if channel.name in wanted:
            return channel
    raise DriverError(Code.LAB_VIEW_INVALID_TASK_OR_CHANS, f"Channel Name: {names}\n\nTask Name: {task.name}")


def _unsupported(request: Message) -> DriverError:
    return DriverError(Code.ATTR_NOT_SUPPORTED, f"Property: {attribute_of(request):#06x}")
