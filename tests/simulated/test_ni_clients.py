"""Clients that come and go, and events; as the local driver deals with them."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import nidaqmx
import pytest
from nidaqmx.constants import AcquisitionType
from nidaqmx.errors import DaqError

from labrig_instruments.simulated.control import Control
from tests.simulated.clients import client, inputs, read, refused
from tests.simulated.conftest import Endpoints

FREED_WITHIN = 1.0
ANOTHER_CLIENT = """
import sys, threading
from tests.simulated.clients import client, inputs, read
import nidaqmx
address, module, waits = sys.argv[1:]
with client(address) as options, inputs(options, f"{module}/ai0") as task, nidaqmx.Task(grpc_options=options) as valve:
    valve.do_channels.add_do_chan("cDAQ1Mod3/port0/line0")
    valve.start()
    valve.write(True)
    task.start()
    print("running", flush=True)
    read(task, 10**7, 600.0) if waits == "waiting" else threading.Event().wait()
"""


@pytest.mark.parametrize("doing", ["waiting", "idle"])
def test_the_tasks_of_a_killed_client_are_freed_and_its_valves_stay(fresh_process: Endpoints, doing: str) -> None:
    killed = subprocess.Popen(
        [sys.executable, "-c", ANOTHER_CLIENT, fresh_process.ni, "cDAQ1Mod1", doing],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert killed.stdout is not None
    try:
        assert killed.stdout.readline() == b"running\n"
        with client(fresh_process.ni) as options, inputs(options, "cDAQ1Mod1/ai0") as task:
            assert refused(task.start) == -50103
            killed.send_signal(signal.SIGKILL)
            killed.wait()

            waited = seconds_until_started(task)

            assert waited < FREED_WITHIN
            read(task, 10)
    finally:
        killed.kill()
        killed.wait()
        killed.stdout.close()
    with Control(fresh_process.control) as control:
        assert control.outputs()["cDAQ1Mod3/port0/line0"] == 1.0


def seconds_until_started(task: nidaqmx.Task) -> float:
    begun = time.monotonic()
    while time.monotonic() < begun + 10:
        try:
            task.start()
        except DaqError as error:
            if error.error_code != -50103:
                raise
            threading.Event().wait(0.01)
        else:
            return time.monotonic() - begun
    raise AssertionError("the module was never freed")


def test_a_client_that_says_nothing_for_a_while_keeps_its_tasks(known_process: Endpoints) -> None:
    with (
        client(known_process.ni) as silent,
        client(known_process.ni) as other,
        inputs(silent, "cDAQ1Mod1/ai0") as held,
        inputs(other, "cDAQ1Mod1/ai0") as task,
    ):
        held.start()
        threading.Event().wait(1.5 * FREED_WITHIN)

        assert refused(task.start) == -50103
        read(held, 10)


def test_every_so_many_samples_the_client_is_called(known_process: Endpoints) -> None:
    counts: list[int] = []
    enough = threading.Event()

    def called(task_handle: object, event_type: object, samples: int, data: object) -> int:
        counts.append(samples)
        if len(counts) == 4:
            enough.set()
        return 0

    with client(known_process.ni) as options, inputs(options, "cDAQ1Mod1/ai0") as task:
        task.register_every_n_samples_acquired_into_buffer_event(50, called)
        begun = time.monotonic()
        task.start()

        assert enough.wait(5.0)
        elapsed = time.monotonic() - begun
        task.register_every_n_samples_acquired_into_buffer_event(50, None)

    assert counts[:4] == [50, 50, 50, 50]
    assert elapsed > 0.195


def test_the_end_of_a_finite_acquisition_is_told_once(known_process: Endpoints) -> None:
    statuses: list[int] = []
    told = threading.Event()

    def done(task_handle: object, status: int, data: object) -> int:
        statuses.append(status)
        told.set()
        return 0

    with (
        client(known_process.ni) as options,
        inputs(options, "cDAQ1Mod1/ai0", mode=AcquisitionType.FINITE, samples=50) as task,
    ):
        task.register_done_event(done)
        task.start()
        assert told.wait(5.0)
        task.stop()

    assert statuses == [0]


def test_events_are_registered_before_the_start_or_not_at_all(known_process: Endpoints) -> None:
    with client(known_process.ni) as options, inputs(options, "cDAQ1Mod1/ai0") as task:
        task.start()

        assert refused(lambda: task.register_done_event(lambda *_: 0)) == -200960


def test_forty_reads_wait_at_once_and_none_delays_a_valve(known_process: Endpoints) -> None:
    with client(known_process.ni) as options, inputs(options, "cDAQ1Mod1/ai0") as task:
        task.start()
        readers = [threading.Thread(target=read, args=(task, 20, 30.0)) for _ in range(40)]  # noqa: TID251
        for reader in readers:
            reader.start()
        with nidaqmx.Task(grpc_options=options) as valve:
            valve.do_channels.add_do_chan("cDAQ1Mod3/port0/line2")
            begun = time.monotonic()
            valve.write(False, auto_start=True)
            elapsed = time.monotonic() - begun
        for reader in readers:
            reader.join()

    assert elapsed < 0.5
