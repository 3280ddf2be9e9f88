"""Blocks to rows of a run file and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from labrig.model import Block, Flags, Floats, Times, good
from labrig.recording.schema import Cell

LONGEST = 65_536
"""Samples in one row at most, unless a single block has more: half a megabyte a channel."""


def merged(blocks: Iterable[Block]) -> Iterator[Block]:
    """Join neighbours of one source that follow one another without a gap, so that small blocks cost no row each.

    Order within a source is kept; a gap in the index starts a new row, and so does another set of channels.
    """
    waiting: dict[str, list[Block]] = {}
    for block in blocks:
        group = waiting.setdefault(block.source, [])
        if group and not _follows(group, block):
            yield _joined(group)
            group.clear()
        group.append(block)
    for group in waiting.values():
        if group:
            yield _joined(group)


def _follows(group: list[Block], block: Block) -> bool:
    last = group[-1]
    return (
        block.first == last.first + len(last)
        and block.channels == last.channels
        and block.first + len(block) - group[0].first <= LONGEST
    )


def _joined(group: list[Block]) -> Block:
    if len(group) == 1:
        return group[0]
    return Block(
        group[0].source,
        group[0].channels,
        group[0].first,
        np.concatenate([block.times for block in group]),
        np.concatenate([block.values for block in group]),
        np.concatenate([block.quality for block in group]),
    )


def pack_times(times: Times) -> tuple[int, bytes]:
    """``step_ns`` and the bytes of ``times``: none where the steps are all the same, 8 a sample where they are not."""
    if len(times) == 1:
        return 0, b""
    step = int(times[1]) - int(times[0])
    if bool((np.diff(times) == step).all()):
        return step, b""
    return 0, times.astype("<i8", copy=False).tobytes()


def unpack_times(n: int, start: int, step: int, packed: bytes) -> Times:
    """The times of a row; raises ValueError where their number is not n."""
    if not packed:
        return start + step * np.arange(n, dtype=np.int64)
    times = np.frombuffer(packed, "<i8").astype(np.int64, copy=False)
    if len(times) != n:
        raise ValueError(f"{len(times)} times for {n} samples")
    return times


def pack_column(values: Floats, quality: Flags) -> tuple[float | None, float | None, bytes, bytes]:
    """Lowest and highest number (None where there is none), bytes of the values, bytes of the quality of a channel."""
    numbers = values[~np.isnan(values)]
    low, high = (float(numbers.min()), float(numbers.max())) if len(numbers) else (None, None)
    return low, high, values.astype("<f8", copy=False).tobytes(), quality.tobytes() if quality.any() else b""


def unpack_column(n: int, raw: bytes, quality: bytes) -> tuple[Floats, Flags]:
    """Values and quality of a channel, shape (n,); raises ValueError where their number is not n."""
    values = np.frombuffer(raw, "<f8").astype(np.float64, copy=False)
    flags = np.frombuffer(quality, np.uint8) if quality else good(n, 1)[:, 0]
    if len(values) != n or len(flags) != n:
        raise ValueError(f"{len(values)} values and {len(flags)} quality flags for {n} samples")
    return values, flags


def block_cells(row: int, source: int, samples: int, block: Block) -> tuple[Cell, ...]:
    """The columns of a row of ``block``."""
    step, packed = pack_times(block.times)
    times = block.times
    return (row, source, block.first, len(block), int(times[0]), int(times[-1]), step, packed, samples)
