"""What the driver refuses, and with which number; and what it says of its devices."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import nidaqmx
import pytest
from nidaqmx.constants import AcquisitionType, ProductCategory, TaskMode
from nidaqmx.system import System

from tests.simulated.clients import client, inputs, read, refused
from tests.simulated.conftest import Endpoints


@pytest.fixture
def options(known_process: Endpoints) -> Iterator[nidaqmx.GrpcSessionOptions]:
    with client(known_process.ni) as own:
        yield own


def voltage(names: str, **keywords: float) -> Callable[[nidaqmx.Task], object]:
    return lambda task: task.ai_channels.add_ai_voltage_chan(names, **keywords)


def clocked(rate: float, **keywords: object) -> Callable[[nidaqmx.Task], object]:
    def call(task: nidaqmx.Task) -> object:
        task.ai_channels.add_ai_voltage_chan("cDAQ1Mod1/ai0:3")
        task.timing.cfg_samp_clk_timing(rate, **keywords)
        return task.timing.samp_clk_rate

    return call


@pytest.mark.parametrize(
    ("code", "call"),
    [
        pytest.param(-200220, voltage("Dev9/ai0"), id="a device that is not there"),
        pytest.param(-200170, voltage("cDAQ1Mod1/ai32"), id="a terminal beyond the last"),
        pytest.param(-200170, voltage("cDAQ1Mod1/oi0"), id="a terminal that is none"),
        pytest.param(
            -200170, lambda t: t.do_channels.add_do_chan("cDAQ1Mod3/port0/line8"), id="a line beyond the last"
        ),
        pytest.param(
            -200170, lambda t: t.do_channels.add_do_chan("cDAQ1Mod3/port1/line0"), id="a port beyond the last"
        ),
        pytest.param(-200430, voltage("cDAQ1Mod3/port0/line0"), id="a line as an input"),
        pytest.param(-200430, lambda t: t.ao_channels.add_ao_voltage_chan("cDAQ1Mod1/ai0"), id="an input as an output"),
        pytest.param(-200431, voltage("cDAQ1Mod2/ai0"), id="a voltage on a current module"),
        pytest.param(
            -200431, lambda t: t.ai_channels.add_ai_current_chan("cDAQ1Mod1/ai0"), id="a current on a voltage module"
        ),
        pytest.param(
            -200077, voltage("cDAQ1Mod1/ai0", min_val=-20, max_val=20), id="an input range beyond the hardware"
        ),
        pytest.param(-200077, voltage("cDAQ1Mod1/ai0", min_val=1, max_val=1), id="an input range of nothing"),
        pytest.param(
            -200077,
            lambda t: t.ao_channels.add_ao_voltage_chan("cDAQ1Mod4/ao0", min_val=0, max_val=11),
            id="an output range beyond the hardware",
        ),
        pytest.param(-200489, lambda t: [voltage("cDAQ1Mod1/ai0")(t) for _ in range(2)], id="a channel twice"),
        pytest.param(-200478, lambda t: t.start(), id="a start without channels"),
        pytest.param(-200478, lambda t: t.timing.cfg_samp_clk_timing(10.0), id="a clock without channels"),
        pytest.param(-200077, clocked(62501.0), id="a rate that the converter cannot share out"),
        pytest.param(-200077, clocked(0.0), id="no rate"),
        pytest.param(
            -200077,
            clocked(10.0, sample_mode=AcquisitionType.FINITE, samps_per_chan=1),
            id="a finite acquisition of one",
        ),
        pytest.param(-200368, clocked(10.0, source="PFI0"), id="a clock that is not wired"),
        pytest.param(
            -200077,
            clocked(10.0, sample_mode=AcquisitionType.HW_TIMED_SINGLE_POINT),
            id="a kind of acquisition that is not played",
        ),
        pytest.param(-200197, lambda t: t.in_stream.overloaded_chans, id="a property that is not known"),
    ],
)
def test_the_driver_refuses(
    options: nidaqmx.GrpcSessionOptions, code: int, call: Callable[[nidaqmx.Task], object]
) -> None:
    with nidaqmx.Task(grpc_options=options) as task:
        assert refused(lambda: call(task)) == code


def test_a_refusal_says_which_channel_it_is_about(options: nidaqmx.GrpcSessionOptions) -> None:
    with nidaqmx.Task(grpc_options=options) as task, pytest.raises(nidaqmx.DaqError, match=r"cDAQ1Mod1/ai99"):
        voltage("cDAQ1Mod1/ai99")(task)


def test_a_fastest_rate_is_shared_among_the_channels_of_a_module(options: nidaqmx.GrpcSessionOptions) -> None:
    with inputs(options, "cDAQ1Mod1/ai0:3", rate=62500.0) as task:
        assert task.timing.samp_clk_rate == 62500.0
        assert task.timing.samp_clk_max_rate == 62500.0


def test_a_running_task_is_neither_started_nor_changed(options: nidaqmx.GrpcSessionOptions) -> None:
    with inputs(options, "cDAQ1Mod1/ai0") as task:
        task.start()

        assert refused(task.start) == -200479
        assert refused(lambda: task.timing.cfg_samp_clk_timing(5.0)) == -200479
        assert refused(lambda: voltage("cDAQ1Mod1/ai1")(task)) == -200479
        assert refused(lambda: setattr(task.in_stream, "input_buf_size", 5)) == -200557


def test_a_stopped_task_has_no_samples_to_count_and_is_done(options: nidaqmx.GrpcSessionOptions) -> None:
    with inputs(options, "cDAQ1Mod1/ai0") as task:
        task.start()
        assert not task.is_task_done()
        task.stop()
        task.stop()

        assert task.is_task_done()
        assert refused(lambda: task.in_stream.avail_samp_per_chan) == -200983


def test_a_continuous_task_is_never_done(options: nidaqmx.GrpcSessionOptions) -> None:
    with inputs(options, "cDAQ1Mod1/ai0") as task:
        task.start()

        assert refused(lambda: task.wait_until_done(0.05)) == -200560


def test_a_module_serves_one_input_task_at_a_time(options: nidaqmx.GrpcSessionOptions) -> None:
    with inputs(options, "cDAQ1Mod1/ai0") as first, inputs(options, "cDAQ1Mod1/ai1") as second:
        first.start()
        assert refused(second.start) == -50103
        assert refused(lambda: second.control(TaskMode.TASK_RESERVE)) == -50103
        first.stop()
        second.start()

        assert refused(first.start) == -50103


def test_a_reserved_module_is_held_until_it_is_unreserved(options: nidaqmx.GrpcSessionOptions) -> None:
    with inputs(options, "cDAQ1Mod1/ai0") as first, inputs(options, "cDAQ1Mod1/ai1") as second:
        first.control(TaskMode.TASK_RESERVE)
        first.start()
        first.stop()
        assert refused(second.start) == -50103
        first.control(TaskMode.TASK_UNRESERVE)

        second.start()


def test_a_line_belongs_to_one_task_and_its_neighbour_to_another(options: nidaqmx.GrpcSessionOptions) -> None:
    with (
        nidaqmx.Task(grpc_options=options) as first,
        nidaqmx.Task(grpc_options=options) as same,
        nidaqmx.Task(grpc_options=options) as other,
    ):
        first.do_channels.add_do_chan("cDAQ1Mod3/port0/line0")
        same.do_channels.add_do_chan("cDAQ1Mod3/port0/line0")
        other.do_channels.add_do_chan("cDAQ1Mod3/port0/line1")
        first.start()

        assert refused(same.start) == -50103
        other.start()


def test_a_chassis_has_three_engines_for_timed_inputs(options: nidaqmx.GrpcSessionOptions) -> None:
    with (
        inputs(options, "cDAQ1Mod1/ai0") as one,
        inputs(options, "cDAQ1Mod5/ai0") as two,
        inputs(options, "cDAQ1Mod6/ai0") as three,
        inputs(options, "cDAQ1Mod7/ai0") as four,
    ):
        for task in (one, two, three):
            task.start()

        assert refused(four.start) == -50103


def test_a_cleared_task_is_no_task(options: nidaqmx.GrpcSessionOptions) -> None:
    with inputs(options, "cDAQ1Mod1/ai0") as task:
        again = nidaqmx.Task(grpc_options=options)
        handle = again._handle  # noqa: SLF001 - what a client holds that does not know of the clearing
        again.close()

        assert refused(lambda: task._interpreter.start_task(handle)) == -200088  # noqa: SLF001


def test_a_task_that_does_not_run_is_started_for_one_read(options: nidaqmx.GrpcSessionOptions) -> None:
    with inputs(options, "cDAQ1Mod1/ai0") as task, inputs(options, "cDAQ1Mod1/ai1") as other:
        read(task, 10)

        other.start()


def test_a_call_that_is_not_played_is_named_as_unsupported(options: nidaqmx.GrpcSessionOptions) -> None:
    with nidaqmx.Task(grpc_options=options) as task, pytest.raises(nidaqmx.errors.RpcError, match="not supported"):
        task.ci_channels.add_ci_count_edges_chan("cDAQ1Mod1/ctr0")


def test_the_devices_follow_from_what_is_wired(options: nidaqmx.GrpcSessionOptions) -> None:
    devices = {device.name: device for device in System.remote(options).devices}

    assert {name: device.product_type for name, device in devices.items()} == {
        **{"cDAQ1": "cDAQ-9189", "cDAQ1Mod2": "NI 9203", "cDAQ1Mod3": "NI 9472", "cDAQ1Mod4": "NI 9263"},
        **{f"cDAQ1Mod{slot}": "NI 9205" for slot in (1, 5, 6, 7)},
        **{"cDAQ1Mod8": "NI 9401", "cDAQ1Mod9": "NI 9237"},
    }
    assert all(device.is_simulated for device in devices.values())
    assert len({device.serial_num for device in devices.values()}) == len(devices)
    assert devices["cDAQ1"].product_category is ProductCategory.COMPACT_DAQ_CHASSIS
    assert [module.name for module in devices["cDAQ1"].chassis_module_devices] == [f"cDAQ1Mod{k}" for k in range(1, 10)]
    assert devices["cDAQ1Mod3"].compact_daq_chassis_device.name == "cDAQ1"
    assert devices["cDAQ1Mod3"].compact_daq_slot_num == 3


def test_a_device_names_its_terminals_and_ranges(options: nidaqmx.GrpcSessionOptions) -> None:
    devices = System.remote(options).devices

    assert devices["cDAQ1Mod1"].ai_physical_chans.channel_names == [f"cDAQ1Mod1/ai{k}" for k in range(32)]
    assert devices["cDAQ1Mod4"].ao_physical_chans.channel_names == [f"cDAQ1Mod4/ao{k}" for k in range(4)]
    assert devices["cDAQ1Mod3"].do_lines.channel_names == [f"cDAQ1Mod3/port0/line{k}" for k in range(8)]
    assert devices["cDAQ1Mod1"].ai_voltage_rngs == [-0.2, 0.2, -1.0, 1.0, -5.0, 5.0, -10.0, 10.0]
    assert refused(lambda: devices["cDAQ9"].product_type) == -200220


def test_a_task_says_what_it_is_made_of(options: nidaqmx.GrpcSessionOptions) -> None:
    with nidaqmx.Task("pressures", grpc_options=options) as task:
        task.ai_channels.add_ai_voltage_chan("CDAQ1mod1/AI0", "feed", min_val=0, max_val=10)
        task.ai_channels.add_ai_voltage_chan("cDAQ1Mod5/ai1:2", min_val=-1, max_val=1)

        assert task.name == "pressures"
        assert task.channel_names == ["feed", "cDAQ1Mod5/ai1", "cDAQ1Mod5/ai2"]
        assert [device.name for device in task.devices] == ["cDAQ1Mod1", "cDAQ1Mod5"]
        assert task.ai_channels["feed"].physical_channel.name == "cDAQ1Mod1/ai0"
        assert task.ai_channels["feed"].ai_max == 10


def test_two_clients_share_a_task_by_its_name(known_process: Endpoints, options: nidaqmx.GrpcSessionOptions) -> None:
    with inputs(options, "cDAQ1Mod1/ai0"), nidaqmx.Task("shared", grpc_options=options) as task:
        task.ai_channels.add_ai_voltage_chan("cDAQ1Mod5/ai0")
        with client(known_process.ni) as other, nidaqmx.Task("shared", grpc_options=other) as attached:
            assert attached.channel_names == ["cDAQ1Mod5/ai0"]

        assert task.channel_names == ["cDAQ1Mod5/ai0"]
