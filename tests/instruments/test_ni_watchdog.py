"""The hardware watchdog, on a simulated rig whose own clock judges it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from nidaqmx.system import Device

from labrig.clock import monotonic
from labrig.errors import InstrumentError, WatchdogExpired
from labrig.roles import Watchdog
from labrig_instruments.ni_digital_output import DigitalLine, NiDigitalOutput
from labrig_instruments.ni_watchdog import NiWatchdog
from labrig_instruments.simulated.control import Control
from tests.instruments.ni_proxy import NiProxy
from tests.simulated.clients import client
from tests.simulated.conftest import KNOWN, Endpoints, simulated_rig

LINE, ANALOG = "cDAQ1Mod3/port0/line0", "cDAQ1Mod4/ao0"
HOLDER = """
import sys
from labrig.clock import monotonic
from labrig_instruments.ni_watchdog import NiWatchdog
from labrig_instruments.ni_digital_output import DigitalLine, NiDigitalOutput
low = {"cDAQ1Mod3/port0/line0": "low"}
dog = NiWatchdog("dog", monotonic, device="cDAQ1", server=sys.argv[1], timeout=0.5, lines=low)
feed = DigitalLine(line="port0/line0", opens="energised", safe="closed")
valves = NiDigitalOutput("valves", monotonic, device="cDAQ1Mod3", server=sys.argv[1], lines={"feed": feed})
dog.open(); valves.open(); dog.pet(); valves.output("feed").open(); dog.pet()
print("open", flush=True)
while True:
    dog.pet()
