"""Each item to each sink, in order: the recorder first, so that no screen shows what the file did not get."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from labrig.model import Block, Event

Sink = Callable[[Block | Event], None]


class Bus:
    """A list of sinks. Publishing is serialised: two sources' threads never meet inside a sink."""

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self._sinks = tuple(sinks)
        self._one_at_a_time = threading.RLock()

    def publish(self, item: Block | Event) -> None:
        with self._one_at_a_time:
            for sink in self._sinks:
                sink(item)
