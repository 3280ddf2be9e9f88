"""What a watcher gets to see, and when."""

from __future__ import annotations

from itertools import islice

from labrig.history import History
from labrig.model import Commanded, Event, Marked, Noted, Outcome, RunFinished, RunStarted, Span, StepEntered
from labrig.recording.codec import event_from_json
from labrig.server.watchers import Watchers
from labrig.wire import rig_pb2
from labrig.wire.documents import Status

MARKED = Marked(3, Span("plateau", 1, 3, {"target": 2.0}))
RUN: tuple[Event, ...] = (RunStarted(1, "r1"), StepEntered(1, "10 psi"), MARKED)


def watchers() -> Watchers:
    return Watchers(History({}), lambda: Status(now=1, state="running"))


def first(these: Watchers, many: int) -> list[rig_pb2.Update]:
    return list(islice(these.stream(attending=False, alive=lambda: True), many))


def event(update: rig_pb2.Update) -> Event:
    kind, _, text = update.event.json.partition(" ")
    return event_from_json(kind.replace("_", " "), text)


def test_who_comes_in_mid_run_gets_the_status_and_then_what_happened_so_far() -> None:
    these = watchers()
    for each in (*RUN, Commanded(3, "feed", "open", 1.0)):
        these(each)

    status, *events = first(these, 4)

    assert status.WhichOneof("what") == "status"
    assert tuple(map(event, events)) == RUN


def test_what_happens_next_follows_once() -> None:
    these = watchers()
    for each in RUN:
        these(each)
    stream = these.stream(attending=False, alive=lambda: True)
    list(islice(stream, 4))

    these(Noted(4, "a drop at the fitting"))

    assert event(next(stream)) == Noted(4, "a drop at the fitting")


def test_of_a_run_that_is_over_its_marked_spans_are_left() -> None:
    """The desktop keeps the last run in sight; nobody is told its end once more."""
    these = watchers()
    for each in (*RUN, RunFinished(5, Outcome.COMPLETED)):
        these(each)

    _, *events = first(these, 2)

    assert list(map(event, events)) == [MARKED]


def test_the_next_run_begins_a_new_story() -> None:
    these = watchers()
    for each in (*RUN, RunFinished(5, Outcome.COMPLETED), RunStarted(6, "r2")):
        these(each)

    _, *events = first(these, 2)

    assert list(map(event, events)) == [RunStarted(6, "r2")]
