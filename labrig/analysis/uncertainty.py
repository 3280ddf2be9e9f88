"""Uncertainty by the GUM (JCGM 100): inputs in, a formula over them, a `Measured` with its budget out.

The one file that knows GTC (B. D. Hall, the GUM Tree Calculator), which is imported when the first budget is opened
because it takes a second to load. Inputs that enter a formula in several places, such as the diameter in every flux,
are one object, so that what they have in common is neither lost nor counted twice.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, cast

from labrig.errors import AnalysisError
from labrig.model import BudgetLine, Measured, Span

if TYPE_CHECKING:
    from types import ModuleType

COVERAGE: Final = 95.0
"""Per cent of truths that value ± U is meant to hold."""

NEGLIGIBLE: Final = 1e-9
"""Share of the combined uncertainty below which a contribution is rounding of the arithmetic."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """An input quantity: best value, standard uncertainty, and how well that is known."""

    value: float
    u: float = 0.0
    dof: float = math.inf

    @property
    def relative_u(self) -> float:
        return self.u / abs(self.value) if self.value else math.inf


class Uncertain(Protocol):
    """A number that remembers which inputs make it uncertain; arithmetic carries that along."""

    @property
    def x(self) -> float:
        """Best value."""
        ...

    @property
    def u(self) -> float:
        """Standard uncertainty."""
        ...

    @property
    def df(self) -> float:
        """Effective degrees of freedom (Welch-Satterthwaite)."""
        ...

    def __add__(self, other: Uncertain | float, /) -> Uncertain: ...
    def __radd__(self, other: float, /) -> Uncertain: ...
    def __sub__(self, other: Uncertain | float, /) -> Uncertain: ...
    def __rsub__(self, other: float, /) -> Uncertain: ...
    def __mul__(self, other: Uncertain | float, /) -> Uncertain: ...
    def __rmul__(self, other: float, /) -> Uncertain: ...
    def __truediv__(self, other: Uncertain | float, /) -> Uncertain: ...
    def __rtruediv__(self, other: float, /) -> Uncertain: ...


class Budget:
    """The inputs of one result, or of several that share them.

    ::

        budget = Budget()
        force = budget.input("force", Estimate(10.0, 0.1), "N")
        area = budget.input("area", Estimate(2e-4, 1e-6, dof=5), "m²")
        stress = budget.measured(force / area, name="stress", symbol="σ", unit="MPa", definition={})
    """

    def __init__(self) -> None:
        import GTC

        self._gtc: ModuleType = GTC
        self._inputs: list[tuple[str, Estimate, str, Uncertain]] = []

    def input(self, label: str, estimate: Estimate, unit: str = "") -> Uncertain:
        """One input quantity, independent of all others; raises `AnalysisError` for one that is not finite."""
        if not (math.isfinite(estimate.value) and math.isfinite(estimate.u) and estimate.u >= 0 and estimate.dof >= 1):
            raise AnalysisError(
                f"{label}: a finite value with an uncertainty of at least one degree of freedom is needed, not "
                f"{estimate.value:g} ± {estimate.u:g} with {estimate.dof:g}"
            )
        number = cast("Uncertain", self._gtc.ureal(estimate.value, estimate.u, estimate.dof, label))  # GTC has no types
        self._inputs.append((label, estimate, unit, number))
        return number

    def measured(
        self,
        result: Uncertain,
        *,
        name: str,
        symbol: str,
        unit: str,
        definition: Mapping[str, str],
        spans: tuple[Span, ...] = (),
    ) -> Measured:
        """``result`` with its budget, largest contribution first; inputs that do not contribute are left out."""
        lines = [
            BudgetLine(label, estimate.value, estimate.u, unit_, contribution, estimate.dof)
            for label, estimate, unit_, number in self._inputs
            if (contribution := self._contribution(result, number)) > NEGLIGIBLE * result.u
        ]
        lines.sort(key=lambda line: -line.contribution)
        dof = effective_dof(lines)
        return Measured(
            name=name,
            symbol=symbol,
            value=result.x,
            u=result.u,
            dof=dof,
            coverage_factor=coverage_factor(dof),
            unit=unit,
            definition=definition,
            budget=tuple(lines),
            spans=spans,
        )

    def _contribution(self, result: Uncertain, number: Uncertain) -> float:
        return abs(float(self._gtc.reporting.u_component(result, number)))


def coverage_factor(dof: float, coverage: float = COVERAGE) -> float:
    """Student's factor for ``coverage`` per cent, two-sided; fewer than one degree of freedom count as one."""
    import GTC

    return float(GTC.reporting.k_factor(max(1.0, dof), coverage))


def effective_dof(lines: Iterable[BudgetLine]) -> float:
    """Degrees of freedom of the combination of independent contributions (JCGM 100, G.4.1; not truncated).

    >>> effective_dof([BudgetLine("a", 1, 1, "", 3.0, 4), BudgetLine("b", 1, 1, "", 4.0, math.inf)])
    30.864197530864196
    """
    known = [(line.contribution, line.dof) for line in lines]
    variance = sum(contribution**2 for contribution, _ in known)
    share = sum((contribution**2 / variance) ** 2 / dof for contribution, dof in known) if variance else 0.0
    return 1 / share if share else math.inf


def through(function: Callable[[float], float], number: Uncertain) -> Uncertain:
    """A smooth function of an uncertain number, linearised at its value by a central difference."""
    step = 1e-5 * max(abs(number.x), 1e-3)
    slope = (function(number.x + step) - function(number.x - step)) / (2 * step)
    return (number - number.x) * slope + function(number.x)


def total(numbers: Iterable[Uncertain]) -> Uncertain:
    """The sum of one uncertain number at least."""
    first, *others = numbers
    for number in others:
        first = first + number
    return first
