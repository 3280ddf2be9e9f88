"""Outputs: nothing opens after the end, and one that fails or hangs delays no other."""

from __future__ import annotations

import threading
import time

import pytest

from labrig import outputs as outputs_module
from labrig.clock import monotonic
from labrig.ending import Ending
from labrig.errors import Aborted, LinkLost, RigError
from labrig.model import Calibration, Commanded, Event, Outcome, Output
from labrig.outputs import Outputs
from labrig.roles import Regulator, Valve
from labrig.units import UNITS, psi


class Valves:
    """One valve of an instrument that can fail or hang."""

    def __init__(self, name: str) -> None:
        self.name = f"{name} box"
        self.outputs = (Output(name, "valve", name, 0.0, UNITS[""], 0.0, 1.0, Calibration((0.0, 1.0))),)
        self.state, self.fails, self.hangs = False, False, threading.Event()
        self.hangs.set()

    def open(self) -> str:
        self.state = True
        return self.name

    def close(self) -> None:
        self.state = False

    def is_open(self) -> bool:
        return self.state

    def output(self, name: str) -> Valve | Regulator:
        return Switch(self)

    def make_safe(self) -> None:
        self.hangs.wait()
        if self.fails:
            raise LinkLost(f"{self.name} is gone")
        self.state = False


class Switch:
    def __init__(self, box: Valves) -> None:
        self.box = box

    def open(self) -> None:
        self.box.state = True

    def close(self) -> None:
        self.box.state = False

    def is_open(self) -> bool:
        return self.box.state


class Rack:
    def __init__(self) -> None:
        self.feed, self.vent = Valves("feed"), Valves("vent")
        self.ending, self.events = Ending(), list[Event]()
        boxes = {"feed": self.feed, "vent": self.vent}
        self.outputs = Outputs(
            {name: box.outputs[0] for name, box in boxes.items()},
            boxes,
            publish=self.events.append,
            now=monotonic,
        )


@pytest.fixture
def rack() -> Rack:
    return Rack()


def test_a_command_is_done_and_told(rack: Rack) -> None:
    rack.outputs.open("feed", rack.ending.check)

    assert rack.feed.state
    assert [(e.output, e.command) for e in rack.events if isinstance(e, Commanded)] == [("feed", "open")]


def test_nothing_opens_after_the_end(rack: Rack) -> None:
    rack.ending.end(Outcome.ABORTED, "stopped by a test")
    rack.outputs.make_safe()

    with pytest.raises(Aborted, match="stopped by a test"):
        rack.outputs.open("feed", rack.ending.check)

    assert not rack.feed.state


def test_one_that_fails_is_named_and_the_other_is_safe(rack: Rack) -> None:
    rack.outputs.open("vent", rack.ending.check)
    rack.feed.fails = True

    failures = rack.outputs.make_safe()

    assert failures == ("feed box: feed box is gone. Check it by hand.",)
    assert not rack.vent.state


@pytest.mark.fault("DEV-08")
def test_one_that_hangs_does_not_delay_the_other(rack: Rack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs_module, "DEADLINE", 0.2)
    rack.outputs.open("vent", rack.ending.check)
    rack.feed.hangs.clear()

    began = time.monotonic()
    failures = rack.outputs.make_safe()

    assert not rack.vent.state
    assert time.monotonic() - began < 2.0
    assert failures == ("feed box: did not answer within 0.2 s. Check it by hand.",)
    rack.feed.hangs.set()


@pytest.mark.fault("PRO-09")
def test_a_set_point_beyond_the_limits_is_never_sent(rack: Rack) -> None:
    class Box:
        name, low, high = "regulator", 0.0, 80 * psi
        outputs = (Output("p", "regulator", "ao0", 0.0, UNITS["psi"], 0.0, 80 * psi, Calibration((0.0, 1.0))),)
        sent: list[float] = []  # noqa: RUF012 - one box, one test

        def open(self) -> str:
            return self.name

        def close(self) -> None: ...

        def make_safe(self) -> None: ...

        def output(self, name: str) -> Regulator:
            return self

        def set(self, target: float) -> None:
            self.sent.append(target)

        def setpoint(self) -> float:
            return 0.0

    box = Box()
    outputs = Outputs({"p": box.outputs[0]}, {"p": box}, publish=lambda _: None, now=monotonic)

    with pytest.raises(RigError, match=r"p: 90\.00 psi lies outside its limits 0 psi to 80\.00 psi; nothing was sent"):
        outputs.set("p", 90 * psi, Ending().check)

    assert box.sent == []


def test_the_first_end_decides() -> None:
    ending = Ending()

    assert ending.end(Outcome.TRIPPED, "first")
    assert not ending.end(Outcome.ABORTED, "second")
    assert (ending.outcome, ending.reason) == (Outcome.TRIPPED, "first")
