"""RPCs that make watchdog tasks and control them; NI starts and clears them as any other task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nidaqmx._stubs import nidaqmx_pb2 as pb
from nidaqmx.constants import WDTTaskAction
from session_pb2 import Session

from labrig_instruments.simulated.ni.calls import Message, Unary, attribute_of
from labrig_instruments.simulated.ni.channels import Channel, line_channels, output_channels, terminals
from labrig_instruments.simulated.ni.driver import Driver
from labrig_instruments.simulated.ni.errors import Code, DriverError
from labrig_instruments.simulated.ni.stream import Caller
from labrig_instruments.simulated.ni.watchdogs import NO_CHANGE, STATES, VOLTAGE, lock_of

INITIALIZE_NEW = 1
ATTACH = 2
EXPIRED = 0x21A8
TIMEOUT = 0x21A9


class WatchdogCalls:
    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def calls(self) -> list[Unary]:
        return [
            Unary(pb.CreateWatchdogTimerTaskExRequest, self._create),
            Unary(pb.CfgWatchdogDOExpirStatesRequest, self._set_lines),
            Unary(pb.CfgWatchdogAOExpirStatesRequest, self._set_outputs),
            Unary(pb.ControlWatchdogTaskRequest, self._control),
            Unary(pb.GetWatchdogAttributeBoolRequest, self._get_bool),
            Unary(pb.GetWatchdogAttributeDoubleRequest, self._get_double),
            Unary(pb.SetWatchdogAttributeDoubleRequest, self._set_double),
        ]

    def _create(self, request: Message, caller: Caller) -> Message:
        new = {INITIALIZE_NEW: True, ATTACH: False}.get(request.initialization_behavior)
        device, timeout = request.device_name, request.timeout
        task, made = self._driver.create_watchdog(request.session_name, caller.peer, device, timeout, new=new)
        return pb.CreateWatchdogTimerTaskExResponse(task=Session(name=task.name), new_session_initialized=made)

    def _set_lines(self, request: Message, caller: Caller) -> Message:
        channels = line_channels(self._driver.devices, request.channel_names, one_per_line=True)
        states = [STATES.get(int(state), 0.0) for state in request.expir_state_array]
        self._configure(request.task.name, channels, states)
        return pb.CfgWatchdogDOExpirStatesResponse()

    def _set_outputs(self, request: Message, caller: Caller) -> Message:
        channels = output_channels(self._driver.devices, request.channel_names, -10.0, 10.0)
        states: list[float | None] = []
        for value, kind in zip(request.expir_state_array, request.output_type_array, strict=True):
            if kind not in {VOLTAGE, NO_CHANGE}:
                raise DriverError(Code.INVALID_ATTRIBUTE_VALUE, f"Property: Watchdog.AO.OutputType\nRequested: {kind}")
            states.append(value if kind == VOLTAGE else None)
        self._configure(request.task.name, channels, states)
        return pb.CfgWatchdogAOExpirStatesResponse()

    def _configure(self, name: str, channels: Sequence[Channel], states: Sequence[float | None]) -> None:
        wanted: Mapping[str, float | None] = dict(zip(terminals(channels), states, strict=True))
        with self._driver.watchdog(name) as task:
            for channel in channels:
                if lock_of(self._driver.devices, channel.device) != task.device.name:
                    raise DriverError(Code.PHYSICAL_CHAN_DOES_NOT_EXIST, f"Physical Channel Name: {channel.name}")
            task.set_states({terminal: state for terminal, state in wanted.items() if state is not None})

    def _control(self, request: Message, caller: Caller) -> Message:
        with self._driver.watchdog(request.task.name) as task:
            action = WDTTaskAction(request.action or request.action_raw)
            if action is WDTTaskAction.CLEAR_EXPIRATION:
                self._driver.unlock(task)
            else:
                task.act(action)
        return pb.ControlWatchdogTaskResponse()

    def _get_bool(self, request: Message, caller: Caller) -> Message:
        _check(request, EXPIRED)
        with self._driver.watchdog(request.task.name) as task:
            return pb.GetWatchdogAttributeBoolResponse(value=task.expired)

    def _get_double(self, request: Message, caller: Caller) -> Message:
        _check(request, TIMEOUT)
        with self._driver.watchdog(request.task.name) as task:
            return pb.GetWatchdogAttributeDoubleResponse(value=task.timeout)

    def _set_double(self, request: Message, caller: Caller) -> Message:
        _check(request, TIMEOUT)
        with self._driver.watchdog(request.task.name) as task:
            task.set_timeout(request.value)
        return pb.SetWatchdogAttributeDoubleResponse()


def _check(request: Message, attribute: int) -> None:
    if attribute_of(request) != attribute:
        raise DriverError(Code.ATTR_NOT_SUPPORTED, f"Property: {attribute_of(request):#06x}")
