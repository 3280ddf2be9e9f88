"""A laboratory's data folder: closed run files with results, and people who enter things."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from labrig.catalogue.rebuilding import Dump, dump
from labrig.catalogue.store import Store
from labrig.clock import VirtualClock
from labrig.header import run_path
from labrig.model import (
    Analysis,
    BudgetLine,
    Condition,
    Coupon,
    Measured,
    Outcome,
    RunHeader,
    Validity,
)
from labrig.recording import Recorder, add_analysis
from labrig.units import cm_per_min_per_psi
from tests.recording.runs import header

BEGIN = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)


def run_header(
    number: int,
    coupon: Coupon,
    *,
    operator: str = "Ada",
    method: str = "quick-permeability 1",
    leaves: Condition = Condition.WETTED,
) -> RunHeader:
    """The n-th run of the laboratory, one each hour."""
    started = (BEGIN + timedelta(hours=number)).isoformat()
    known = header(run_id=f"{number:08x}-0000-4000-8000-000000000000")
    return replace(known, coupon=coupon, operator=operator, method=method, leaves=leaves, started_utc=started)


def record(
    data: Path, number: int, coupon: Coupon, *, value: float | None = 4.0, outcome: Outcome = Outcome.COMPLETED,
    operator: str = "Ada", leaves: Condition = Condition.WETTED, validity: Validity = Validity.VALID,
) -> Path:  # fmt: skip
    """A closed run file, with a permeability in cm/min/psi unless ``value`` is None."""
    its_header = run_header(number, coupon, operator=operator, leaves=leaves)
    path = run_path(data / "runs", its_header)
    path.parent.mkdir(parents=True, exist_ok=True)
    Recorder(path, its_header, clock=VirtualClock(), reserve_bytes=0).close(outcome, "")
    if value is not None:
        analyse(path, value, validity=validity)
    return path


def analyse(path: Path, value: float, *, version: str = "1", validity: Validity = Validity.VALID) -> None:
    """Add an analysis whose result is that many cm/min/psi."""
    measured = Measured(
        name="water permeability", symbol="p25", value=value * cm_per_min_per_psi, u=0.01 * cm_per_min_per_psi,
        dof=float("inf"), coverage_factor=2.0, unit="cm/min/psi", definition={"reference temperature": "25 °C"},
        budget=(BudgetLine("diameter", 0.02, 1e-5, "m", 1e-11, float("inf")),),
    )  # fmt: skip
    add_analysis(path, Analysis("permeability", version, (measured,), validity, ("because",)), now=BEGIN)


def rows(store: Store) -> Dump:
    """Everything that the catalogue says."""
    with store.database.reading() as session:
        return dump(session)
