"""Frequencies at the counters of one NI device: turbine and oval-gear meters, whose pulses are a volume each.

Each read measures one whole period of the signal, from its first edge to its second, so that a frequency is of now and
not of the last pulse that ever came. Where no period ends within the time that the slowest one takes, the frequency is
0: a meter that stands still and a wire that is broken look the same.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal

import numpy as np
from pydantic import Field

from labrig.drivers import ChannelOptions, Name, Period, Rate
from labrig.errors import InstrumentError
from labrig.model import Block, Channel, judge_raw
from labrig.roles import Now
from labrig_instruments.ni import TOO_EARLY, Daq, SerialNumber, Server, Wanted, distinct, terminal

_TIMEOUT: Final = 1.0
"""Seconds beyond the slowest period after which a server's silence counts as lost."""


class CounterInput(ChannelOptions):
    signals: ClassVar = ("Hz",)

    counter: Annotated[str, terminal(r"_?ctr\d+", "ctr0")]
    source: Annotated[str, terminal(r"PFI\d+", "PFI0")] | None = None
    """Where the signal comes in; unset, the counter's own terminal."""
    edge: Literal["rising", "falling"] = "rising"


class NiCounterInput:
    """A paced source: each counter is read in turn."""

    def __init__(
        self,
        name: str,
        now: Now,
        *,
        device: str,
        server: Server | None = None,
        product: str | None = None,
        serial_number: SerialNumber | None = None,
        period: Period = 0.1,
        slowest: Rate = 2.0,
        fastest: Rate = 10_000.0,
        channels: Annotated[dict[Name, CounterInput], Field(min_length=1), distinct("counter")],
    ) -> None:
        """``slowest``: below this frequency a meter counts as standing still."""
        if slowest >= fastest:
            raise InstrumentError(f"{name}: slowest below fastest, not {slowest:g} Hz and {fastest:g} Hz")
        self.name, self.period, self.rate = name, period, 1 / period
        self._now, self._device, self._inputs = now, device, tuple(channels.values())
        self._slowest, self._fastest = slowest, fastest
        self.channels: tuple[Channel, ...] = tuple(
            options.as_channel(key, f"{device}/{options.counter}") for key, options in channels.items()
        )
        patience = 2 / slowest + _TIMEOUT
        self._daq = Daq(name, Wanted(device, server, product, serial_number), patience=patience)
        self._counters: list[tuple[Any, Any]] = []  # tasks and readers; nidaqmx ships no types
        self._index = 0

    def open(self) -> str:
        """Connect, check identity, claim every counter."""
        self.close()
        identity = self._daq.open()
        try:
            with self._daq.watched():
                for options, channel in zip(self._inputs, self.channels, strict=True):
                    self._counters.append(self._claimed(options, channel))
        except InstrumentError:
            self.close()
            raise
        return identity

    def close(self) -> None:
        self._counters = []
        self._daq.close()

    def start(self) -> None:
        self._opened()

    def stop(self) -> None:
        """Nothing: a counter counts while it is read."""

    def read(self) -> Block:
        """The frequency at each counter, Hz, timed in the middle of its measurement."""
        counters, index = self._opened(), self._index
        self._index += 1
        asked = self._now()
        with self._daq.watched():
            raw = np.array([[self._frequency(task, reader) for task, reader in counters]])
        time = (asked + self._now()) // 2
        quality = np.column_stack([judge_raw(channel, raw[:, k]) for k, channel in enumerate(self.channels)])
        names = tuple(channel.name for channel in self.channels)
        return Block(self.name, names, index, np.array([time], np.int64), raw, quality)

    def _claimed(self, options: CounterInput, channel: Channel) -> tuple[Any, Any]:
        from nidaqmx.constants import Edge, TaskMode
        from nidaqmx.stream_readers import CounterReader

        task = self._daq.task()
        counter = task.ci_channels.add_ci_freq_chan(
            channel.address, min_val=self._slowest, max_val=self._fastest, edge=Edge[options.edge.upper()]
        )
        if options.source is not None:
            counter.ci_freq_term = f"/{self._device}/{options.source}"
        task.control(TaskMode.TASK_COMMIT)  # each read starts it anew; from here that is short
        return task, CounterReader(task.in_stream)

    def _frequency(self, task: Any, reader: Any) -> float:  # noqa: ANN401 - nidaqmx ships no types
        from nidaqmx.errors import DaqError

        try:
            return float(reader.read_one_sample_double(timeout=2 / self._slowest))
        except DaqError as error:
            if error.error_code != TOO_EARLY:
                raise
            task.stop()
            return 0.0

    def _opened(self) -> list[tuple[Any, Any]]:
        if not self._counters:
            raise InstrumentError(f"{self.name} is not connected")
        return self._counters
