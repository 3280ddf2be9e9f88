"""What can be wrong with a water permeability, by name: how large it is, from what size on it is seen, what to do.

Each is an estimate of a size with its uncertainty. It is *found* where the size exceeds its detection limit: the
uncertainty times the factor at which all tests of a run together go wrong in one of a hundred good runs (Bonferroni),
or a size that does no harm, whichever is larger. At three times that limit hardly any escapes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from labrig.analysis.uncertainty import Estimate, coverage_factor
from labrig.model import Floats
from labrig.units import atm, percent

FAMILY_ERROR: Final = 1.0
"""Per cent of good runs in which any of the tests may be wrong."""
REMEDIES: Final = {
    "zero shift": "warm the transducer up, look for strain and air in its line, and measure again",
    "head error": "measure the height of the permeate outlet above the pressure tap anew, and state it as head",
    "incomplete wetting": "soak longer or wet with alcohol first, flush without letting the surface dry, take it anew",
    "trapped bubble": "purge the upstream side again with the cell tilted, use degassed water, and measure again",
    "fouled feed": "change the water, filter it to 0.1 µm, rinse vessel and lines, and take a fresh coupon",
    "plumbing-limited": "use wider or shorter lines, a smaller cell, or lower pressures",
    "drifting temperature": "let water, vessel and cell come to one temperature, and measure again",
    "evaporation": "cover the beaker, weigh a no-flow blank, and state it as evaporation",
}
"""What to do about each; the keys are the names, in the order in which they are judged."""
SURE: Final = 100 - FAMILY_ERROR / len(REMEDIES)
"""Coverage of a single test, per cent."""
HARMLESS_GAIN: Final = 2 * percent
HARMLESS_SHARE: Final = 2 * percent
HARMLESS_PRESSURE: Final = 0.5 * percent
"""Of the lowest step."""
HARMLESS_FLOW: Final = 0.2 * percent
"""Of the lowest flow."""
SQUEEZED: Final = 2 / 3
"""A bubble's volume goes with 1/p (Boyle), the area under it with the power 2/3 of its volume."""


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One thing that was looked for, or why it could not be."""

    name: str
    size: float = math.nan
    """In ``unit``; signed where a direction has a meaning."""
    limit: float = math.nan
    """Size from which on it is found."""
    unit: str = ""
    """Of size and limit: ``%``, ``Pa``, ``K``, ``kg/s``; a fraction for ``%``."""
    words: str = ""
    """What was seen, or why it was not looked for."""

    @property
    def looked_for(self) -> bool:
        return math.isfinite(self.size)

    @property
    def found(self) -> bool:
        return self.looked_for and abs(self.size) > self.limit

    @property
    def remedy(self) -> str:
        return REMEDIES[self.name]


def limit_of(estimate: Estimate, harmless: float) -> float:
    """The detection limit of a size with that uncertainty."""
    return max(harmless, coverage_factor(estimate.dof, SURE) * estimate.u)


@dataclass(frozen=True, slots=True)
class Shape:
    """How p goes with pressure and time over a ladder up and down; relative, with uncertainties."""

    bubble: Estimate
    """Share of the area under a bubble, were the pressure atmospheric."""
    decline: Estimate
    """Share of p that was lost from the first plateau to the last, apart from what pressure does."""


def shape_of(pressures: Floats, seconds: Floats, p: Floats, relative_u: Floats) -> Shape | None:
    """Fit p = A·(1 - c·ΔP - s·(p₀/(ΔP + p₀))^⅔ - d·t); all of shape (n,), pressures gauge, p₀ one atmosphere.

    ``c`` is compaction, ``s`` a bubble that pressure squeezes, ``d`` what is lost with time. None where the ladder is
    too short to tell them apart: four pressures, six plateaus, and pressures that were run twice.
    """
    n = len(p)
    if n < 6 or len(np.unique(np.round(np.log(np.maximum(pressures, 1.0)) / 0.05))) < 4 or np.ptp(seconds) == 0:
        return None
    area = (atm / (pressures + atm)) ** SQUEEZED
    time = (seconds - seconds[0]) / (seconds[-1] - seconds[0])
    columns = np.column_stack((np.ones(n), -pressures / pressures.max(), -area, -time))
    weighted = columns / relative_u[:, None]
    sizes = np.linalg.svd(weighted / np.linalg.norm(weighted, axis=0), compute_uv=False)
    if sizes[-1] < 1e-3 * sizes[0]:
        return None
    inverse = np.linalg.inv(weighted.T @ weighted)
    mean = float(p.mean())
    fitted = inverse @ (weighted.T @ (p / mean / relative_u))
    misfit = float(np.sum(((columns @ fitted - p / mean) / relative_u) ** 2)) / (n - 4)
    u = np.sqrt(np.diag(inverse) * max(1.0, misfit)) / fitted[0]
    return Shape(*(Estimate(float(fitted[k] / fitted[0]), float(u[k]), _DOF) for k in (2, 3)))


_DOF: Final = 12.0
"""Degrees of freedom of a fit over six to ten plateaus whose noise is known with six or seven each."""


def gain(pairs: Sequence[tuple[Estimate, Estimate]], lost_between: Estimate) -> Estimate | None:
    """By which fraction p rose between two looks at one pressure; the surest of the pairs, None without one.

    ``lost_between`` is the share that compaction took meanwhile, which hides so much of a rise.
    """
    found = [
        Estimate(
            late.value / early.value - 1 + lost_between.value,
            math.hypot(early.relative_u, late.relative_u, lost_between.u),
            min(early.dof, late.dof, lost_between.dof),
        )
        for early, late in pairs
        if early.value > 0
    ]
    return max(found, key=lambda one: one.value / max(one.u, 1e-9), default=None)