"""
Make = Callable[..., NiWatchdog]


@pytest.fixture(scope="module")
def rig() -> Iterator[Endpoints]:
    with simulated_rig([str(KNOWN)]) as endpoints:
        yield endpoints


@pytest.fixture
def control(rig: Endpoints) -> Iterator[Control]:
    with Control(rig.control) as port:
        yield port


@pytest.fixture
def watchdog(rig: Endpoints) -> Iterator[Make]:
    made: list[NiWatchdog] = []

    def make(**options: Any) -> NiWatchdog:  # noqa: ANN401 - whatever the driver takes
        defaults = {"device": "cDAQ1", "server": rig.ni, "timeout": 0.4, "lines": {LINE: "low"}}
        made.append(NiWatchdog("dog", monotonic, **{**defaults, **options}))
        return made[-1]

    yield make
    for each in made:
        each.close()
    with client(rig.ni) as options:  # unlock the outputs for the next test
        Device("cDAQ1", grpc_options=options).reset_device()


@pytest.fixture
def valves(rig: Endpoints) -> Iterator[NiDigitalOutput]:
    feed = DigitalLine(line="port0/line0", opens="energised", safe="closed")
    driver = NiDigitalOutput("valves", monotonic, device="cDAQ1Mod3", server=rig.ni, lines={"feed": feed})
    yield driver
    driver.close()


def wait(seconds: float) -> None:
    threading.Event().wait(seconds)


def until_low(control: Control, line: str = LINE, patience: float = 3.0) -> None:
    for _ in range(round(patience / 0.01)):
        if control.outputs()[line] == 0:
            return
        wait(0.01)
    raise AssertionError(f"{line} is still energised")


def test_it_is_a_watchdog(watchdog: Make) -> None:
    assert isinstance(watchdog(), Watchdog)


def test_a_petted_watchdog_leaves_the_outputs_alone(watchdog: Make, valves: NiDigitalOutput, control: Control) -> None:
    dog = watchdog()
    dog.open()
    valves.open()
    dog.pet()
    valves.output("feed").open()
    for _ in range(20):
        dog.pet()
        wait(0.05)

    assert not dog.expired()
    assert control.outputs()[LINE] == 1


@pytest.mark.fault("DEV-13")
def test_outputs_go_to_their_stated_states_within_the_timeout(
    watchdog: Make, valves: NiDigitalOutput, control: Control
) -> None:
    dog = watchdog(outputs={ANALOG: 0.0})
    dog.open()
    valves.open()
    dog.pet()
    valves.output("feed").open()
    dog.pet()
    petted, _ = control.time()
    until_low(control)

    assert control.time()[0] - petted < 0.4 + 0.1
    assert dog.expired()


@pytest.mark.fault("DEV-13")
def test_an_expired_watchdog_locks_the_outputs_until_it_is_armed_again(
    watchdog: Make, valves: NiDigitalOutput, control: Control
) -> None:
    dog = watchdog()
    dog.open()
    valves.open()
    dog.pet()
    wait(0.6)

    with pytest.raises(WatchdogExpired, match=r"the hardware watchdog has expired.*reset it"):
        dog.pet()
    with pytest.raises(WatchdogExpired, match=r"-200678"):
        valves.output("feed").open()
    with pytest.raises(WatchdogExpired):
        dog.pet()  # nothing is cleared by itself
    assert control.outputs()[LINE] == 0

    dog.rearm()
    dog.pet()
    valves.output("feed").open()

    assert not dog.expired()
    assert control.outputs()[LINE] == 1


def test_time_that_ran_out_before_the_first_pet_is_no_trip(watchdog: Make, valves: NiDigitalOutput) -> None:
    dog = watchdog()
    dog.open()
    valves.open()
    wait(0.6)

    assert not dog.expired()
    dog.pet()
    valves.output("feed").open()


def test_an_orderly_end_does_not_trip_later(watchdog: Make, valves: NiDigitalOutput, control: Control) -> None:
    dog = watchdog()
    dog.open()
    valves.open()
    dog.pet()
    valves.output("feed").open()
    dog.close()
    wait(0.6)

    assert control.outputs()[LINE] == 1
    valves.output("feed").close()


@pytest.mark.fault("DEV-16")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_outputs_are_safe_within_the_timeout_of_a_client_that_was_killed_or_frozen(
    rig: Endpoints, control: Control, watchdog: Make, valves: NiDigitalOutput, how: signal.Signals
) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, rig.ni], stdout=subprocess.PIPE) as client:
        assert client.stdout is not None
        assert client.stdout.readline() == b"open\n"
        assert control.outputs()[LINE] == 1
        os.kill(client.pid, how)
        struck, _ = control.time()
        until_low(control)
        lasted = control.time()[0] - struck
        client.kill()
    assert lasted < 0.5 + 0.1

    wait(0.5)  # until the simulated driver has noticed that the client is gone
    dog = watchdog()
    dog.open()
    assert dog.expired()
    with pytest.raises(WatchdogExpired):
        dog.pet()
    valves.open()  # with its outputs locked in their safe states
    with pytest.raises(WatchdogExpired):
        valves.output("feed").open()
    dog.rearm()
    dog.pet()
    valves.output("feed").open()


@pytest.mark.fault("DEV-14")
def test_a_device_without_a_watchdog_is_refused(watchdog: Make) -> None:
    with pytest.raises(InstrumentError, match=r"dog \(cDAQ1Mod3\) has no hardware watchdog \(-200662\)"):
        watchdog(device="cDAQ1Mod3").open()


def test_a_chassis_with_tasks_refuses_to_arm_one(watchdog: Make, valves: NiDigitalOutput) -> None:
    valves.open()

    with pytest.raises(InstrumentError, match="-201477"):
        watchdog().open()


def test_outputs_that_the_device_does_not_even_let_be_claimed_are_claimed_after_its_reset(
    rig: Endpoints, control: Control
) -> None:
    """As a chassis that refuses every task once its watchdog has run out."""
    proxy = NiProxy(rig.ni)
    feed = DigitalLine(line="port0/line0", opens="energised", safe="closed")
    driver = NiDigitalOutput("valves", monotonic, device="cDAQ1Mod3", server=proxy.address, lines={"feed": feed})
    try:
        proxy.faults["TaskControl"] = proxy.refuse(-201478)
        assert "serial number" in driver.open()
        with pytest.raises(WatchdogExpired):
            driver.make_safe()
        del proxy.faults["TaskControl"]

        driver.make_safe()
        driver.output("feed").open()
        assert control.outputs()[LINE] == 1
        driver.make_safe()
        assert control.outputs()[LINE] == 0
    finally:
        driver.close()
        proxy.close()


def test_a_device_that_cannot_be_unlocked_is_reset(
    rig: Endpoints, watchdog: Make, valves: NiDigitalOutput, control: Control
) -> None:
    """As the manual of the cDAQ-9185 and -9189 asks for."""
    proxy = NiProxy(rig.ni)
    try:
        dog = watchdog(server=proxy.address)
        dog.open()
        valves.open()
        dog.pet()
        wait(0.6)
        assert dog.expired()
        proxy.faults["ControlWatchdogTask"] = proxy.refuse(-201478)
        dog.rearm()
        del proxy.faults["ControlWatchdogTask"]

        dog.pet()
        assert not dog.expired()
        valves.open()  # its task is gone with the reset
        valves.output("feed").open()
        assert control.outputs()[LINE] == 1
    finally:
        dog.close()
        proxy.close()
