"""What the screen knows of the samples: kept bins of every source, and the live estimate made from them. No Qt."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

import numpy as np

from labrig.clock import SECOND
from labrig.model import Digest, Quality
from labrig.wire.documents import Description
from labrig_ui import estimate
from labrig_ui.bins import NO_BINS, Bins, Pyramid

PERMEABILITY: Final = "live permeability"
"""Name of the estimate among the channels; no real channel has a blank in its name."""
_CLOSE_LOOK: Final = 64


class Live:
    """Bins by channel since the screen attached, with what was fetched of the time before."""

    def __init__(self, description: Description) -> None:
        self._pyramids: dict[str, Pyramid] = {}
        self._source_of: dict[str, str] = {}
        self._since: dict[str, list[Digest]] = {}
        """Live digests by source until the past of that source has come."""
        self._roles = {channel.role: channel.name for channel in description.channels if channel.role}
        self._range = {channel.name: (channel.low, channel.high) for channel in description.channels}
        self._area = estimate.disc_area(description.exposed_diameter)
        self.version = 0
        """Grows whenever there is something new to draw."""

    def add(self, digest: Digest) -> None:
        """A live digest."""
        if not len(digest.starts):
            return
        self._pyramid(digest.source, digest.channels).add(digest)
        if digest.source in self._since:
            self._since[digest.source].append(digest)
        self.version += 1

    def expect_past(self) -> None:
        """From now on keep live digests, so that an earlier past can be put before them."""
        self._since = {source: [] for source in self._pyramids}

    def add_past(self, past: Digest) -> None:
        """A source's bins from before: the kept bins are built anew from them and from what came live since."""
        if not len(past.starts):
            return
        since = self._since.pop(past.source, [])
        self._pyramids.pop(past.source, None)
        pyramid = self._pyramid(past.source, past.channels)
        for digest in (past, *since):
            pyramid.add(digest)
        self._since.pop(past.source, None)
        self.version += 1

    def knows(self, channel: str) -> bool:
        return channel in self._source_of

    @property
    def end(self) -> int:
        """Time of the newest sample of any source; 0 without one."""
        return max((pyramid.end for pyramid in self._pyramids.values()), default=0)

    def bins(self, channel: str, start: int, end: int, most: int) -> Bins:
        """Of a channel or of the live permeability; empty for a channel that has delivered nothing."""
        if channel == PERMEABILITY:
            return self._permeability(start, end, most)
        if channel not in self._source_of:
            return NO_BINS
        return self._pyramids[self._source_of[channel]].between(channel, start, end, most)

    def newest(self, channel: str) -> tuple[float, Quality, int]:
        """Last value in SI (NaN where there is none), its quality, and the time of the newest sample of its source."""
        if channel == PERMEABILITY:
            return self._newest_permeability()
        if channel not in self._source_of:
            return math.nan, Quality.GOOD, 0
        pyramid = self._pyramids[self._source_of[channel]]
        value, quality = pyramid.newest(channel)
        return value, Quality(quality), pyramid.end

    def flow_from(self) -> str:
        """Where the flow of the estimate comes from, in words; empty where the rig measures none."""
        if self._metered(self._newest_flow()):
            return "flow meter"
        return "balance" if "permeate_mass" in self._roles else ""

    def can_estimate(self) -> bool:
        return "feed_pressure" in self._roles and bool({"permeate_flow", "permeate_mass"} & self._roles.keys())

    def _newest_permeability(self) -> tuple[float, Quality, int]:
        since = round(2 * estimate.LOOK_BACK * SECOND)
        bins = self._permeability(self.end - since, self.end, _CLOSE_LOOK)
        newest = bins.mean[bins.times >= self.end - SECOND]
        usable = newest[np.isfinite(newest)]
        return (float(usable.mean()) if len(usable) else math.nan), Quality.GOOD, self.end

    def _permeability(self, start: int, end: int, most: int) -> Bins:
        pressure = self._by_role("feed_pressure", start, end, most)
        if not len(pressure):
            return NO_BINS
        by_balance = estimate.flow_by_balance(
            self._by_role("permeate_mass", start - round(2 * estimate.WINDOW * SECOND), end, most), pressure.times
        )
        by_meter = estimate.flow_at(self._by_role("permeate_flow", start, end, most), pressure.times)
        flow = np.where([self._metered(one) for one in by_meter.tolist()], by_meter, by_balance)
        values = estimate.permeability(flow, pressure.mean, self._area)
        values[~estimate.steady(pressure)] = np.nan
        return Bins(pressure.times, values, values, values)

    def _by_role(self, role: str, start: int, end: int, most: int) -> Bins:
        return self.bins(self._roles[role], start, end, most) if role in self._roles else NO_BINS

    def _newest_flow(self) -> float:
        return self.newest(self._roles["permeate_flow"])[0] if "permeate_flow" in self._roles else math.nan

    def _metered(self, flow: float) -> bool:
        """Whether the flow meter can be believed: a value inside its range."""
        low, high = self._range.get(self._roles.get("permeate_flow", ""), (0.0, 0.0))
        return math.isfinite(flow) and low <= flow < high

    def _pyramid(self, source: str, channels: Iterable[str]) -> Pyramid:
        if source not in self._pyramids:
            names = tuple(channels)
            self._pyramids[source] = Pyramid(names)
            self._source_of.update(dict.fromkeys(names, source))
        return self._pyramids[source]
