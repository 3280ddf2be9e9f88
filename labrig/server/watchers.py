"""Who watches: each gets digests as they come, every event, and the status whenever it changes.

One that comes in the middle of a run first gets what happened in it so far, so that it shows the whole run.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

from labrig.errors import RigError
from labrig.history import History
from labrig.model import (
    Block,
    ClockPaired,
    Commanded,
    Event,
    Marked,
    RunFinished,
    RunStarted,
)
from labrig.recording.codec import to_json
from labrig.wire import rig_pb2
from labrig.wire.documents import Status, pack
from labrig.wire.packing import pack_digest

PACE: Final = 0.04
"""Seconds between two looks for what is new: a protocol that commands without end costs a watcher no more than that."""
EVENTS_KEPT: Final = 10_000
"""A watcher that is further behind is let go."""
MOST: Final = 24


class Watchers:
    """All open watches. A sink for events; `changed` announces a new status."""

    def __init__(self, history: History, status: Callable[[], Status]) -> None:
        self._history, self._status = history, status
        self._condition = threading.Condition()
        self._open: list[_Watcher] = []
        self._version = 0
        self._story: deque[Event] = deque(maxlen=EVENTS_KEPT)
        """What happened in the present run; when it is over, what was marked in it."""

    def __call__(self, item: Block | Event) -> None:
        if isinstance(item, Block):
            return
        with self._condition:
            self._keep(item)
            for watcher in self._open:
                if len(watcher.events) < EVENTS_KEPT:
                    watcher.events.append(item)
                else:
                    watcher.closed = True

    def changed(self) -> None:
        """The status is another."""
        with self._condition:
            self._version += 1

    @property
    def attending(self) -> int:
        """How many watchers attend the present run."""
        return sum(watcher.attending for watcher in self._open)

    def stream(self, *, attending: bool, alive: Callable[[], bool]) -> Iterator[rig_pb2.Update]:
        """Updates for one watcher until it goes; raises `RigError` for one too many."""
        watcher = _Watcher(attending=attending)
        with self._condition:
            if len(self._open) >= MOST:
                raise RigError(f"{MOST} watchers are connected already; close one of them")
            watcher.events.extend(self._story)
            self._open.append(watcher)
        try:
            yield from self._updates(watcher, alive)
        finally:
            with self._condition:
                self._open.remove(watcher)

    def close(self) -> None:
        """Let every watcher go."""
        with self._condition:
            for watcher in self._open:
                watcher.closed = True
            self._condition.notify_all()

    def _keep(self, event: Event) -> None:
        """Commands are left out: the status has the last of each output, and a protocol may command without end."""
        if isinstance(event, RunStarted):
            self._story.clear()
        if isinstance(event, RunFinished):
            marked = [each for each in self._story if isinstance(each, Marked)]
            self._story.clear()
            self._story.extend(marked)
        elif not isinstance(event, Commanded | ClockPaired):
            self._story.append(event)

    def _updates(self, watcher: _Watcher, alive: Callable[[], bool]) -> Iterator[rig_pb2.Update]:
        seen: dict[str, int] = {bins.source: int(bins.ends[-1]) for bins in self._history.newer({})}
        version = self._version
        yield rig_pb2.Update(status=pack(self._status()))
        while alive() and not watcher.closed:
            with self._condition:
                self._condition.wait_for(
                    lambda: watcher.closed, PACE
                )  # who commands without end costs no more than that
                events, watcher.events = watcher.events, deque()
                stale, version = version != self._version, self._version
            for event in events:
                yield rig_pb2.Update(event=event_document(event))
            if stale:
                yield rig_pb2.Update(status=pack(self._status()))
            for bins in self._history.newer(seen):
                seen[bins.source] = int(bins.ends[-1])
                yield rig_pb2.Update(digest=pack_digest(bins))


class _Watcher:
    def __init__(self, *, attending: bool) -> None:
        self.attending, self.closed = attending, False
        self.events: deque[Event] = deque()


def event_document(event: Event) -> rig_pb2.Document:
    """An event as text: its kind with underscores, a blank, its JSON."""
    return rig_pb2.Document(json=f"{event.kind.replace(' ', '_')} {to_json(event)}")
