"""Each item to each sink, in order: the recorder first, so that no screen shows what the file did not get."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

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

    @contextmanager
    def first(self, sink: Sink) -> Iterator[None]:
        """While the block lasts, ``sink`` stands before all others: a run's record."""
        with self._one_at_a_time:
            self._sinks = (sink, *self._sinks)
        try:
            yield
        finally:
            with self._one_at_a_time:
                self._sinks = tuple(other for other in self._sinks if other is not sink)

    @contextmanager
    def last(self, *sinks: Sink) -> Iterator[None]:
        """While the block lasts, ``sinks`` stand behind all others: whoever listens to a run."""
        with self._one_at_a_time:
            self._sinks = (*self._sinks, *sinks)
        try:
            yield
        finally:
            with self._one_at_a_time:
                self._sinks = tuple(other for other in self._sinks if other not in sinks)
