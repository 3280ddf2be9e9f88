"""What the guardian makes of a hardware watchdog."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from labrig.errors import InstrumentError, LinkLost, RigError, WatchdogExpired
from labrig.guardian import Guardian
from labrig.model import Event, Faulted, Outcome
from labrig.outputs import Outputs
from labrig.safety import Interlock
from labrig.states import RigState
from tests.core.some import PRESSURE, ManualClock, block
from tests.core.test_outputs import Valves

LIMIT = Interlock("over-pressure", "p", high=5e5, stale_after=0.5)


class Dog:
    """A watchdog that a test lets run out, or takes away."""

    name = "dog"

    def __init__(self, *, ran_out: bool = False) -> None:
        self.ran_out, self.gone = ran_out, False
        self.pets = self.rearmed = 0

    def open(self) -> str:
        return "a dog"

    def close(self) -> None:
        """Nothing."""

    def pet(self) -> None:
        if self.gone:
            raise LinkLost("it is gone")
        if self.ran_out:
            raise WatchdogExpired("the hardware watchdog has expired")
        self.pets += 1

    def expired(self) -> bool:
        return self.ran_out

    def rearm(self) -> None:
        if self.gone:
            raise LinkLost("it is still gone")
        self.ran_out = False
        self.rearmed += 1


class Box(Valves):
    """An instrument that fails as told until it is opened anew."""

    error: InstrumentError | None = None
    opened = 0

    def open(self) -> str:
        self.error, self.opened = None, self.opened + 1
        return self.name

    def make_safe(self) -> None:
        if self.error is not None:
            raise self.error


class Fed(ManualClock):
    """Whoever waits gets a sample meanwhile."""

    feed: Callable[[], None]

    def wait(self, seconds: float, ended: threading.Event) -> bool:
        super().wait(seconds, ended)
        self.feed()
        return ended.is_set()


class Rig:
    """A guardian in hand-made time, with one valve and one guarded pressure."""

    def __init__(self, dog: Dog) -> None:
        self.clock, self.events, self.valve = Fed(), list[Event](), Box("feed")
        self.clock.virtual = True  # no thread: the test turns the cycles itself
        owners = {"feed": self.valve}
        outputs = Outputs(
            {"feed": self.valve.outputs[0]},
            owners,
            publish=self.events.append,
            now=self.clock.now,
            parallel=False,
        )
        self.guardian = Guardian(
            interlocks=[LIMIT],
            channels={"p": PRESSURE},
            outputs=outputs,
            clock=self.clock,
            publish=self.events.append,
            watchdogs=[dog],
        )
        self.clock.feed = self.sample
        self.guardian.start()

    def state(self) -> RigState:
        return self.guardian.state

    def sample(self) -> None:
        self.guardian(block([1.0], start=self.clock.time))

    def live(self, seconds: float = 0.1) -> None:
        """A sample, and a look."""
        self.clock.time += round(seconds * 1e9)
        self.sample()
        self.guardian.cycle()


@pytest.mark.fault("DEV-13")
def test_found_expired_the_rig_is_tripped_until_a_person_resets_it() -> None:
    dog = Dog(ran_out=True)
    rig = Rig(dog)
    for _ in range(3):
        rig.live()

    assert rig.state() is RigState.TRIPPED
    assert "the hardware watchdog had expired" in rig.guardian.trip_reason
    assert dog.rearmed < 1
    with pytest.raises(RigError, match="tripped"):
        rig.guardian.begin(5.0)

    rig.guardian.reset("a test")

    assert rig.state() is RigState.SAFE
    assert dog.rearmed == 1
    rig.guardian.begin(5.0)


@pytest.mark.fault("DEV-13")
def test_running_out_in_a_run_is_a_trip_that_says_so() -> None:
    dog = Dog()
    rig = Rig(dog)
    rig.live()
    tenure = rig.guardian.begin(5.0)
    dog.ran_out = True
    rig.live()

    assert rig.state() is RigState.TRIPPED
    assert tenure.ending.outcome is Outcome.TRIPPED
    assert "dog: the hardware watchdog has expired" in rig.guardian.trip_reason
    assert dog.rearmed < 1


@pytest.mark.fault("DEV-13")
def test_found_run_out_in_a_rig_that_tripped_for_another_reason_it_is_said_once() -> None:
    dog = Dog()
    rig = Rig(dog)
    rig.live()
    rig.guardian.trip("p has been silent")
    dog.ran_out = True
    for _ in range(3):
        rig.live()

    assert rig.guardian.trip_reason == "p has been silent; dog: the hardware watchdog has expired"
    assert [event.fault for event in rig.events if isinstance(event, Faulted)] == ["DEV-13"]


def test_it_is_petted_only_with_fresh_samples_of_every_guard_channel() -> None:
    dog = Dog()
    rig = Rig(dog)
    rig.live()
    petted = dog.pets
    rig.clock.time += 600_000_000
    rig.guardian.cycle()

    assert petted == 1
    assert dog.pets == petted


def test_one_that_is_gone_trips_and_keeps_the_rig_tripped_until_it_is_back() -> None:
    dog = Dog()
    rig = Rig(dog)
    rig.live()
    dog.gone = True
    rig.live()

    assert rig.state() is RigState.TRIPPED
    with pytest.raises(RigError, match=r"cannot reset: it is still gone The rig stays tripped\."):
        rig.guardian.reset("a test")

    dog.gone = False
    rig.guardian.reset("a test")

    assert rig.state() is RigState.SAFE


@pytest.mark.fault("DEV-12")
def test_a_reset_opens_an_instrument_anew_whose_outputs_cannot_be_made_safe_otherwise() -> None:
    rig = Rig(Dog())
    rig.valve.error = LinkLost("its device was pulled out")
    rig.guardian.trip("a test")
    assert "pulled out" in rig.guardian.trip_reason

    rig.guardian.reset("a test")

    assert rig.valve.opened == 1
    assert rig.state() is RigState.SAFE


def test_outputs_that_the_watchdog_locked_are_safe() -> None:
    rig = Rig(Dog())
    rig.valve.error = WatchdogExpired("locked")
    rig.guardian.trip("a test")

    assert rig.guardian.trip_reason == "a test"


def test_armed_again_it_waits_for_the_guard_channels_before_the_rig_is_released() -> None:
    rig = Rig(Dog(ran_out=True))
    rig.clock.feed = lambda: None

    with pytest.raises(RigError, match=r"cannot reset: p silent\. The rig stays tripped\."):
        rig.guardian.reset("a test")

    assert rig.state() is RigState.TRIPPED
    rig.clock.feed = rig.sample
    rig.live()
    rig.guardian.reset("a test")
    assert rig.state() is RigState.SAFE
