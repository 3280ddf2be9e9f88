"""Which channels stand where on the live page, and how their numbers are written. No Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from labrig.units import Unit, round_significant, unit
from labrig.wire.documents import ChannelPaper, Description
from labrig_ui.live import PERMEABILITY

BIG: Final = ("feed_pressure", "permeate_flow", PERMEABILITY, "permeate_mass")
"""Roles that get a big tile, in this order."""
PLOTTED: Final = ("feed_pressure", "permeate_flow", PERMEABILITY)
ESTIMATE_UNIT: Final = "cm/min/psi"


@dataclass(frozen=True, slots=True)
class Shown:
    """A channel, or the live estimate, as a tile or a plot needs it."""

    name: str
    label: str
    unit: Unit
    decimals: int
    """Of a measured channel, from its range; −1: three significant digits."""
    guarded_low: float | None = None
    """SI."""
    guarded_high: float | None = None

    @property
    def least(self) -> float:
        """Smallest range of a plot, shown unit: noise alone must not fill it."""
        return 2.0 * 10.0**-self.decimals * 10.0 if self.decimals >= 0 else 1.0

    def write(self, value: float) -> str:
        """An SI value as a number in the shown unit; ``–`` where there is none."""
        if not math.isfinite(value):
            return "–"
        number = self.unit.from_si(value)
        text = f"{number:.{self.decimals}f}" if self.decimals >= 0 else round_significant(number, 3)
        return ("0" + text[2:] if text.startswith("-0") and not text.strip("-0.") else text).replace("-", "−")


def shown(channel: ChannelPaper) -> Shown:
    """Enough decimals to see a ten-thousandth of the range, one at the least."""
    its_unit = unit(channel.unit)
    full = max(abs(its_unit.from_si(channel.low)), abs(its_unit.from_si(channel.high)), 1e-9)
    decimals = min(4, max(1, 3 - math.floor(math.log10(full))))
    label = channel.label or channel.name.replace("_", " ").capitalize()
    return Shown(channel.name, label, its_unit, decimals, channel.guarded_low, channel.guarded_high)


ESTIMATE: Final = Shown(PERMEABILITY, "Permeability, live estimate", unit(ESTIMATE_UNIT), -1)


def tiles(description: Description, *, estimate: bool) -> tuple[tuple[Shown, ...], tuple[Shown, ...]]:
    """Big and small ones. A rig without any of the usual roles gets its first four channels big."""
    big = _by_role(description, BIG, estimate=estimate) or tuple(shown(one) for one in description.channels[:4])
    taken = {one.name for one in big}
    return big, tuple(shown(one) for one in description.channels if one.name not in taken)


def plots(description: Description, *, estimate: bool) -> tuple[Shown, ...]:
    """Three at most."""
    wanted = _by_role(description, PLOTTED, estimate=estimate)
    if len(wanted) < 2:
        wanted = tuple(shown(one) for one in description.channels[:3])
    return wanted


def curves(description: Description, *, estimate: bool) -> tuple[Shown, ...]:
    """All that can be plotted."""
    return (*((ESTIMATE,) if estimate else ()), *(shown(one) for one in description.channels))


def _by_role(description: Description, roles: tuple[str, ...], *, estimate: bool) -> tuple[Shown, ...]:
    of_role = {one.role: one for one in description.channels if one.role}
    found = []
    for role in roles:
        if role == PERMEABILITY and estimate:
            found.append(ESTIMATE)
        elif role in of_role:
            found.append(shown(of_role[role]))
    return tuple(found)
