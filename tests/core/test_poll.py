"""What becomes of a source that fails, is lost, and comes back, in time that the tests make."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig.clock import SECOND
from labrig.errors import InstrumentError, LinkLost, SamplesLost, WatchdogExpired, WrongInstrument
from labrig.model import Block, Channel, Event, Faulted, Noted, Quality
from labrig.poll import Poller
from tests.core.some import PRESSURE, ManualClock

Step = Callable[["Device"], Block]
"""What one read does."""


class Patience(ManualClock):
    """Jumps where others wait."""

    def wait(self, seconds: float, ended: threading.Event) -> bool:
        return ended.is_set() or super().wait(seconds, ended)


class Device:
    """A source that plays a script; its indices count its reads, or its samples as a stream does."""

    name = "balance"
    channels: tuple[Channel, ...] = (PRESSURE,)

    def __init__(self, clock: Patience, script: Iterator[Step], *, period: float = 0.1) -> None:
        self.clock, self.script, self.period = clock, script, period
        self.rate = 10.0
        self.index = 0
        self.value = 0.0
        self.answers: list[str | InstrumentError] = []
        """What each of the next openings says; then the usual."""
        self.is_open = True
        self.opened = self.started = 0
        self.over = threading.Event()

    def open(self) -> str:
        assert not self.is_open
        self.opened += 1
        answer = self.answers.pop(0) if self.answers else "a balance, serial number 1"
        if isinstance(answer, InstrumentError):
            raise answer
        self.is_open = True
        return answer

    def close(self) -> None:
        self.is_open = False

    def start(self) -> None:
        self.started += 1

    def stop(self) -> None:
        """Nothing."""

    def read(self) -> Block:
        step = next(self.script, None)
        if step is None:
            self.over.set()
            raise SamplesLost(self.name, 0, 0)
        return step(self)


def good(device: Device) -> Block:
    device.value += 1
    device.index += 1
    device.clock.time += 1_000_000  # no device answers in no time
    time = np.array([device.clock.now()], np.int64)
    values, quality = np.array([[device.value]]), np.zeros((1, 1), np.uint8)
    return Block(device.name, ("p",), device.index - 1, time, values, quality)


def silent(device: Device) -> Block:
    device.index += 1
    device.clock.time += SECOND
    raise InstrumentError("it did not answer")


def lost(device: Device) -> Block:
    raise LinkLost("the line is gone")


def another(device: Device) -> Block:
    raise WrongInstrument("now 2 answers")


class Played:
    """A script, played to its end by a poller."""

    def __init__(
        self,
        *script: Step,
        period: float = 0.1,
        identity: str = "a balance, serial number 1",
        answers: tuple[str | InstrumentError, ...] = (),
        locked: bool = False,
    ) -> None:
        self.clock, self.items = Patience(), list[Block | Event]()
        self.told: list[str] = []
        self.given_up: list[str] = []
        self.device = Device(self.clock, iter(script), period=period)
        self.device.answers = list(answers)
        self.device.is_open = not locked
        poller = Poller(
            self.device,
            publish=self.items.append,
            clock=self.clock,
            lost=self._lost,
            identity=identity,
            locked=locked,
            tell=lambda _, words: self.told.append(words),
        )
        poller.start()
        assert self.device.over.wait(10)
        poller.stop()

    def _lost(self, why: str) -> None:
        self.given_up.append(why)
        self.device.over.set()

    @property
    def blocks(self) -> list[Block]:
        return [item for item in self.items if isinstance(item, Block)]

    @property
    def faults(self) -> list[str]:
        return [item.fault for item in self.items if isinstance(item, Faulted) and item.fault != "DEV-11"]

    def values(self) -> list[float]:
        return [float(value) for block in self.blocks for value in block.values[:, 0]]


def is_in_order(blocks: list[Block]) -> bool:
    """No index twice, no time twice or backward."""
    return all(
        before.first + len(before) <= after.first and before.times[-1] < after.times[0]
        for before, after in pairwise(blocks)
    )


def test_a_failed_read_of_a_source_that_is_asked_is_a_row_without_a_value() -> None:
    played = Played(good, silent, good)

    values = played.values()
    assert values[0] == 1
    assert np.isnan(values[1])
    assert values[2] == 2
    assert [int(block.quality[0, 0]) for block in played.blocks] == [0, Quality.MISSING, 0]
    assert [block.first for block in played.blocks] == [0, 1, 2]
    assert is_in_order(played.blocks)


def test_a_failed_read_of_a_stream_invents_no_sample() -> None:
    played = Played(good, silent, good, period=0.0)

    assert played.values() == [1, 2]
    assert played.faults == ["DEV-08"]


@given(st.lists(st.sampled_from([good, silent, lost]), max_size=12))
def test_whatever_fails_indices_and_times_go_up_and_no_value_is_repeated(script: list[Step]) -> None:
    played = Played(*script)
    values = [value for value in played.values() if not np.isnan(value)]

    assert is_in_order(played.blocks)
    assert values == sorted(set(values))
    assert len(values) == script.count(good)


@pytest.mark.fault("DEV-02")
def test_a_lost_source_is_looked_for_each_second_and_taken_back() -> None:
    gone = LinkLost("not there")
    played = Played(good, lost, good, answers=(gone, gone))
    first, empty, after = played.blocks

    assert played.device.opened == 3
    assert played.device.started == 2
    assert np.isnan(empty.values[0, 0])
    assert after.values[0, 0] == 2
    assert after.quality[0, 0] == Quality.AFTER_GAP
    assert after.times[0] - empty.times[0] >= 3 * SECOND
    assert after.first - first.first == pytest.approx((after.times[0] - first.times[0]) / SECOND / 0.1, abs=1)
    assert "is lost" in played.told[0]
    assert played.told[-1] == ""
    assert [item.text for item in played.items if isinstance(item, Noted)] == [
        "balance found again: a balance, serial number 1; identity verified"
    ]
    assert not played.given_up


@pytest.mark.fault("DEV-08")
def test_a_source_that_stays_silent_is_lost_after_three_reads() -> None:
    played = Played(good, silent, silent, silent, good)

    assert played.faults == ["DEV-08"] * 4
    assert played.device.opened == 1
    assert [np.isnan(value) for value in played.values()] == [False, True, True, True, False]


@pytest.mark.fault("DEV-04")
def test_another_device_in_its_place_is_refused_and_said_once() -> None:
    other = "a balance, serial number 2"
    played = Played(good, lost, good, answers=(other, other, other))
    refused = "balance: expected a balance, serial number 1, found a balance, serial number 2. Not connected."

    assert played.faults == ["DEV-02", "DEV-04"]
    assert played.told == [played.told[0], refused, ""]
    assert played.device.opened == 4


@pytest.mark.fault("DEV-04")
def test_another_device_that_answers_in_between_is_a_loss_at_once() -> None:
    played = Played(good, another, good, answers=(WrongInstrument("found 2"),))

    assert played.faults == ["DEV-04", "DEV-04"]
    assert played.values()[-1] == 2


def test_a_bench_without_reconnection_is_told_that_the_source_is_lost() -> None:
    played = Played(good, lost, good, identity="")

    assert played.given_up == ["balance: the line is gone"]
    assert played.device.opened == 0


def test_a_lost_source_that_never_comes_back_ends_when_told_to() -> None:
    clock = Patience()
    device = Device(clock, iter([lost]))
    looked = threading.Event()

    def never() -> str:
        looked.set()
        raise LinkLost("not there")

    device.open = never  # type: ignore[method-assign]
    poller = Poller(device, publish=lambda _: None, clock=clock, lost=lambda _: None, identity="it")
    poller.start()
    assert looked.wait(10)
    poller.stop()

    assert not device.is_open


@pytest.mark.fault("DEV-13")
def test_a_source_that_an_expired_watchdog_keeps_is_opened_when_it_lets_itself_be() -> None:
    expired = WatchdogExpired("the watchdog has expired")

    played = Played(good, good, identity="", locked=True, answers=(expired, expired))

    assert played.device.opened == 3
    assert [block.values[0, 0] for block in played.blocks] == [1, 2]
    assert played.told == ["balance cannot be read before the watchdog is reset", ""]
    assert not played.given_up


def test_from_then_on_it_is_looked_for_by_what_it_said_it_is() -> None:
    played = Played(
        good, lost, good, identity="", locked=True, answers=("a balance, serial number 1", "a balance, serial number 2")
    )

    assert [block.values[0, 0] for block in played.blocks if np.isfinite(block.values[0, 0])] == [1, 2]
    assert "expected a balance, serial number 1, found a balance, serial number 2. Not connected." in played.told[3]
