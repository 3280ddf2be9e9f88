"""Analog inputs, read by the real nidaqmx package from a plant whose every number is known."""

from __future__ import annotations

import threading

import nidaqmx
import numpy as np
import pytest
from nidaqmx.constants import READ_ALL_AVAILABLE, AcquisitionType
from nidaqmx.stream_readers import AnalogMultiChannelReader

from labrig_instruments.simulated.control import Control
from tests.simulated.clients import client, inputs, read, refused
from tests.simulated.conftest import Endpoints
from tests.simulated.known import known

INDEX = np.arange(100_000, dtype=np.float64)


def test_a_buffered_read_delivers_every_sample_once_and_in_order(known_process: Endpoints) -> None:
    with client(known_process.ni) as options, inputs(options, "cDAQ1Mod1/ai0:2") as task:
        task.start()

        blocks = [read(task, 50) for _ in range(4)]

    expected = [known(f"cDAQ1Mod1/ai{terminal}", INDEX[:200]) for terminal in range(3)]
    np.testing.assert_array_equal(np.concatenate(blocks, axis=1), expected)


def test_samples_are_taken_from_the_start_on_at_the_rate_that_is_read_back(known_process: Endpoints) -> None:
    with (
        client(known_process.ni) as options,
        Control(known_process.control) as control,
        inputs(options, "cDAQ1Mod1/ai31", rate=2000.0) as task,
    ):
        before = control.time()[0]
        task.start()
        after = control.time()[0]
        times = read(task, 200)[0]

    assert before % 10.0 <= times[0] <= after % 10.0
    np.testing.assert_allclose((np.diff(times) + 5) % 10 - 5, 1 / 2000, rtol=1e-9)


def test_no_sample_is_delivered_before_it_was_taken(known_process: Endpoints) -> None:
    with (
        client(known_process.ni) as options,
        Control(known_process.control) as control,
        inputs(options, "cDAQ1Mod1/ai31") as task,
    ):
        task.start()
        newest = read(task, 100)[0, -1]
        now = control.time()[0] % 10.0

    assert 0 <= (now - newest) % 10.0 < 1.0


@pytest.mark.parametrize(
    ("asked", "made"),
    [(1000.0, 1000.0), (3000.0, 80e6 / 26666), (7.0, 80e6 / 11428571)],
)
def test_the_rate_is_coerced_to_the_next_division_of_80_mhz(
    known_process: Endpoints, asked: float, made: float
) -> None:
    with client(known_process.ni) as options, inputs(options, "cDAQ1Mod1/ai0", rate=asked) as task:
        assert task.timing.samp_clk_rate == pytest.approx(made, rel=1e-12)


@pytest.mark.parametrize(
    ("rate", "samples", "expected"),
    [(50.0, 100, 1000), (1000.0, 100, 10_000), (1000.0, 25_000, 25_000), (20_000.0, 100, 100_000)],
)
def test_the_buffer_is_as_large_as_ni_documents_unless_the_client_says_otherwise(
    known_process: Endpoints, rate: float, samples: int, expected: int
) -> None:
    with client(known_process.ni) as options, inputs(options, "cDAQ1Mod1/ai0", rate=rate, samples=samples) as task:
        assert task.in_stream.input_buf_size == expected
        task.in_stream.input_buf_size = 4321
        assert task.in_stream.input_buf_size == 4321


def test_currents_are_read_in_amperes(known_process: Endpoints) -> None:
    with client(known_process.ni) as options, nidaqmx.Task(grpc_options=options) as task:
        task.ai_channels.add_ai_current_chan("cDAQ1Mod2/ai0:1", min_val=0.0, max_val=0.02)
        task.timing.cfg_samp_clk_timing(1000.0, sample_mode=AcquisitionType.CONTINUOUS)
        task.start()

        values = read(task, 20)

    np.testing.assert_array_equal(values, [known(f"cDAQ1Mod2/ai{k}", INDEX[:20]) for k in range(2)])


def test_two_modules_run_at_rates_of_their_own_beside_each_other(known_process: Endpoints) -> None:
    with (
        client(known_process.ni) as options,
        inputs(options, "cDAQ1Mod1/ai0", rate=1000.0) as slow,
        inputs(options, "cDAQ1Mod5/ai0:1", rate=4000.0) as fast,
    ):
        slow.start()
        fast.start()

        slow_values, fast_values = read(slow, 100), read(fast, 400)

    np.testing.assert_array_equal(slow_values[0], known("cDAQ1Mod1/ai0", INDEX[:100]))
    np.testing.assert_array_equal(fast_values[1], known("cDAQ1Mod5/ai1", INDEX[:400]))


def test_one_task_spans_modules(known_process: Endpoints) -> None:
    names = "cDAQ1Mod1/ai3, cDAQ1Mod5/ai1:0"
    with client(known_process.ni) as options, inputs(options, names) as task:
        task.start()

        values = read(task, 10)

    np.testing.assert_allclose(values[:, 0], [0.3, 0.1, 0.0], rtol=1e-12)


