"""RPCs that make tasks, configure them and move them through their states."""

from __future__ import annotations

from nidaqmx._stubs import nidaqmx_pb2 as pb
from nidaqmx.constants import AcquisitionType, LineGrouping, TaskMode
from session_pb2 import Session

from labrig.plant import AddressKind
from labrig_instruments.simulated.ni.calls import Message, Unary
from labrig_instruments.simulated.ni.channels import (
    counter_channels,
    input_channels,
    line_channels,
    output_channels,
    renamed,
)
from labrig_instruments.simulated.ni.driver import Driver
from labrig_instruments.simulated.ni.errors import TEXTS, Code, DriverError
from labrig_instruments.simulated.ni.stream import Caller
from labrig_instruments.simulated.ni.tasks import State, Timing

INITIALIZE_NEW = 1
ATTACH = 2


class TaskCalls:
    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def calls(self) -> list[Unary]:
        return [
            Unary(pb.CreateTaskRequest, self._create),
            Unary(pb.ClearTaskRequest, self._clear),
            Unary(pb.StartTaskRequest, self._start),
            Unary(pb.StopTaskRequest, self._stop),
            Unary(pb.TaskControlRequest, self._control),
            Unary(pb.IsTaskDoneRequest, self._is_done),
            Unary(pb.WaitUntilTaskDoneRequest, self._wait_until_done),
            Unary(pb.CreateAIVoltageChanRequest, self._add_voltage),
            Unary(pb.CreateAICurrentChanRequest, self._add_current),
            Unary(pb.CreateAIBridgeChanRequest, self._add_bridge),
            Unary(pb.CreateCIFreqChanRequest, self._add_counter),
            Unary(pb.CreateAOVoltageChanRequest, self._add_output),
            Unary(pb.CreateDOChanRequest, self._add_lines),
            Unary(pb.CfgSampClkTimingRequest, self._set_clock),
            Unary(pb.ResetDeviceRequest, self._reset_device),
            Unary(pb.SelfTestDeviceRequest, self._self_test),
            Unary(pb.GetErrorStringRequest, self._error_text),
        ]

    def _create(self, request: Message, caller: Caller) -> Message:
        new = {INITIALIZE_NEW: True, ATTACH: False}.get(request.initialization_behavior)
        task, made = self._driver.create(request.session_name, caller.peer, new=new)
        return pb.CreateTaskResponse(task=Session(name=task.name), new_session_initialized=made)

    def _clear(self, request: Message, caller: Caller) -> Message:
        self._driver.clear(request.task.name)
        return pb.ClearTaskResponse()

    def _start(self, request: Message, caller: Caller) -> Message:
        with self._driver.task(request.task.name) as task:
            task.start()
        return pb.StartTaskResponse()

    def _stop(self, request: Message, caller: Caller) -> Message:
        with self._driver.task(request.task.name) as task:
            task.stop()
        return pb.StopTaskResponse()

    def _control(self, request: Message, caller: Caller) -> Message:
        with self._driver.task(request.task.name) as task:
            task.control(TaskMode(request.action or request.action_raw))
        return pb.TaskControlResponse()

    def _is_done(self, request: Message, caller: Caller) -> Message:
        with self._driver.task(request.task.name) as task:
            running = task.state is State.RUNNING
            done = not running or (task.stream is not None and task.stream.done())
        return pb.IsTaskDoneResponse(is_task_done=done)

    def _wait_until_done(self, request: Message, caller: Caller) -> Message:
        with self._driver.task(request.task.name) as task:
            stream = task.stream if task.state is State.RUNNING else None
        if stream is not None:
            total = stream.finite if stream.finite is not None else 2**62
            if not stream.wait_for(total, request.time_to_wait, caller):
                raise DriverError(Code.WAIT_UNTIL_DONE_DOES_NOT_INDICATE_DONE, f"Task Name: {request.task.name}")
        return pb.WaitUntilTaskDoneResponse()

    def _add_voltage(self, request: Message, caller: Caller) -> Message:
        self._add_inputs(request, "analog voltage")
        return pb.CreateAIVoltageChanResponse()

    def _add_current(self, request: Message, caller: Caller) -> Message:
        self._add_inputs(request, "analog current")
        return pb.CreateAICurrentChanResponse()

    def _add_bridge(self, request: Message, caller: Caller) -> Message:
        self._add_inputs(request, "bridge")
        return pb.CreateAIBridgeChanResponse()

    def _add_counter(self, request: Message, caller: Caller) -> Message:
        with self._driver.task(request.task.name) as task:
            channels = counter_channels(self._driver.devices, request.counter, request.min_val, request.max_val)
            if task.channels or len(channels) > 1:
                raise DriverError(Code.MULTIPLE_COUNTER_INPUT_TASK, f"Task Name: {task.name}")
            task.add(renamed(channels, request.name_to_assign_to_channel))
        return pb.CreateCIFreqChanResponse()

    def _add_inputs(self, request: Message, kind: AddressKind) -> None:
        with self._driver.task(request.task.name) as task:
            names, low, high = request.physical_channel, request.min_val, request.max_val
            channels = input_channels(self._driver.devices, names, kind, low, high)
            task.add(renamed(channels, request.name_to_assign_to_channel))

    def _add_output(self, request: Message, caller: Caller) -> Message:
        with self._driver.task(request.task.name) as task:
            names, low, high = request.physical_channel, request.min_val, request.max_val
            channels = output_channels(self._driver.devices, names, low, high)
            task.add(renamed(channels, request.name_to_assign_to_channel))
        return pb.CreateAOVoltageChanResponse()

    def _add_lines(self, request: Message, caller: Caller) -> Message:
        grouping = request.line_grouping or request.line_grouping_raw
        with self._driver.task(request.task.name) as task:
            one_per_line = grouping == LineGrouping.CHAN_PER_LINE.value
            channels = line_channels(self._driver.devices, request.lines, one_per_line=one_per_line)
            task.add(renamed(channels, request.name_to_assign_to_lines))
        return pb.CreateDOChanResponse()

    def _set_clock(self, request: Message, caller: Caller) -> Message:
        mode = request.sample_mode or request.sample_mode_raw
        allowed = {AcquisitionType.FINITE.value, AcquisitionType.CONTINUOUS.value}
        with self._driver.task(request.task.name) as task:
            if mode not in allowed:
                raise DriverError(
                    Code.INVALID_ATTRIBUTE_VALUE, f"Property: SampQuant.SampMode\nRequested Value: {mode}"
                )
            if request.source not in {"", "OnboardClock"}:
                raise DriverError(Code.ROUTE_NOT_SUPPORTED_BY_HW, f"Source Terminal: {request.source}")
            task.set_timing(Timing(request.rate, AcquisitionType(mode), request.samps_per_chan))
        return pb.CfgSampClkTimingResponse()

    def _reset_device(self, request: Message, caller: Caller) -> Message:
        self._driver.reset(request.device_name)
        return pb.ResetDeviceResponse()

    def _self_test(self, request: Message, caller: Caller) -> Message:
        self._driver.devices.device(request.device_name)
        return pb.SelfTestDeviceResponse()

    def _error_text(self, request: Message, caller: Caller) -> Message:
        return pb.GetErrorStringResponse(error_string=TEXTS.get(request.error_code, ""))
