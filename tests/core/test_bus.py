"""The bus: the record first, and no listener can hurt what stands before it."""

from __future__ import annotations

import pytest

from labrig.bus import Bus
from labrig.model import Block, Event, Noted

HELLO = Noted(0, "hello")


def test_the_record_hears_first_and_a_listener_last() -> None:
    heard: list[str] = []
    bus = Bus([lambda _: heard.append("history")])

    with bus.first(lambda _: heard.append("record")), bus.last(lambda _: heard.append("screen")):
        bus.publish(HELLO)
    bus.publish(HELLO)

    assert heard == ["record", "history", "screen", "history"]


@pytest.mark.fault("SYS-14")
@pytest.mark.expected_logs("labrig.bus")
def test_a_listener_that_fails_is_let_go_and_told_of(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[str] = []

    def fails(_: Block | Event) -> None:
        heard.append("fails")
        raise ZeroDivisionError

    bus = Bus([lambda _: heard.append("history")])
    with bus.last(fails, lambda _: heard.append("screen")):
        bus.publish(HELLO)
        bus.publish(HELLO)

    assert heard == ["history", "fails", "screen", "history", "screen"]
    assert "a listener failed" in caplog.text
