"""Each item to each sink, in order: the recorder first, so that no screen shows what the file did not get."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from labrig.model import Block, Event

log = logging.getLogger(__name__)
Sink = Callable[[Block | Event], None]


class Bus:
    """A list of sinks. Publishing is serialised: two sources' threads never meet inside a sink."""

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self._sinks = tuple(sinks)
        self._listeners: tuple[Sink, ...] = ()
        self._one_at_a_time = threading.RLock()

    def publish(self, item: Block | Event) -> None:
        """Hand the item on. A listener that raises is let go and told of in the log; the others hear on."""
        with self._one_at_a_time:
            for sink in self._sinks:
                sink(item)
            for listener in self._listeners:
                try:
                    listener(item)
                except Exception:
                    log.exception("a listener failed and hears nothing more")
                    self._listeners = tuple(other for other in self._listeners if other is not listener)

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
    def last(self, *listeners: Sink) -> Iterator[None]:
        """While the block lasts, ``listeners`` stand behind all others: whoever watches, or waits for a condition."""
        with self._one_at_a_time:
            self._listeners = (*self._listeners, *listeners)
        try:
            yield
        finally:
            with self._one_at_a_time:
                self._listeners = tuple(other for other in self._listeners if other not in listeners)
