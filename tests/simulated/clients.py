"""The real ``nidaqmx`` package as a client of the simulated driver."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import grpc
import nidaqmx
import numpy as np
import pytest
from nidaqmx import GrpcSessionOptions
from nidaqmx.constants import AcquisitionType
from nidaqmx.stream_readers import AnalogMultiChannelReader

from labrig.model import Floats


@contextmanager
def client(address: str) -> Iterator[GrpcSessionOptions]:
    """Options of one client with a connection of its own."""
    alone = [("grpc.use_local_subchannel_pool", 1)]  # else every channel of this process shares one connection
    with grpc.insecure_channel(address, options=alone) as channel:
        yield GrpcSessionOptions(channel, "")


@contextmanager
def inputs(
    options: GrpcSessionOptions,
    names: str,
    *,
    rate: float = 1000.0,
    mode: AcquisitionType = AcquisitionType.CONTINUOUS,
    samples: int = 1000,
    buffer: int | None = None,
) -> Iterator[nidaqmx.Task]:
    """A configured voltage task, not started."""
    with nidaqmx.Task(grpc_options=options) as task:
        task.ai_channels.add_ai_voltage_chan(names, min_val=-10, max_val=10)
        task.timing.cfg_samp_clk_timing(rate, sample_mode=mode, samps_per_chan=samples)
        if buffer is not None:
            task.in_stream.input_buf_size = buffer
        yield task


def read(task: nidaqmx.Task, samples: int, timeout: float = 10.0) -> Floats:
    """``samples`` of each channel, shape (c, samples)."""
    reader = AnalogMultiChannelReader(task.in_stream)
    reader.verify_array_shape = False
    values = np.full((task.number_of_channels, samples), np.nan)
    assert reader.read_many_sample(values, samples, timeout) == samples
    return values


def refused(call: Callable[[], object]) -> int:
    """The number of NI's error that a call raises."""
    with pytest.raises(nidaqmx.DaqError) as caught:
        call()
    return int(caught.value.error_code)


def wait(seconds: float) -> None:
    threading.Event().wait(seconds)
