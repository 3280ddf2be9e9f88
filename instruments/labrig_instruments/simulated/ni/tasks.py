"""A task: its channels, its timing, and the states it goes through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from nidaqmx.constants import AcquisitionType, ChannelType, TaskMode

from labrig_instruments.simulated.live import LivePlant
from labrig_instruments.simulated.ni.channels import Channel
from labrig_instruments.simulated.ni.errors import Code, DriverError
from labrig_instruments.simulated.ni.reservations import Reservations, resources
from labrig_instruments.simulated.ni.stream import AnalogStream

TIMEBASE: Final = 80e6
"""Hz; a sample clock is this divided by a whole number."""


class State(IntEnum):
    """How far a task has gone, as NI's state model names it."""

    UNVERIFIED = 0
    VERIFIED = 1
    RESERVED = 2
    COMMITTED = 3
    RUNNING = 4


@dataclass(frozen=True, slots=True)
class Timing:
    """A sample clock as asked for."""

    rate: float
    mode: AcquisitionType
    samples: int
    """Of each channel: the length of a finite acquisition, the least buffer of a continuous one."""

    @property
    def coerced(self) -> float:
        """The rate that the hardware can make: the next one upward."""
        return TIMEBASE / max(1, int(TIMEBASE / self.rate * (1 + 1e-12)))


