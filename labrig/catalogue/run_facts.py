"""What the catalogue keeps of a run file."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from labrig.catalogue.settling import settle
from labrig.catalogue.tables import Analysis, Method, Mounting, Result, Run
from labrig.errors import RecordingError
from labrig.model import DIMENSIONS, Coupon, Measured
from labrig.quantities import Quantity
from labrig.recording import FiledAnalysis, RunFile

LEFT_OPEN: Final = ("-wal", "-reserve", "-journal")
"""What stands beside a run file while it is being written, and afterwards where that was cut off."""
_COUNTER: Final = slice(24, 28)
_LENGTH: Final = Quantity("length", "mm")


@dataclass(frozen=True, slots=True)
class RunRows:
    """The rows of one run, as columns by name."""

    run: dict[str, Any]
    mounting: dict[str, Any]
    analyses: tuple[dict[str, Any], ...]
    results: tuple[dict[str, Any], ...]


def finished(path: Path) -> bool:
    """Whether nothing says that the file is still being written, or was cut off."""
    return not any(path.with_name(path.name + left).exists() for left in LEFT_OPEN)


def revision_of(path: Path) -> int:
    """SQLite's count of the transactions that changed a file; raises `RecordingError` where it cannot be read.

    https://www.sqlite.org/fileformat2.html, section 1.3.7.
    """
    try:
        with path.open("rb") as file:
            return int.from_bytes(file.read(100)[_COUNTER], "big")
    except OSError as error:
        raise RecordingError(f"{path}: {error.strerror}") from error


def read_run(path: Path) -> RunRows:
    """Raises `RecordingError` for a file that cannot be read."""
    revision = revision_of(path)
    with RunFile(path) as run:
        header, analyses, end = run.header, run.analyses, run.end
        method, _, version = header.method.partition(" ")
        started = utc(header.started_utc)
        row = {
            "id": header.run_id,
            "coupon": header.coupon.id,
            "method": method,
            "method_version": version,
            "protocol": header.protocol,
            "parameters": dict(header.parameters),
            "operator": header.operator,
            "rig": header.rig,
            "simulated": header.simulated,
            "started": started,
            "ended": utc(end.utc) if end and end.utc else "",
            "outcome": run.outcome.value,
            "reason": run.reason,
            "leaves": header.leaves.value,
            "coupon_facts": coupon_facts(header.coupon),
            "labrig": header.versions.get("labrig", ""),
            "file": path.name,
            "revision": revision,
        }
    mounting = header.mounting
    last = {filed.analysis.name: filed.id for filed in analyses}
    return RunRows(
        row,
        {
            "run": header.run_id,
            "cell": mounting.cell,
            "orientation": mounting.orientation.value,
            "edge": mounting.edge,
            "exposed_diameter": mounting.exposed_diameter,
            "exposed_diameter_u": mounting.exposed_diameter_u,
        },
        tuple(_analysis(header.run_id, one, newest=last[one.analysis.name] == one.id) for one in analyses),
        tuple(
            _result(header.run_id, one, place, measured, started, newest=last[one.analysis.name] == one.id)
            for one in analyses
            for place, measured in enumerate(one.analysis.results)
        ),
    )


def store_run(session: Session, rows: RunRows) -> bool:
    """Put a run's rows in the place of those that are there; False where they are the same already."""
    run = rows.run
    present = session.get(Run, run["id"])
    if present is not None and all(getattr(present, key) == value for key, value in run.items()):
        return False
    before = (present.coupon, present.operator) if present else (run["coupon"], run["operator"])
    if present is not None:
        session.execute(delete(Run).where(Run.id == run["id"]))
        session.expunge(present)
    keys = {"name": run["method"], "version": run["method_version"], "protocol": run["protocol"]}
    session.merge(Method(**keys))
    session.flush()
    session.execute(insert(Run), [run])
    session.execute(insert(Mounting), [rows.mounting])
    for table, added in ((Analysis, rows.analyses), (Result, rows.results)):
        if added:
            session.execute(insert(table), list(added))
    settle(session, {"coupon": {run["coupon"], before[0]}, "operator": {run["operator"], before[1]}})
    return True


def stored_revisions(session: Session) -> dict[str, int]:
    """By file name."""
    return dict(session.execute(select(Run.file, Run.revision)).all())


def coupon_facts(coupon: Coupon) -> dict[str, Any]:
    """What a header says of a coupon, in the form of an entry."""
    geometry = coupon.geometry
    said: dict[str, Any] = {
        "lot": coupon.lot,
        "sheet": coupon.sheet,
        "family": coupon.family,
        "note": coupon.note,
        "shape": geometry.shape.value if geometry.shape else "",
        "direction": geometry.direction.value if geometry.direction else "",
        "position": geometry.position,
        "edge": geometry.edge.value,
        **{name: [_LENGTH.show(value) for value in getattr(geometry, name)] for name in DIMENSIONS},
    }
    return {key: value for key, value in said.items() if value}


def utc(text: str) -> str:
    """An ISO time in UTC, written so that texts sort as times do."""
    return datetime.fromisoformat(text).astimezone(UTC).isoformat(timespec="microseconds")


def _analysis(run: str, filed: FiledAnalysis, *, newest: bool) -> dict[str, Any]:
    analysis = filed.analysis
    return {
        "run": run,
        "number": filed.id,
        "name": analysis.name,
        "version": analysis.version,
        "utc": filed.utc,
        "validity": analysis.validity.value,
        "reasons": list(analysis.reasons),
        "newest": newest,
    }


def _result(
    run: str, filed: FiledAnalysis, place: int, measured: Measured, started: str, *, newest: bool
) -> dict[str, Any]:
    return {
        "run": run,
        "analysis": filed.id,
        "place": place,
        "symbol": measured.symbol,
        "name": measured.name,
        "value": _number(measured.value),
        "u": _number(measured.u),
        "dof": _number(measured.dof),
        "coverage_factor": _number(measured.coverage_factor),
        "unit": measured.unit,
        "definition": dict(measured.definition),
        "budget": [asdict(line) for line in measured.budget],
        "newest": newest,
        "started": started,
    }


def _number(value: float) -> float | None:
    """SQLite keeps NaN as NULL; here it is said."""
    return None if math.isnan(value) else value
