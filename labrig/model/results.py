"""What comes out: numbers with their uncertainty, and the analysis that they belong to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from labrig.model.events import Span


class Validity(StrEnum):
    """What a result may be used for. Mixed neither with the outcome nor with a verdict."""

    VALID = "valid"
    INDICATIVE = "indicative"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """One contribution to a result's standard uncertainty."""

    source: str
    estimate: float
    u: float
    """Standard uncertainty of the input, in its unit."""
    unit: str
    contribution: float
    """|sensitivity| · u, in the result's SI unit."""
    dof: float


@dataclass(frozen=True, slots=True)
class Measured:
    """A number with everything that makes it one."""

    name: str
    """Field term, such as ``water permeability``."""
    symbol: str
    value: float
    """SI."""
    u: float
    """Standard uncertainty, SI."""
    dof: float
    """Effective degrees of freedom (Welch-Satterthwaite)."""
    coverage_factor: float
    """Factor of ``U`` for 95 % coverage with those degrees of freedom."""
    unit: str
    """Symbol of the unit to show it in."""
    definition: Mapping[str, str]
    """What fixes the meaning: reference temperature, area, criterion, shape factor …"""
    budget: tuple[BudgetLine, ...] = ()
    spans: tuple[Span, ...] = ()

    @property
    def U(self) -> float:  # noqa: N802 - the GUM's symbol for expanded uncertainty
        """Expanded uncertainty, SI."""
        return self.coverage_factor * self.u


@dataclass(frozen=True, slots=True)
class Analysis:
    """What one version of one analysis made of a run."""

    name: str
    version: str
    results: tuple[Measured, ...]
    validity: Validity
    reasons: tuple[str, ...] = ()
    """Why the validity is less than valid, in words for people."""
    diagnostics: Mapping[str, float | str] = field(default_factory=dict)
    tables: Mapping[str, Sequence[Mapping[str, float | str]]] = field(default_factory=dict)
    """Tidy rows, such as one per plateau, SI values."""
