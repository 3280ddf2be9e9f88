"""What stands in a run file beside its samples and events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from labrig.model import Analysis, Outcome


@dataclass(frozen=True, slots=True)
class Totals:
    """What a run file holds of one source."""

    samples: int = 0
    lost: int = 0
    """Samples that no row has, by the jumps of the index: lost by the device, or by a disk that was too slow."""
    next: int = 0
    """The index that would have followed."""

    def plus(self, first: int, n: int) -> Totals:
        """With n more samples, from index ``first`` on; a run may begin at any index of a stream."""
        lost = max(0, first - self.next) if self.samples else 0
        return Totals(self.samples + n, self.lost + lost, first + n)


@dataclass(frozen=True, slots=True)
class End:
    """The end record."""

    outcome: Outcome
    reason: str
    time: int
    """Monotonic ns."""
    utc: str
    totals: Mapping[str, Totals] = field(default_factory=dict)
    """By source."""
    sources: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Name and channels of each row of ``source``, should that be damaged."""
    rows: Mapping[str, int] = field(default_factory=dict)
    """By table."""
    dropped: Mapping[str, int] = field(default_factory=dict)
    """Samples by source that the recorder left out because the disk was too slow; `Totals.lost` has them too."""
    damaged: tuple[str, ...] = ()
    """The rows that a recovery found damaged."""


@dataclass(frozen=True, slots=True)
class FiledAnalysis:
    """An analysis that was added to a finished run file."""

    id: int
    utc: str
    analysis: Analysis


@dataclass(frozen=True, slots=True)
class Verification:
    """What a check of every byte of a run file found."""

    ended: bool
    """Whether there is an end record."""
    rows: Mapping[str, int]
    """Good rows by table."""
    damaged: tuple[str, ...]
    """Each damaged or missing row, by table and id, and what SQLite's own check found."""
    hash_fits: bool | None
    """Whether all rows are as the recorder closed them; None without an end record, which would say."""

    @property
    def whole(self) -> bool:
        """The file has an end, nothing is damaged, and all is as it was closed."""
        return self.ended and not self.damaged and bool(self.hash_fits)


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a recovery found and did."""

    changed: bool
    """False where the file had its end already."""
    end: End
    """The file's end record."""
