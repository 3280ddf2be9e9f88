"""What differs between two analyses of one run, in words."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from labrig.cli.showing import value_with_uncertainty
from labrig.model import Analysis, Measured


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not the same; empty where it is not there at all."""

    what: str
    before: str
    after: str


def differences(before: Analysis, after: Analysis) -> list[Difference]:
    """Of version, validity, reasons and results, in that order; nothing where all of them are the same."""
    found = [
        Difference(what, old, new)
        for what, old, new in (
            ("analysis", before.name, after.name),
            ("version", before.version, after.version),
            ("validity", before.validity.value, after.validity.value),
        )
        if old != new
    ]
    found += [Difference("reason", old, "") for old in before.reasons if old not in after.reasons]
    found += [Difference("reason", "", new) for new in after.reasons if new not in before.reasons]
    return [*found, *_of_results(before, after)]


def _of_results(before: Analysis, after: Analysis) -> Iterator[Difference]:
    old, new = ({one.symbol: one for one in analysis.results} for analysis in (before, after))
    for symbol in dict.fromkeys((*old, *new)):
        was, became = old.get(symbol), new.get(symbol)
        if was is None or became is None:
            yield Difference(symbol, _value(was), _value(became))
        elif not (_same(was.value, became.value) and _same(was.U, became.U)):
            yield Difference(symbol, _value(was), f"{_value(became)} ({_change(was, became)})")
        elif dict(was.definition) != dict(became.definition):
            yield Difference(f"definition of {symbol}", _definition(was), _definition(became))


def _change(was: Measured, became: Measured) -> str:
    """In percent, and as a share of the uncertainty that was stated before."""
    step = became.value - was.value
    share = f"{100 * step / abs(was.value):+.2g} %" if was.value else "from zero"
    return f"{share}, {abs(step) / was.U:.2g} U" if was.U > 0 else share


def _same(one: float, other: float) -> bool:
    """Also where both are none."""
    return math.isclose(one, other, rel_tol=1e-12) or (math.isnan(one) and math.isnan(other))


def _value(result: Measured | None) -> str:
    return value_with_uncertainty(result) if result else ""


def _definition(result: Measured) -> str:
    return "; ".join(f"{key} {value}" for key, value in result.definition.items())
