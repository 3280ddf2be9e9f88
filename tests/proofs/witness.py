"""A client that keeps what it saw of a run, so that a file can be held against it afterwards."""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from labrig.client import Client
from labrig.clock import monotonic, spawn
from labrig.endpoint import ServerGone
from labrig.model import Digest, Series
from labrig.recording import RunFile
from labrig.wire.documents import Status


class Witness:
    """Follows a server from another process, until that server is gone or `leave` is called.

    What it received before a moment up to which the server says that all is recorded was handed to the recorder before
    that moment: it is acknowledged, and must be in the file.
    """

    def __init__(self, client: Client) -> None:
        self.through = 0
        """How far the run was told to be recorded, monotonic ns."""
        self._seen: list[tuple[int, Digest]] = []
        self._watching = client.watch(name="witness")
        self._job = spawn("witness", self._follow)

    @property
    def has_proof(self) -> bool:
        """Whether anything that it received is acknowledged by now."""
        return bool(self._seen) and self._seen[0][0] <= self.through

    def leave(self) -> None:
        self._watching.cancel()
        self._job.join()

    def told(self, status: Status) -> None:
        """Take note of a status that came another way."""
        if status.run is not None and not status.run.outcome:
            self.through = max(self.through, status.run.recorded_through)

    def held_against(self, run: RunFile) -> tuple[int, int]:
        """How many values were acknowledged, and how many of them the file lacks or has otherwise."""
        seen = [digest for received, digest in self._seen if received <= self.through]
        channels = {channel for digest in seen for channel in digest.channels}
        kept = {channel: run.series(channel) for channel in channels}
        acknowledged = sum(int(digest.n.sum()) for digest in seen)
        lost = sum(
            missing(kept[channel], digest, column) for digest in seen for column, channel in enumerate(digest.channels)
        )
        return acknowledged, lost

    def _follow(self) -> None:
        with suppress(ServerGone):
            for item in self._watching:
                if isinstance(item, Digest):
                    self._seen.append((monotonic(), item))
                elif isinstance(item, Status):
                    self.told(item)


def missing(kept: Series, digest: Digest, column: int) -> int:
    """How many of a channel's values in those bins are not kept; all of a bin whose last value is another."""
    n, last = digest.n[:, column], digest.last[:, column]
    if not len(kept):
        return int(n.sum())
    first = np.searchsorted(kept.times, digest.starts)
    after = np.searchsorted(kept.times, digest.ends, side="right")
    there = np.array([np.isfinite(kept.values[i:j]).sum() for i, j in zip(first, after, strict=True)], dtype=np.int64)
    same = np.equal(kept.values[np.maximum(after - 1, 0)], last) | np.isnan(last)
    return int(np.where(same, np.maximum(n - there, 0), n).sum())
