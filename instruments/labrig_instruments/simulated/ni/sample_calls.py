"""RPCs that carry samples."""

from __future__ import annotations

import numpy as np
from nidaqmx._stubs import nidaqmx_pb2 as pb
from nidaqmx.constants import FillMode

from labrig_instruments.simulated.ni.calls import Message, Unary
from labrig_instruments.simulated.ni.driver import Driver
from labrig_instruments.simulated.ni.errors import Code, DriverError
from labrig_instruments.simulated.ni.reading import as_port, read_analog, read_frequency, read_lines
from labrig_instruments.simulated.ni.stream import Caller
from labrig_instruments.simulated.ni.wire import analog_answer
from labrig_instruments.simulated.ni.writing import write_analog, write_lines, write_ports


class SampleCalls:
    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def calls(self) -> list[Unary]:
        return [
            Unary(pb.ReadAnalogF64Request, self._read_analog),
            Unary(pb.ReadAnalogScalarF64Request, self._read_one_analog),
            Unary(pb.ReadCounterScalarF64Request, self._read_counter),
            Unary(pb.ReadDigitalLinesRequest, self._read_lines),
            Unary(pb.ReadDigitalU32Request, self._read_ports),
            Unary(pb.ReadDigitalScalarU32Request, self._read_one_port),
            Unary(pb.WriteAnalogF64Request, self._write_analog),
            Unary(pb.WriteAnalogScalarF64Request, self._write_one_analog),
            Unary(pb.WriteDigitalLinesRequest, self._write_lines),
            Unary(pb.WriteDigitalU32Request, self._write_ports),
            Unary(pb.WriteDigitalScalarU32Request, self._write_one_port),
        ]

    def _read_analog(self, request: Message, caller: Caller) -> bytes:
        count, timeout = request.num_samps_per_chan, request.timeout
        samples = read_analog(self._driver, request.task.name, count, timeout, caller)
        return analog_answer(
            samples.values,
            by_channel=_by_channel(request.fill_mode, request.fill_mode_raw),
            array_size=request.array_size_in_samps,
            status=int(Code.SAMPLES_NOT_YET_AVAILABLE) if samples.timed_out else 0,
        )

    def _read_one_analog(self, request: Message, caller: Caller) -> Message:
        samples = read_analog(self._driver, request.task.name, 1, request.timeout, caller)
        if samples.timed_out:
            raise DriverError(Code.SAMPLES_NOT_YET_AVAILABLE, read=0)
        return pb.ReadAnalogScalarF64Response(value=samples.values[0, 0])

    def _read_counter(self, request: Message, caller: Caller) -> Message:
        value = read_frequency(self._driver, request.task.name, request.timeout, caller)
        return pb.ReadCounterScalarF64Response(value=value)

    def _read_lines(self, request: Message, caller: Caller) -> Message:
        states = read_lines(self._driver, request.task.name)
        width = max(len(row) for row in states)
        packed = b"".join(bytes(row) + bytes(width - len(row)) for row in states)
        _check_room(len(packed), request.array_size_in_bytes)
        return pb.ReadDigitalLinesResponse(read_array=packed, samps_per_chan_read=1, num_bytes_per_samp=width)

    def _read_ports(self, request: Message, caller: Caller) -> Message:
        ports = self._ports(request.task.name)
        _check_room(len(ports), request.array_size_in_samps)
        return pb.ReadDigitalU32Response(read_array=ports, samps_per_chan_read=1)

    def _read_one_port(self, request: Message, caller: Caller) -> Message:
        return pb.ReadDigitalScalarU32Response(value=self._ports(request.task.name)[0])

    def _ports(self, name: str) -> list[int]:
        states = read_lines(self._driver, name)
        with self._driver.task(name) as task:
            return [as_port(channel.terminals, row) for channel, row in zip(task.channels, states, strict=True)]

    def _write_analog(self, request: Message, caller: Caller) -> Message:
        values = np.array(request.write_array)
        by_channel = _by_channel(request.data_layout, request.data_layout_raw)
        last = _last(values, request.num_samps_per_chan, by_channel=by_channel)
        write_analog(self._driver, request.task.name, last.tolist(), auto_start=request.auto_start)
        return pb.WriteAnalogF64Response(samps_per_chan_written=request.num_samps_per_chan)

    def _write_one_analog(self, request: Message, caller: Caller) -> Message:
        write_analog(self._driver, request.task.name, [request.value], auto_start=request.auto_start)
        return pb.WriteAnalogScalarF64Response()

    def _write_lines(self, request: Message, caller: Caller) -> Message:
        with self._driver.task(request.task.name) as task:
            width = max((len(channel.terminals) for channel in task.channels), default=1)
        states = np.frombuffer(request.write_array, np.bool_)
        if states.size % width:
            raise DriverError(Code.WRITE_NUM_CHANS_MISMATCH, f"Task Name: {request.task.name}")
        by_channel = _by_channel(request.data_layout, request.data_layout_raw)
        last = _last(states.reshape(-1, width), request.num_samps_per_chan, by_channel=by_channel)
        write_lines(self._driver, request.task.name, last.tolist(), auto_start=request.auto_start)
        return pb.WriteDigitalLinesResponse(samps_per_chan_written=request.num_samps_per_chan)

    def _write_ports(self, request: Message, caller: Caller) -> Message:
        values = np.array(request.write_array, np.int64)
        by_channel = _by_channel(request.data_layout, request.data_layout_raw)
        last = _last(values, request.num_samps_per_chan, by_channel=by_channel)
        write_ports(self._driver, request.task.name, last.tolist(), auto_start=request.auto_start)
        return pb.WriteDigitalU32Response(samps_per_chan_written=request.num_samps_per_chan)

    def _write_one_port(self, request: Message, caller: Caller) -> Message:
        write_ports(self._driver, request.task.name, [request.value], auto_start=request.auto_start)
        return pb.WriteDigitalScalarU32Response()


def _by_channel(mode: int, raw: int) -> bool:
    return bool((mode or raw) == FillMode.GROUP_BY_CHANNEL.value)


def _last(values: np.ndarray, count: int, *, by_channel: bool) -> np.ndarray:
    """The last of ``count`` samples of each channel: on demand, it is what remains on the output."""
    if count < 1 or len(values) % count:
        raise DriverError(Code.WRITE_NUM_CHANS_MISMATCH)
    return values[count - 1 :: count] if by_channel else values[-(len(values) // count) :]


def _check_room(needed: int, room: int) -> None:
    if needed > room:
        raise DriverError(Code.READ_BUFFER_TOO_SMALL, read=0)
