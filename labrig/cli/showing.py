"""How results are printed for people."""

from __future__ import annotations

import math

from rich.console import Console
from rich.table import Table

from labrig.model import Analysis, Measured, Validity
from labrig.units import round_significant, unit

UNCERTAINTY_DIGITS = 2
SHOWN_SHARE = 0.02
"""Of the standard uncertainty: smaller contributions are shown as one; the exports hold each."""
VALIDITY_STYLE = {Validity.VALID: "bold green", Validity.INDICATIVE: "bold yellow", Validity.INVALID: "bold red"}


def value_with_uncertainty(result: Measured) -> str:
    """``3.98 ± 0.05 cm/min/psi``: two digits of the expanded uncertainty, the value to the same place."""
    shown_in = unit(result.unit)
    value, expanded = shown_in.from_si(result.value), result.U / shown_in.factor
    return f"{_to_place(value, expanded)} ± {_rounded(expanded)} {result.unit}"


def _rounded(expanded: float) -> str:
    return round_significant(expanded, UNCERTAINTY_DIGITS)


def _to_place(value: float, expanded: float) -> str:
    if not (math.isfinite(value) and math.isfinite(expanded) and expanded > 0 and value != 0):
        return round_significant(value, 4)
    rounded_u = float(f"{expanded:.{UNCERTAINTY_DIGITS - 1}e}")
    place = math.floor(math.log10(rounded_u)) - UNCERTAINTY_DIGITS + 1
    digits = math.floor(math.log10(abs(value))) - place + 1
    return round_significant(value, max(1, digits))


def print_analysis(console: Console, analysis: Analysis) -> None:
    """Results, budget of the first, validity with its reasons."""
    main, *others = analysis.results
    console.print()
    console.print(f"[bold]{main.name.capitalize()}[/bold]  {main.symbol} = [bold]{value_with_uncertainty(main)}[/bold]")
    console.print(f"  (expanded uncertainty, coverage factor {main.coverage_factor:.2f}, 95 %)")
    for other in others:
        console.print(f"  {other.name}: {other.symbol} = {value_with_uncertainty(other)}")
    definition = "; ".join(f"{key} {value}" for key, value in main.definition.items())
    console.print(f"  {definition}", highlight=False)
    console.print(_budget(main))
    style = VALIDITY_STYLE[analysis.validity]
    console.print(f"Validity: [{style}]{analysis.validity.value.upper()}[/{style}]")
    for reason in analysis.reasons:
        console.print(f"  - {reason}", highlight=False)


def _budget(result: Measured) -> Table:
    table = Table(title="Uncertainty budget", title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("contribution")
    table.add_column("estimate", justify="right")
    table.add_column("u", justify="right")
    table.add_column("unit")
    table.add_column("of the result", justify="right")
    lines = sorted(result.budget, key=lambda line: -line.contribution)
    shown = [line for line in lines if line.contribution >= SHOWN_SHARE * result.u] or lines[:1]
    for line in shown:
        share = line.contribution / abs(result.value) if result.value else math.nan
        table.add_row(
            line.source,
            round_significant(line.estimate, 5),
            round_significant(line.u, UNCERTAINTY_DIGITS),
            line.unit,
            f"{100 * share:.3f} %",
        )
    rest = lines[len(shown) :]
    if rest:
        together = math.hypot(*(line.contribution for line in rest)) / abs(result.value) if result.value else math.nan
        table.add_row(f"{len(rest)} smaller ones together", "", "", "", f"{100 * together:.3f} %")
    return table
