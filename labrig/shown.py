"""An analysis as the JSON document that the command line, the server and scripts give (docs/cli.md)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from labrig.model import Analysis, Measured
from labrig.units import unit


def analysis_as_json(analysis: Analysis | None) -> dict[str, Any] | None:
    """The documented JSON form of an analysis (docs/cli.md): values in the unit named beside them."""
    if analysis is None:
        return None
    return {
        "name": analysis.name,
        "version": analysis.version,
        "validity": analysis.validity.value,
        "reasons": list(analysis.reasons),
        "results": [_result(result) for result in analysis.results],
        "diagnostics": _plain(analysis.diagnostics),
        "tables": {name: [_plain(row) for row in rows] for name, rows in analysis.tables.items()},
    }


def _result(result: Measured) -> dict[str, Any]:
    shown_in = unit(result.unit)
    return {
        "name": result.name,
        "symbol": result.symbol,
        "value": shown_in.from_si(result.value),
        "U": result.U / shown_in.factor,
        "u": result.u / shown_in.factor,
        "coverage_factor": result.coverage_factor,
        "dof": result.dof if math.isfinite(result.dof) else None,
        "unit": result.unit,
        "definition": dict(result.definition),
        "budget": [
            {
                "source": line.source,
                "estimate": line.estimate,
                "u": line.u,
                "unit": line.unit,
                "contribution": line.contribution / shown_in.factor,
            }
            for line in result.budget
        ],
    }


def _plain(row: Mapping[str, float | str]) -> dict[str, float | str | None]:
    """JSON has no NaN: what has no value is null."""
    return {key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in row.items()}
