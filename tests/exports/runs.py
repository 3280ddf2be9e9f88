"""A recorded run with everything in it that exports have columns for, some of it meant to do harm."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from labrig.clock import VirtualClock
from labrig.model import Analysis, BudgetLine, Faulted, Measured, Noted, Outcome, Span, Validity
from labrig.recording import Recorder, add_analysis
from tests.recording.runs import MS, header, items

FORMULAS = (
    "=1+1",
    "+1",
    "-1+cmd|' /C calc'!A0",
    "@SUM(1)",
    "\t=1",
    "\r\n=1",
    "  =1",
    "\u00a0=1",
    "\uff1d1+1",
    "\uff0b1",
    "\uff0d1",
    "\uff20SUM(1)",
    "x,=1+1",
    'x;"=HYPERLINK(1)"',
)

RESULT = Measured(
    name="water permeability",
    symbol="L_p",
    value=2.0e-9,
    u=3.0e-11,
    dof=math.inf,
    coverage_factor=1.96,
    unit="cm/min/psi",
    definition={"reference temperature": "25 \u00b0C"},
    budget=(
        BudgetLine("balance", 0.012, 1e-5, "kg", 2e-11, 9.0),
        BudgetLine("=area", 1.7e-3, 1e-6, "m\u00b2", 1e-11, 4.0),
    ),
    spans=(Span("plateau", 20 * MS, 39 * MS),),
)
ODD = Measured("burst", "p_b", math.nan, 1.0, 3.0, 3.18, "furlong", {})


def recorded(folder: Path) -> Path:
    """A closed run with two versions of an analysis."""
    path = folder / "run-1.labrig"
    clock = VirtualClock(datetime.fromisoformat(header().started_utc))
    recorder = Recorder(path, header(), clock=clock, threaded=False, reserve_bytes=0)
    for item in items():
        recorder(item)
    for number, text in enumerate(FORMULAS):
        recorder(Noted(61 * MS + number, text, text))
    recorder(Faulted(80 * MS, "=daq", "C:\\temp \x1b[31m"))
    recorder.close(Outcome.COMPLETED, "done, =2+2")
    rows: list[Mapping[str, float | str]] = [
        {"target": 68_947.57, "mean": math.nan},
        {"target": 137_895.1, "=word": "=1"},
    ]
    for version in ("1.0", "1.1"):
        done = Analysis(
            "water", version, (RESULT, ODD), Validity.INDICATIVE, ("short plateau",), {}, {"plateaus": rows}
        )
        add_analysis(path, done)
    return path
