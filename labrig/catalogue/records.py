"""What the catalogue answers with: frozen, SI inside, each row complete by itself (``pandas.DataFrame(rows)``)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from labrig.model import BudgetLine, Condition, Geometry, Orientation, Outcome, Validity
from labrig.model import Coupon as RunCoupon
from labrig.units import unit


@dataclass(frozen=True, slots=True)
class LotRow:
    name: str
    family: str
    supplier: str
    received: str
    """Day, as ``2026-03-01``; empty where nobody said."""
    note: str
    sheets: int
    coupons: int


@dataclass(frozen=True, slots=True)
class CouponRow:
    id: str
    lot: str
    sheet: str
    family: str
    barcode: str
    condition: Condition
    condition_by: str
    """The run that made it so, or who entered it; empty for a fresh one."""
    geometry: Geometry
    note: str
    touched: str
    """UTC of its newest run or entry."""

    @property
    def ordered(self) -> RunCoupon:
        """As a run's header takes it."""
        return RunCoupon(self.id, self.lot, self.sheet, self.family, self.note, self.geometry)


@dataclass(frozen=True, slots=True)
class RunRow:
    id: str
    coupon: str
    lot: str
    """Of the coupon, as it is known now."""
    method: str
    method_version: str
    protocol: str
    operator: str
    rig: str
    simulated: bool
    started: str
    """UTC."""
    ended: str
    outcome: Outcome
    reason: str
    leaves: Condition
    cell: str
    orientation: Orientation
    edge: str
    exposed_diameter: float
    """m."""
    exposed_diameter_u: float
    parameters: Mapping[str, Any]
    labrig: str
    file: str
    """Its name in the folder of runs."""


@dataclass(frozen=True, slots=True)
class ResultRow:
    run: str
    coupon: str
    lot: str
    sheet: str
    family: str
    method: str
    method_version: str
    operator: str
    started: str
    outcome: Outcome
    simulated: bool
    orientation: Orientation
    analysis: str
    version: str
    number: int
    """Of the analysis in the run file."""
    newest: bool
    """Whether no later version of the analysis was added."""
    validity: Validity
    reasons: tuple[str, ...]
    symbol: str
    name: str
    value: float
    """SI, as ``u``."""
    u: float
    dof: float
    coverage_factor: float
    unit: str
    """To show it in."""
    definition: Mapping[str, str]
    budget: tuple[BudgetLine, ...] = field(repr=False)

    @property
    def U(self) -> float:  # noqa: N802 - the GUM's symbol for expanded uncertainty
        """Expanded uncertainty, SI."""
        return self.coverage_factor * self.u

    @property
    def shown(self) -> float:
        """The value in `unit`."""
        return unit(self.unit).from_si(self.value)

    @property
    def shown_U(self) -> float:  # noqa: N802 - as above
        """The expanded uncertainty in `unit`."""
        return self.U / unit(self.unit).factor


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One subject of one entry."""

    entry: int
    utc: str
    by: str
    reason: str
    kind: str
    subject: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AttachmentRow:
    kind: str
    subject: str
    name: str
    sha256: str
    size: int
    note: str
    utc: str
    by: str
    path: str
    """Relative to the data folder."""


@dataclass(frozen=True, slots=True)
class Replicates:
    """Of the results of one symbol over several coupons."""

    symbol: str
    unit: str
    coupons: int
    n: int
    mean: float
    """SI."""
    sd: float
    """Experimental standard deviation (n-1) between results; NaN for one."""

    @property
    def relative_sd(self) -> float:
        return self.sd / abs(self.mean) if self.mean else math.nan
