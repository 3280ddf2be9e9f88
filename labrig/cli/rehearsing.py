"""``labrig rehearse``: what a method would do on a rig, before the rig is touched."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console
from rich.table import Table

from labrig.cli.ordering import Asked
from labrig.cli.showing import print_analysis
from labrig.config import find_rig, load_rig
from labrig.errors import NOTHING, AnalysisError, ConfigError
from labrig.model import Analysis, Outcome, Span
from labrig.plant import load_membrane
from labrig.rehearsal import Rehearsal
from labrig.rehearsal import rehearse as on_the_twin
from labrig.shown import analysis_as_json
from labrig.units import cm_per_min_per_psi


def rehearse(rig: str, asked: Asked, membrane: str, seed: int, *, as_json: bool) -> int:
    """Rehearse and show steps, spans, water used, the result beside the twin's truth."""
    config = load_rig(find_rig(rig))
    if not config.simulated:
        raise ConfigError(config.path, "simulation", "a table that describes the rig to the twin", NOTHING)
    rehearsal = on_the_twin(
        asked.method.protocol, asked.order, config, load_membrane(membrane or config.default_membrane), seed=seed
    )
    analysis, why = _analysed(asked, rehearsal)
    document = _document(rehearsal, analysis, why)
    if as_json:
        print(json.dumps(document, indent=2, allow_nan=False))
    else:
        _show(Console(highlight=False), asked, rehearsal, analysis, why, document)
    return 0 if rehearsal.outcome is Outcome.COMPLETED and analysis is not None else 1


def _analysed(asked: Asked, rehearsal: Rehearsal) -> tuple[Analysis | None, str]:
    try:
        return asked.method.protocol.analyse(rehearsal.run), ""
    except AnalysisError as error:
        return None, str(error)


def true_permeance(rehearsal: Rehearsal) -> float | None:
    """The plant's permeance at 25 °C averaged over the plateaus, m/s/Pa; None without a plateau."""
    spans: tuple[Span, ...] = rehearsal.run.spans("plateau")
    if not spans:
        return None
    weighted = [(span.seconds, rehearsal.plant.true_permeance(span.start / 1e9, span.end / 1e9)) for span in spans]
    return sum(seconds * p for seconds, p in weighted) / sum(seconds for seconds, _ in weighted)


def _document(rehearsal: Rehearsal, analysis: Analysis | None, why: str) -> dict[str, Any]:
    truth = true_permeance(rehearsal)
    return {
        "outcome": rehearsal.outcome.value,
        "reason": rehearsal.reason,
        "seconds": rehearsal.schedule.total,
        "steps": [{"step": path, "at_s": at} for path, at in rehearsal.schedule.steps],
        "water_mL": rehearsal.plant.truth()["delivered_mass"] / 0.998 * 1e3,
        "true_permeance_cm_min_psi": None if truth is None else truth / cm_per_min_per_psi,
        "analysis": analysis_as_json(analysis),
        "not_analysed": why,
    }


def _show(
    console: Console, asked: Asked, rehearsal: Rehearsal, analysis: Analysis | None, why: str, document: dict[str, Any]
) -> None:
    console.print(f"[bold]{asked.method.protocol.title}[/bold] ({asked.method.name} {asked.method.version}), rehearsed")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("at", justify="right")
    table.add_column("step")
    for path, at in rehearsal.schedule.steps:
        table.add_row(f"{at:.0f} s", path)
    table.add_row(f"{rehearsal.schedule.total:.0f} s", f"{rehearsal.outcome.value} {rehearsal.reason}".rstrip())
    console.print(table)
    console.print(f"Permeate: {document['water_mL']:.0f} mL")
    if analysis is not None:
        print_analysis(console, analysis)
        truth = document["true_permeance_cm_min_psi"]
        if truth is not None:
            console.print(f"The twin's true permeance at 25 °C over the plateaus: {truth:.4g} cm/min/psi")
    else:
        console.print(f"No result: {why}")
