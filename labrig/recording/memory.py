"""A run kept in memory: for rehearsals in virtual time and for tests, with the same answers as a run file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from labrig.errors import RecordingError
from labrig.model import Block, Channel, Event, Marked, Outcome, Quality, RunHeader, Series, Span, calibrated


class MemoryRun:
    """A sink and the `RunData` of what it was given."""

    def __init__(self, header: RunHeader) -> None:
        self._header = header
        self.outcome = Outcome.INTERRUPTED
        self.reason = "the run has no end yet"
        self._events: list[Event] = []
        self._blocks: list[Block] = []

    def __call__(self, item: Block | Event) -> None:
        if not isinstance(item, Block):
            self._events.append(item)
        elif len(item):
            self._blocks.append(item)

    def close(self, outcome: Outcome, reason: str = "") -> None:
        """Note how the run ended, as a recorder does."""
        self.outcome, self.reason = outcome, reason

    @property
    def header(self) -> RunHeader:
        return self._header

    @property
    def events(self) -> tuple[Event, ...]:
        """In the order in which they were given."""
        return tuple(self._events)

    def blocks(self) -> Iterator[Block]:
        """As they were given."""
        return iter(tuple(self._blocks))

    def spans(self, kind: str) -> tuple[Span, ...]:
        return marked(self._events, kind)

    def series(self, channel: str, span: Span | None = None) -> Series:
        known = known_channel(self._header, channel)
        touching = (
            block
            for block in self._blocks
            if channel in block.channels
            and (span is None or (block.times[-1] >= span.start and block.times[0] <= span.end))
        )
        return series_of(known, touching, span)


def known_channel(header: RunHeader, name: str) -> Channel:
    """The header's channel of that name; raises `RecordingError` where there is none."""
    for channel in header.channels:
        if channel.name == name:
            return channel
    names = ", ".join(channel.name for channel in header.channels) or "no channels at all"
    raise RecordingError(f"run {header.run_id} has no channel {name!r}; it has {names}")


def marked(events: Iterable[Event], kind: str) -> tuple[Span, ...]:
    """The marked spans of a kind, in order of time."""
    found = [event.span for event in events if isinstance(event, Marked) and event.span.kind == kind]
    return tuple(sorted(found, key=lambda span: (span.start, span.end)))


def series_of(channel: Channel, blocks: Iterable[Block], span: Span | None) -> Series:
    """One channel of successive blocks in SI, the samples at both ends of the span included.

    Where the index jumps, the first sample behind the gap gets `Quality.AFTER_GAP`, whoever lost the others.
    """
    times, values, flags = [np.empty(0, np.int64)], [np.empty(0)], [np.empty(0, np.uint8)]
    following: int | None = None
    for block in blocks:
        one = _alone(block, channel.name)
        quality = one.quality[:, 0]
        if following is not None and one.first > following:
            quality = quality.copy()
            quality[0] |= np.uint8(Quality.AFTER_GAP)
        following = one.first + len(one)
        inside = slice(None) if span is None else _inside(one, span)
        times.append(one.times[inside])
        values.append(calibrated(one, {channel.name: channel})[inside, 0])
        flags.append(quality[inside])
    result = Series(np.concatenate(times), np.concatenate(values), np.concatenate(flags))
    for array in (result.times, result.values, result.quality):
        array.flags.writeable = False
    return result


def _alone(block: Block, name: str) -> Block:
    """The block with that channel only."""
    column = block.channels.index(name)
    here = slice(column, column + 1)
    return Block(block.source, (name,), block.first, block.times, block.values[:, here], block.quality[:, here])


def _inside(block: Block, span: Span) -> slice:
    start, end = np.searchsorted(block.times, (span.start, span.end + 1)).tolist()
    return slice(start, end)
