"""Voltages, 4-20 mA currents and bridges from one NI device or module, sampled continuously by its own clock.

What a read delivers is volts, amperes and volts a volt as the converter saw them; `labrig.model.calibrated` makes
quantities of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

import numpy as np
from pydantic import AfterValidator, Field

from labrig.drivers import Name, Period, Rate
from labrig.errors import InstrumentError, SamplesLost
from labrig.model import Block, Channel, Flags, Floats, Quality, judge_raw
from labrig.quantities import Duration
from labrig.roles import Now
from labrig_instruments.ni import OVERRUN, TOO_EARLY, Daq, SerialNumber, Server, Wanted, distinct
from labrig_instruments.ni_analog_options import AnalogInput
from labrig_instruments.sample_clock import SampleClock

_TIMEOUT: Final = 1.0
"""Seconds beyond the time that its samples take after which a read gives up."""
_CATCH_UP: Final = 1.0
"""Seconds of samples that one read takes at most when it is behind."""


def _at_least_one_hertz(rate: float) -> float:
    if rate < 1:
        raise ValueError(f"a rate of at least 1 Hz, not {rate:g} Hz")
    return rate


def _short(block: float) -> float:
    if not 0 < block <= 0.05:
        raise ValueError(f"a block of 50 ms at most, not {block * 1e3:g} ms")
    return block


class NiAnalogInput:
    """A stream: ``read`` waits for the next block of samples, and takes more when it is behind."""

    period: float = 0.0

    def __init__(
        self,
        name: str,
        now: Now,
        *,
        device: str,
        server: Server | None = None,
        product: str | None = None,
        serial_number: SerialNumber | None = None,
        rate: Annotated[Rate, AfterValidator(_at_least_one_hertz)] = 100.0,
        block: Annotated[Duration, AfterValidator(_short)] = 0.02,
        buffer: Period = 10.0,
        channels: Annotated[dict[Name, AnalogInput], Field(min_length=1), distinct("input")],
    ) -> None:
        """``buffer``: seconds of samples that NI-DAQmx keeps for a reader that is late."""
        self.name, self.rate = name, rate
        self._now, self._device, self._inputs = now, device, tuple(channels.values())
        self._wanted_rate, self._block_time, self._buffer = rate, block, buffer
        self.channels: tuple[Channel, ...] = tuple(
            options.as_channel(key, f"{device}/{options.input}", loop=options.is_loop())
            for key, options in channels.items()
        )
        self._names = tuple(channel.name for channel in self.channels)
        patience = _TIMEOUT + max(_CATCH_UP, 1 / rate) + 1.0
        self._daq = Daq(name, Wanted(device, server, product, serial_number), patience=patience)
        self._clock = SampleClock()
        self._task: Any = None  # nidaqmx ships no types
        self._reader: Any = None
        self._runs = False
        self._is_behind = False
        self._held: Block | None = None

    def open(self) -> str:
        """Connect, check identity, set up the acquisition; ``rate`` becomes the one that the hardware makes."""
        self.close()
        identity = self._daq.open()
        try:
            with self._daq.watched():
                self._set_up()
        except InstrumentError:
            self.close()
            raise
        return identity

    def close(self) -> None:
        self._task, self._reader, self._runs, self._held = None, None, False, None
        self._daq.close()

    def start(self) -> None:
        with self._daq.watched():
            self._begin(self._opened())

    def stop(self) -> None:
        if self._task is not None and self._runs:
            self._runs = False
            with self._daq.watched():
                self._task.stop()

    def read(self) -> Block:
        """The next samples, 50 ms of them at most, or up to a second of them when the reader is behind.

        Raises `SamplesLost` once after the driver's buffer overran: acquisition runs again by then, and the next
        block's index is ahead by the samples that are missing. Raises `LinkLost` for a device or server that is gone.
        """
        task = self._opened()
        held, self._held = self._held, None
        if held is not None:
            return held
        if not self._runs:
            raise InstrumentError(f"{self.name} is not started")
        with self._daq.watched():
            try:
                return self._take(self._due(task))
            except _daq_error() as error:
                if error.error_code not in OVERRUN:
                    raise
            raise self._recovered(task)

    def _set_up(self) -> None:
        from nidaqmx.constants import AcquisitionType, TaskMode
        from nidaqmx.stream_readers import AnalogMultiChannelReader

        self._task = task = self._daq.task()
        for options, channel in zip(self._inputs, self.channels, strict=True):
            options.add_to(task, channel)
        samples = max(2, round(self._buffer * self._wanted_rate))
        task.timing.cfg_samp_clk_timing(
            self._wanted_rate, sample_mode=AcquisitionType.CONTINUOUS, samps_per_chan=samples
        )
        self.rate = float(task.timing.samp_clk_rate)
        task.in_stream.input_buf_size = samples
        task.in_stream.auto_start = False  # a read that started it again would do so without the samples' times
        task.control(TaskMode.TASK_COMMIT)  # a start from here is short, and so is the doubt about its moment
        self._reader = AnalogMultiChannelReader(task.in_stream)
        self._reader.verify_array_shape = False

    def _opened(self) -> Any:  # noqa: ANN401 - nidaqmx ships no types
        if self._task is None:
            raise InstrumentError(f"{self.name} is not connected")
        return self._task

    def _begin(self, task: Any) -> None:  # noqa: ANN401 - nidaqmx ships no types
        before = self._now()
        task.start()
        self._clock.began(self.rate, before, self._now())
        self._runs, self._is_behind, self._held = True, False, None

    def _due(self, task: Any) -> int:  # noqa: ANN401 - nidaqmx ships no types
        """How many samples to ask for: a block, or what is there when the last read did not have to wait."""
        count = max(1, round(self._block_time * self.rate))
        if not self._is_behind:
            return count
        return min(max(count, int(task.in_stream.avail_samp_per_chan)), max(count, round(_CATCH_UP * self.rate)))

    def _take(self, count: int) -> Block:
        values = np.empty((len(self.channels), count))
        asked = self._now()
        try:
            self._reader.read_many_sample(values, count, timeout=count / self.rate + _TIMEOUT)
        except _daq_error() as error:
            taken = int(getattr(error, "samps_per_chan_read", 0))
            if error.error_code != TOO_EARLY or not taken:
                raise
            values = values[:, :taken]
        arrived = self._now()
        self._is_behind = (arrived - asked) / 1e9 < count / self.rate / 4
        stamp = self._clock.stamp(values.shape[1], arrived)
        raw = np.ascontiguousarray(values.T)
        return Block(
            self.name, self._names, stamp.first, stamp.times, raw, judged(raw, self.channels, after_gap=stamp.lost > 0)
        )

    def _recovered(self, task: Any) -> SamplesLost:  # noqa: ANN401 - nidaqmx ships no types
        """Start anew after an overrun; what was lost is known once the first block is there, which is held back."""
        last = self._clock.next - 1
        try:
            task.stop()
        except _daq_error() as error:
            if error.error_code not in OVERRUN:  # a stop repeats the error that ended the acquisition
                raise
        self._begin(task)
        self._held = self._take(max(1, round(self._block_time * self.rate)))
        return SamplesLost(self.name, last, self._held.first - last - 1)


def judged(raw: Floats, channels: Sequence[Channel], *, after_gap: bool) -> Flags:
    """Quality of raw samples, shape (n, c); ``after_gap`` marks the first row."""
    quality = np.empty(raw.shape, np.uint8)
    for column, channel in enumerate(channels):
        quality[:, column] = judge_raw(channel, raw[:, column])
    if after_gap:
        quality[0] |= np.uint8(Quality.AFTER_GAP)
    return quality


def _daq_error() -> Any:  # noqa: ANN401 - nidaqmx ships no types; imported late
    from nidaqmx.errors import DaqError

    return DaqError