class Task:
    """Not thread-safe: the driver locks."""

    def __init__(self, name: str, owner: str, plant: LivePlant, reservations: Reservations) -> None:
        self.name, self.owner = name, owner
        self.channels: list[Channel] = []
        self.timing: Timing | None = None
        self.stream: AnalogStream | None = None
        self.state = State.UNVERIFIED
        self.auto_start = True
        """Whether a read starts a task that does not run."""
        self._plant, self._reservations = plant, reservations
        self._buffer: int | None = None
        self._resting = State.UNVERIFIED
        self._demanded = 0

    @property
    def kind(self) -> ChannelType | None:
        return self.channels[0].kind if self.channels else None

    def add(self, channels: Sequence[Channel]) -> None:
        self._refuse_while_running(Code.CAN_NOT_PERFORM_OP_WHILE_TASK_RUNNING)
        known = {channel.name for channel in self.channels}
        for channel in channels:
            if self.kind not in {None, channel.kind}:
                raise DriverError(Code.INVALID_PHYS_CHAN_TYPE, f"Channel Name: {channel.name}")
            if channel.name in known:
                raise DriverError(Code.CHAN_ALREADY_IN_TASK, f"Channel Name: {channel.name}")
            known.add(channel.name)
        self.channels += channels
        self._unverify()

    def set_timing(self, timing: Timing) -> None:
        self._refuse_while_running(Code.CAN_NOT_PERFORM_OP_WHILE_TASK_RUNNING)
        if not self.channels:
            raise DriverError(Code.CAN_NOT_PERFORM_OP_WHEN_NO_CHANS_IN_TASK)
        if not timing.rate > 0:
            raise DriverError(Code.INVALID_ATTRIBUTE_VALUE, f"Property: SampClk.Rate\nRequested Value: {timing.rate:g}")
        if timing.mode is AcquisitionType.FINITE and timing.samples < 2:
            detail = f"Property: SampQuant.SampPerChan\nRequested Value: {timing.samples}\nMinimum Value: 2"
            raise DriverError(Code.INVALID_ATTRIBUTE_VALUE, detail)
        self.timing = timing
        self._unverify()

    def set_buffer(self, samples: int | None) -> None:
        """Input buffer in samples of each channel; None for the driver's choice."""
        self._refuse_while_running(Code.CANNOT_SET_PROPERTY_WHEN_TASK_RUNNING)
        self._buffer = samples

    @property
    def buffer(self) -> int:
        if self.timing is None:
            return self._buffer or 0
        return default_buffer(self.timing) if self._buffer is None else self._buffer

    def verify(self) -> None:
        """That the hardware can do what is asked."""
        if not self.channels:
            raise DriverError(Code.CAN_NOT_PERFORM_OP_WHEN_NO_CHANS_IN_TASK)
        if self.timing is not None:
            if self.kind is not ChannelType.ANALOG_INPUT:
                raise DriverError(Code.INVALID_ATTRIBUTE_VALUE, "Property: SampTimingType\nYou Can Select: On Demand")
            fastest = fastest_rate(self.channels)
            if self.timing.rate > fastest:
                raise DriverError(
                    Code.INVALID_ATTRIBUTE_VALUE,
                    f"Property: SampClk.Rate\nRequested Value: {self.timing.rate:g}\nMaximum Value: {fastest:g}",
                )
        self.state = max(self.state, State.VERIFIED)

    def control(self, action: TaskMode) -> None:
        match action:
            case TaskMode.TASK_START:
                self.start()
            case TaskMode.TASK_STOP | TaskMode.TASK_ABORT:
                self.stop()
            case TaskMode.TASK_VERIFY:
                self.verify()
            case TaskMode.TASK_RESERVE:
                self._rise(State.RESERVED)
            case TaskMode.TASK_COMMIT:
                self._rise(State.COMMITTED)
            case TaskMode.TASK_UNRESERVE:
                self._refuse_while_running(Code.CAN_NOT_PERFORM_OP_WHILE_TASK_RUNNING)
                self._settle(State.VERIFIED)

    def start(self) -> None:
        self._refuse_while_running(Code.CAN_NOT_PERFORM_OP_WHILE_TASK_RUNNING)
        self._resting = max(self.state, State.VERIFIED)
        self._rise(State.COMMITTED)
        if self.timing is not None:
            finite = self.timing.samples if self.timing.mode is AcquisitionType.FINITE else None
            capacity = max(self.buffer, finite or 0)
            self.stream = AnalogStream(
                self._plant, self.channels, rate=made_rate(self.channels, self.timing), capacity=capacity, finite=finite
            )
        self.state = State.RUNNING

    def stop(self) -> None:
        """Back to the state before the start; nothing if the task does not run. Outputs stay as they are."""
        if self.state is State.RUNNING:
            if self.stream is not None:
                self.stream.end()
            self._settle(self._resting)

    def clear(self) -> None:
        self.stop()
        self._settle(State.UNVERIFIED)

    def next_demanded(self, count: int) -> int:
        """Index of the first of ``count`` samples that are taken on demand; none is ever taken twice."""
        first, self._demanded = self._demanded, self._demanded + count
        return first

    def _rise(self, state: State) -> None:
        self.verify()
        if self.state < State.RESERVED:
            self._reservations.take(self.name, resources(self.channels, timed=self.timing is not None))
        self.state = max(self.state, state)

    def _settle(self, state: State) -> None:
        if state < State.RESERVED:
            self._reservations.release(self.name)
        self.state = state

    def _unverify(self) -> None:
        self._settle(State.UNVERIFIED)

    def _refuse_while_running(self, code: Code) -> None:
        if self.state is State.RUNNING:
            raise DriverError(code, f"Task Name: {self.name}")


def made_rate(channels: Sequence[Channel], timing: Timing) -> float:
    """The rate that the hardware makes: the next one upward of those that every device in the task has."""
    for rate in next((channel.device.product.rates for channel in channels if channel.device.product.rates), ()):
        if rate >= timing.rate * (1 - 1e-9):
            return rate
    return timing.coerced


def fastest_rate(channels: Sequence[Channel]) -> float:
    """Samples a second that every device in the task can take of each of its channels."""
    devices = {channel.device.name: channel.device.product.rate for channel in channels}
    counts = {name: sum(channel.device.name == name for channel in channels) for name in devices}
    return min(rate / counts[name] for name, rate in devices.items())


def default_buffer(timing: Timing) -> int:
    """Samples of each channel that the driver allots to an input task by itself (NI-DAQmx Help, "Buffer Size")."""
    if timing.mode is AcquisitionType.FINITE:
        return timing.samples
    steps = ((100.0, 1_000), (10_000.0, 10_000), (1_000_000.0, 100_000))
    least = next((size for limit, size in steps if timing.rate <= limit), 1_000_000)
    return max(least, timing.samples)
