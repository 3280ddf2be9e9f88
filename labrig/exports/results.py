"""The results of many runs as rows of one table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from labrig.exports.tables import Cell, Table, fixed, result_cells
from labrig.model import Coupon
from labrig.recording import RunFile

COLUMNS: Final = (
    *("run", "started_utc", "coupon", "lot", "sheet", "family", "method", "operator", "rig", "orientation"),
    *("simulated", "outcome", "analysis", "version", "filed_utc", "validity", "reasons", "name", "symbol", "value"),
    *("U", "unit", "coverage_factor", "dof", "value_si", "u_si", "definition"),
)
Row = tuple[Cell, ...]


def _as_recorded(coupon: Coupon) -> Coupon:
    return coupon


def rows_of(run_files: Iterable[Path], known: Callable[[Coupon], Coupon] = _as_recorded) -> list[Row]:
    """A row for each result of the newest version of each analysis; raises `RecordingError` for a damaged file.

    ``known`` says what is known of a coupon now, such as its lot; without it rows have what was recorded.
    """
    found: list[Row] = []
    for path in run_files:
        with RunFile(path) as run:
            found += _rows(run, known(run.header.coupon))
    return found


def table(rows: Sequence[Row]) -> Table:
    """The rows under the names of their columns."""
    return fixed("results", COLUMNS, rows, U="expanded uncertainty, 95 % coverage")


def _rows(run: RunFile, coupon: Coupon) -> list[Row]:
    header = run.header
    head = (
        *(header.run_id, header.started_utc, coupon.id, coupon.lot, coupon.sheet, coupon.family, header.method),
        *(header.operator, header.rig, header.mounting.orientation.value, "yes" if header.simulated else "no"),
        run.outcome.value,
    )
    newest = {filed.analysis.name: filed for filed in run.analyses}
    return [
        (
            *(*head, filed.analysis.name, filed.analysis.version, filed.utc, filed.analysis.validity.value),
            *("; ".join(filed.analysis.reasons), *result_cells(result)),
        )
        for filed in newest.values()
        for result in filed.analysis.results
    ]