def test_a_finite_acquisition_ends_by_itself_and_has_no_more_to_give(known_process: Endpoints) -> None:
    with (
        client(known_process.ni) as options,
        inputs(options, "cDAQ1Mod1/ai0", mode=AcquisitionType.FINITE, samples=60) as task,
    ):
        task.start()
        task.wait_until_done(5.0)
        assert task.is_task_done()
        assert task.in_stream.total_samp_per_chan_acquired == 60
        first = read(task, 40)
        rest = np.zeros((1, 40))
        count = AnalogMultiChannelReader(task.in_stream).read_many_sample(rest, 40)

        assert refused(lambda: read(task, 1)) == -200278

    assert count == 20
    np.testing.assert_array_equal(np.concatenate([first[0], rest[0, :count]]), known("cDAQ1Mod1/ai0", INDEX[:60]))


def test_a_read_that_runs_out_of_time_returns_what_there_is_and_loses_nothing(known_process: Endpoints) -> None:
    values = np.full((2, 5000), np.nan)
    with client(known_process.ni) as options, inputs(options, "cDAQ1Mod1/ai0:1") as task:
        task.start()
        reader = AnalogMultiChannelReader(task.in_stream)
        reader.verify_array_shape = False
        with pytest.raises(nidaqmx.DaqReadError) as caught:
            reader.read_many_sample(values, 5000, timeout=0.2)
        partial = caught.value.samps_per_chan_read
        following = read(task, 10)

    assert caught.value.error_code == -200284
    assert 100 <= partial < 5000
    squashed = values.ravel()
    np.testing.assert_array_equal(squashed[:partial], known("cDAQ1Mod1/ai0", INDEX[:partial]))
    np.testing.assert_array_equal(squashed[partial : 2 * partial], known("cDAQ1Mod1/ai1", INDEX[:partial]))
    assert not squashed[2 * partial :].any()
    np.testing.assert_array_equal(following[0], known("cDAQ1Mod1/ai0", INDEX[partial : partial + 10]))


def test_a_buffer_that_ran_over_is_lost_until_the_task_is_started_again(known_process: Endpoints) -> None:
    with client(known_process.ni) as options, inputs(options, "cDAQ1Mod1/ai0", buffer=100) as task:
        task.start()
        read(task, 20)
        threading.Event().wait(0.3)

        assert refused(lambda: read(task, 10)) == -200279
        assert refused(lambda: read(task, 10)) == -200279
        assert refused(lambda: task.in_stream.avail_samp_per_chan) == -200279
        task.stop()
        task.start()
        again = read(task, 50)

    np.testing.assert_array_equal(again[0], known("cDAQ1Mod1/ai0", INDEX[:50]))


def test_whoever_waits_may_wait_for_more_than_the_buffer_holds(known_process: Endpoints) -> None:
    with client(known_process.ni) as options, inputs(options, "cDAQ1Mod1/ai0", buffer=50) as task:
        task.start()

        values = read(task, 300)

    np.testing.assert_array_equal(values[0], known("cDAQ1Mod1/ai0", INDEX[:300]))


def test_all_that_is_available_is_what_came_since_the_last_read(known_process: Endpoints) -> None:
    with client(known_process.ni) as options, inputs(options, "cDAQ1Mod1/ai0") as task:
        task.start()
        read(task, 100)
        threading.Event().wait(0.05)

        values = task.read(READ_ALL_AVAILABLE)

    assert len(values) >= 50
    np.testing.assert_array_equal(values, known("cDAQ1Mod1/ai0", INDEX[100 : 100 + len(values)]))


def test_a_task_without_a_clock_reads_one_value_when_asked(known_process: Endpoints) -> None:
    with (
        client(known_process.ni) as options,
        Control(known_process.control) as control,
        nidaqmx.Task(grpc_options=options) as task,
    ):
        task.ai_channels.add_ai_voltage_chan("cDAQ1Mod1/ai31,cDAQ1Mod1/ai4", min_val=-10, max_val=10)
        before = control.time()[0] % 10.0
        clock, voltage = task.read()
        after = control.time()[0] % 10.0

    assert (clock - before) % 10.0 <= (after - before) % 10.0
    assert voltage == pytest.approx(0.4, abs=0.001)


def test_a_range_that_is_too_small_cuts_the_signal(known_process: Endpoints) -> None:
    with client(known_process.ni) as options, nidaqmx.Task(grpc_options=options) as task:
        task.ai_channels.add_ai_voltage_chan("cDAQ1Mod1/ai1,cDAQ1Mod1/ai5", min_val=-0.2, max_val=0.2)

        low, high = task.read()

    assert low == pytest.approx(0.1, abs=0.001)
    assert high == pytest.approx(0.208)


def test_stopping_a_task_ends_the_read_that_waits_for_it(known_process: Endpoints) -> None:
    codes: list[int] = []
    with client(known_process.ni) as options, inputs(options, "cDAQ1Mod1/ai0") as task:
        task.start()
        reading = threading.Thread(target=lambda: codes.append(refused(lambda: read(task, 100_000, 60.0))))  # noqa: TID251
        reading.start()
        threading.Event().wait(0.1)

        task.stop()
        reading.join(5.0)

    assert codes == [-88710]
