"""The arithmetic of a running acquisition, in a time that the test makes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig.errors import ConfigError
from labrig.plant import AddressKind
from labrig_instruments.simulated.live import LivePlant
from labrig_instruments.simulated.ni.channels import Channel, input_channels
from labrig_instruments.simulated.ni.devices import inventory
from labrig_instruments.simulated.ni.errors import DriverError
from labrig_instruments.simulated.ni.stream import AnalogStream, Caller
from tests.simulated.known import ADDRESSES, KnownPlant, known

TERMINAL = "cDAQ1Mod1/ai3"


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.nanoseconds = 0

    def now(self) -> int:
        return self.nanoseconds

    def move(self, seconds: float) -> None:
        self.nanoseconds += round(seconds * 1e9)


def channels() -> Sequence[Channel]:
    return input_channels(inventory(ADDRESSES), TERMINAL, "analog voltage", -10, 10)


def begun(hand: Hand, *, rate: float = 100.0, capacity: int = 1000, finite: int | None = None) -> AnalogStream:
    return AnalogStream(LivePlant(KnownPlant(), hand.now), channels(), rate=rate, capacity=capacity, finite=finite)


def test_a_sample_is_there_once_its_period_is_over() -> None:
    hand = Hand()
    stream = begun(hand)

    hand.move(0.0099)
    assert stream.acquired() == 0
    hand.move(0.0002)
    assert stream.acquired() == 1


def test_a_buffer_holds_what_it_holds_and_not_one_sample_more() -> None:
    hand = Hand()
    stream = begun(hand, capacity=50)
    hand.move(0.505)
    assert stream.available() == 50

    hand.move(0.01)

    with pytest.raises(DriverError, match="-200279"):
        stream.available()
    with pytest.raises(DriverError, match="-200279"):
        stream.take(1, 0.0, Caller())


@given(steps=st.lists(st.tuples(st.floats(0, 0.4), st.integers(0, 60)), max_size=30))
def test_whatever_the_pace_of_reading_every_sample_comes_once_and_in_order(steps: list[tuple[float, int]]) -> None:
    hand = Hand()
    stream = begun(hand, capacity=10_000)
    taken = []
    for pause, wanted in steps:
        hand.move(pause)
        taken += stream.take(wanted, 0.0, Caller()).values[0].tolist()
        stream.keep_up()

    assert taken == known(TERMINAL, np.arange(len(taken), dtype=np.float64)).tolist()


def test_samples_that_wait_longer_than_the_plant_remembers_are_not_lost() -> None:
    hand = Hand()
    stream = begun(hand, capacity=1_000_000)
    for _ in range(300):
        hand.move(1.0)
        stream.keep_up()

    values = np.concatenate([stream.take(count, 0.0, Caller()).values[0] for count in (7, 2500, 27_493)])

    np.testing.assert_array_equal(values, known(TERMINAL, np.arange(30_000, dtype=np.float64)))


@pytest.mark.parametrize("finite", [None, 50_000])
def test_a_machine_that_slept_has_lost_samples_and_says_so(finite: int | None) -> None:
    hand = Hand()
    stream = begun(hand, capacity=1_000_000, finite=finite)
    hand.move(300.0)
    stream.keep_up()

    with pytest.raises(DriverError, match="-200279"):
        stream.take(10, 0.0, Caller())


def test_a_finite_acquisition_takes_so_many_samples_and_keeps_them() -> None:
    hand = Hand()
    stream = begun(hand, finite=20, capacity=20)
    for _ in range(300):
        hand.move(1.0)
        stream.keep_up()

    assert stream.acquired() == 20
    assert stream.done()
    values = stream.take(50, 0.0, Caller()).values
    np.testing.assert_array_equal(values, [known(TERMINAL, np.arange(20, dtype=np.float64))])
    with pytest.raises(DriverError, match="-200278"):
        stream.take(1, 0.0, Caller())


def test_a_device_that_is_no_module_is_a_card() -> None:
    devices = inventory(
        {"Dev1/ai3": "analog voltage", "Dev1/ao1": "analog output", "Dev1/port0/line7": "digital output"}
    )

    assert devices.names == ("Dev1",)
    assert devices.device("DEV1").product.name == "USB-6341"


@pytest.mark.parametrize(
    ("addresses", "wrong"),
    [
        ({"cDAQ1Mod1/ai0": "analog voltage", "cDAQ1Mod1/ai1": "analog current"}, "cDAQ1Mod1"),
        ({"Dev1/ai0": "analog current"}, "Dev1"),
        ({"cDAQ1Mod1/ai32": "analog voltage"}, "cDAQ1Mod1/ai32"),
        ({"cDAQ1Mod3/line0": "digital output"}, "cDAQ1Mod3/line0"),
    ],
)
def test_addresses_that_no_product_has_are_refused_by_name(addresses: dict[str, AddressKind], wrong: str) -> None:
    with pytest.raises(ConfigError) as caught:
        inventory(addresses)

    assert caught.value.key == wrong
