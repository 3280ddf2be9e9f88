"""What the guardian makes of a hardware watchdog."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from labrig.clock import RealClock
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


class Resetting(Dog):
    """One whose arming takes its device's other tasks along, and that runs out when nobody pets it for 0.5 s."""

    def __init__(self, away: float) -> None:
        super().__init__(ran_out=True)
        self.rig: Rig | None = None
        self.away, self.back, self.petted, self.armed = round(away * 1e9), 0, 0, False

    def pet(self) -> None:
        assert self.rig is not None
        if self.armed and self.rig.clock.time - self.petted > 500_000_000:
            self.ran_out = True
        super().pet()
        self.petted = self.rig.clock.time

    def rearm(self) -> None:
        super().rearm()
        assert self.rig is not None
        self.armed, self.petted = True, self.rig.clock.time
        self.back = self.rig.clock.time + self.away

    def feed(self) -> None:
        """A last sample is still under way when the tasks go; the next comes when pollers have opened them anew."""
        assert self.rig is not None
        late = self.rig.clock.time - (self.back - self.away)
        if self.rig.clock.time >= self.back or late <= 100_000_000:
            self.rig.sample()
        self.rig.guardian.cycle()


def test_a_reset_holds_though_the_guard_channels_come_back_late() -> None:
    dog = Resetting(away=1.5)
    rig = dog.rig = Rig(dog)
    rig.clock.feed = dog.feed
    rig.live()

    rig.guardian.reset("a test")
    for _ in range(30):
        rig.live()

    assert rig.state() is RigState.SAFE
    assert dog.rearmed == 1


def test_a_reset_is_refused_with_the_reason_where_the_guard_channels_stay_away() -> None:
    dog = Resetting(away=60.0)
    rig = dog.rig = Rig(dog)
    rig.clock.feed = dog.feed
    rig.live()

    with pytest.raises(RigError, match=r"cannot reset: p silent\. The rig stays tripped\."):
        rig.guardian.reset("a test")

    assert rig.state() is RigState.TRIPPED


def test_a_device_that_is_slow_to_be_petted_does_not_keep_the_guardian_from_looking() -> None:
    answers, asked = threading.Event(), threading.Event()

    class Slow(Dog):
        def pet(self) -> None:
            asked.set()
            answers.wait(30.0)

    valve, clock = Box("feed"), RealClock()
    outputs = Outputs({"feed": valve.outputs[0]}, {"feed": valve}, publish=lambda _: None, now=clock.now)
    guardian = Guardian(
        interlocks=[LIMIT],
        channels={"p": PRESSURE},
        outputs=outputs,
        clock=clock,
        publish=lambda _: None,
        watchdogs=[Slow()],
    )
    guardian.start()
    try:
        assert asked.wait(30.0)
        guardian(block([9.0, 9.0, 9.0], start=clock.now()))
        tripped = wait_for(lambda: guardian.state is RigState.TRIPPED)
    finally:
        answers.set()
        guardian.close()

    assert tripped
    assert "above its limit" in guardian.trip_reason


def wait_for(condition: Callable[[], bool]) -> bool:
    """Whether it came true before the watchdog's patience of a test ran out."""
    for _ in range(3000):
        if condition():
            return True
        threading.Event().wait(0.01)
    return False
