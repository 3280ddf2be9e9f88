"""Digital lines and analog outputs, driven by the real nidaqmx package."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import nidaqmx
import numpy as np
import pytest
from nidaqmx.constants import LineGrouping
from nidaqmx.stream_readers import DigitalSingleChannelReader
from nidaqmx.stream_writers import AnalogSingleChannelWriter, DigitalMultiChannelWriter, DigitalSingleChannelWriter

from labrig_instruments.simulated.control import Control
from tests.simulated.clients import client, refused
from tests.simulated.conftest import Endpoints

LINES = tuple(f"cDAQ1Mod3/port0/line{k}" for k in range(3))


@pytest.fixture
def truth(known_process: Endpoints) -> Iterator[Control]:
    with Control(known_process.control) as control:
        yield control


@pytest.fixture
def options(known_process: Endpoints) -> Iterator[nidaqmx.GrpcSessionOptions]:
    with client(known_process.ni) as own:
        yield own


def states(control: Control) -> list[float]:
    outputs = control.outputs()
    return [outputs[line] for line in LINES]


def test_one_line_is_written_and_read_back(options: nidaqmx.GrpcSessionOptions, truth: Control) -> None:
    with nidaqmx.Task(grpc_options=options) as task:
        task.do_channels.add_do_chan(LINES[1])
        writer, reader = DigitalSingleChannelWriter(task.out_stream), DigitalSingleChannelReader(task.in_stream)
        task.start()
        for state in (True, False, True):
            writer.write_one_sample_one_line(state)

            assert states(truth)[1] == float(state)
            assert reader.read_one_sample_one_line() == state
        writer.write_one_sample_one_line(False)


def test_several_channels_are_written_together(options: nidaqmx.GrpcSessionOptions, truth: Control) -> None:
    with nidaqmx.Task(grpc_options=options) as task:
        task.do_channels.add_do_chan("cDAQ1Mod3/port0/line0:2", line_grouping=LineGrouping.CHAN_PER_LINE)
        writer = DigitalMultiChannelWriter(task.out_stream)
        task.start()
        for row in ([True, False, True], [False, True, False], [False, False, False]):
            writer.write_one_sample_one_line(np.array(row))

            assert states(truth) == row
            assert task.read() == row


def test_the_lines_of_one_channel_are_written_as_a_row_or_as_a_number(
    options: nidaqmx.GrpcSessionOptions, truth: Control
) -> None:
    with nidaqmx.Task(grpc_options=options) as task:
        task.do_channels.add_do_chan("cDAQ1Mod3/port0/line1:2", line_grouping=LineGrouping.CHAN_FOR_ALL_LINES)
        writer, reader = DigitalSingleChannelWriter(task.out_stream), DigitalSingleChannelReader(task.in_stream)
        task.start()
        writer.write_one_sample_multi_line(np.array([False, True]))
        assert states(truth) == [0, 0, 1]
        writer.write_one_sample_port_uint32(0b010)

        assert states(truth) == [0, 1, 0]
        assert reader.read_one_sample_port_uint32() == 0b010
        writer.write_one_sample_port_uint32(0)


def test_lines_that_nothing_is_wired_to_remember_all_the_same(options: nidaqmx.GrpcSessionOptions) -> None:
    with nidaqmx.Task(grpc_options=options) as task:
        task.do_channels.add_do_chan("cDAQ1Mod3/port0/line7")
        task.write(True, auto_start=True)

        assert task.read() is True


def test_outputs_stay_as_they_are_when_their_task_ends(options: nidaqmx.GrpcSessionOptions, truth: Control) -> None:
    with nidaqmx.Task(grpc_options=options) as task:
        task.do_channels.add_do_chan(LINES[0])
        task.write(True, auto_start=True)
    with nidaqmx.Task(grpc_options=options) as task:
        task.ao_channels.add_ao_voltage_chan("cDAQ1Mod4/ao0", min_val=0, max_val=10)
        task.write(4.25, auto_start=True)

    assert truth.outputs()[LINES[0]] == 1.0
    assert truth.outputs()["cDAQ1Mod4/ao0"] == 4.25


def test_resetting_a_device_brings_its_outputs_down_and_ends_its_tasks(
    options: nidaqmx.GrpcSessionOptions, truth: Control
) -> None:
    system = nidaqmx.system.System.remote(options)
    with nidaqmx.Task(grpc_options=options) as task:
        task.do_channels.add_do_chan(LINES[2])
        writer = DigitalSingleChannelWriter(task.out_stream, auto_start=False)
        task.start()
        writer.write_one_sample_one_line(True)

        system.devices["cDAQ1Mod3"].reset_device()

        assert states(truth) == [0, 0, 0]
        assert refused(lambda: writer.write_one_sample_one_line(True)) == -200846


def test_a_voltage_is_written_sample_by_sample(options: nidaqmx.GrpcSessionOptions, truth: Control) -> None:
    with nidaqmx.Task(grpc_options=options) as task:
        task.ao_channels.add_ao_voltage_chan("cDAQ1Mod4/ao0", min_val=0, max_val=10)
        writer = AnalogSingleChannelWriter(task.out_stream)
        task.start()
        for voltage in (0.0, 2.5, 10.0):
            writer.write_one_sample(voltage)

            assert truth.outputs()["cDAQ1Mod4/ao0"] == voltage


def test_a_voltage_beyond_the_channels_limits_is_refused_and_not_written(
    options: nidaqmx.GrpcSessionOptions, truth: Control
) -> None:
    with nidaqmx.Task(grpc_options=options) as task:
        task.ao_channels.add_ao_voltage_chan("cDAQ1Mod4/ao0:1", min_val=0, max_val=5)
        task.write([1.0, 1.0], auto_start=True)

        for voltages in ([2.0, 5.01], [-0.01, 2.0], [float("nan"), 2.0]):
            assert refused(partial(task.write, voltages, auto_start=True)) == -200561

    assert truth.outputs()["cDAQ1Mod4/ao0"] == 1.0
