"""``labrig runs`` and ``labrig results``; what is looked for, from the options."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from labrig.catalogue import Catalogue, Filter, ResultRow, open_catalogue, replicates
from labrig.catalogue.records import Replicates, RunRow
from labrig.cli.ordering import data_folder
from labrig.cli.showing import VALIDITY_STYLE, value_with_uncertainty
from labrig.errors import ConfigError, UnitError
from labrig.exports.cells import safe
from labrig.model import Condition, Measured, Outcome, Validity
from labrig.recording.codec import dumps
from labrig.units import parse, round_significant, unit

COLUMNS: Final = (
    *("run", "started", "coupon", "lot", "sheet", "family", "method", "method_version", "operator", "outcome"),
    *("simulated", "orientation", "analysis", "version", "validity", "reasons", "symbol", "name", "value", "U", "unit"),
    *("coverage_factor", "u", "dof", "definition"),
)
"""Of the CSV; numbers are in ``unit``."""
UNSEEN_WIDTH: Final = 200


def wanted(
    *,
    condition: StrEnum | None = None,
    outcome: StrEnum | None = None,
    validity: StrEnum | None = None,
    since: datetime | None,
    until: datetime | None,
    low: str,
    high: str,
    **words: str,
) -> Filter:
    """The options as a filter; raises `ConfigError` for a range that is no quantity."""
    return Filter(
        condition=Condition(condition.value) if condition else None,
        outcome=Outcome(outcome.value) if outcome else None,
        validity=Validity(validity.value) if validity else None,
        since=_day_or_moment(since),
        until=_day_or_moment(until),
        low=_quantity("--from", low),
        high=_quantity("--to", high),
        **words,  # type: ignore[arg-type]  # the texts among its fields
    )


def list_runs(data: Path | None, sought: Filter, limit: int, *, as_json: bool) -> int:
    """Print runs."""
    rows = open_catalogue(data_folder(data)).runs(sought, limit=limit)
    if as_json:
        print(dumps([asdict(row) for row in rows]))
        return 0
    table = plain_table("run", "started", "coupon", "lot", "method", "operator", "outcome", "rig")
    for row in rows:
        rig = f"{row.rig} (simulated)" if row.simulated else row.rig
        method = f"{row.method} {row.method_version}"
        table.add_row(row.id[:8], local(row.started), row.coupon, row.lot, method, row.operator, row.outcome.value, rig)
    show_table(table, len(rows), limit, "runs")
    return 0


def show_run(data: Path | None, id_: str, *, as_json: bool) -> int:
    """Print one run, with every version of its results."""
    catalogue = open_catalogue(data_folder(data))
    row = catalogue.run(id_)
    results = [each for each in _of_coupon(catalogue, row.coupon) if each.run == row.id]
    files = catalogue.attachments("run", row.id)
    if as_json:
        document = {**asdict(row), "results": [result_as_json(one) for one in results]}
        print(dumps({**document, "attachments": [asdict(one) for one in files]}))
        return 0
    out = console()
    for name, value in _facts(row):
        out.print(f"{name:<12}{value}", markup=False)
    print_results(out, results)
    for one in files:
        out.print(f"{one.name}: {one.path} {one.note}", markup=False)
    return 0


def list_results(
    data: Path | None, sought: Filter, limit: int, *, every_version: bool, as_json: bool, as_csv: bool
) -> int:
    """Print results as a table, JSON or CSV."""
    rows = open_catalogue(data_folder(data)).results(sought, limit=limit, every_version=every_version)
    if as_json:
        together = [_replicates_as_json(one) for one in replicates(rows)]
        print(dumps({"results": [result_as_json(row) for row in rows], "replicates": together}))
    elif as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in rows:
            document = result_as_json(row)
            writer.writerow([_cell(document[name]) for name in COLUMNS])
    else:
        out = console()
        print_results(out, rows)
        for one in replicates(rows):
            _print_replicates(out, one)
        if len(rows) == limit:
            out.print(f"The newest {limit} results; narrow the search, or raise --limit.")
    return 0


def result_as_json(row: ResultRow) -> dict[str, Any]:
    """A result's facts, numbers in ``unit``."""
    shown_in = unit(row.unit)
    document = asdict(row)
    document["budget"] = [
        {**line, "contribution": line["contribution"] / shown_in.factor} for line in document["budget"]
    ]
    return {**document, "value": row.shown, "U": row.shown_U, "u": row.u / shown_in.factor}


def print_results(out: Console, rows: Sequence[ResultRow]) -> None:
    """A line each, then why those that are not valid are not."""
    table = plain_table("coupon", "lot", "started", "result", "validity", "method", "run")
    for row in rows:
        measured = Measured(row.name, row.symbol, row.value, row.u, row.dof, row.coverage_factor, row.unit, {})
        style = VALIDITY_STYLE[row.validity]
        table.add_row(
            row.coupon,
            row.lot,
            local(row.started),
            f"{row.symbol} = {value_with_uncertainty(measured)}" + ("" if row.newest else f" (v {row.version})"),
            f"[{style}]{row.validity.value}[/{style}]",
            row.method,
            row.run[:8],
        )
    out.print(table if rows else "No results.")
    for row in rows:
        if row.reasons:
            out.print(f"{row.run[:8]}: {'; '.join(row.reasons)}", markup=False)


def console() -> Console:
    """As wide as the terminal; wide enough for a row a line where a file or a program reads."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else UNSEEN_WIDTH)


def plain_table(*names: str) -> Table:
    """Columns without lines around them; a cell is one line as long as it fits."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def show_table(table: Table, rows: int, limit: int, what: str) -> None:
    """Print it, and say where it may go on."""
    out = console()
    out.print(table if rows else f"No {what}.")
    if rows == limit:
        out.print(f"The newest {limit} {what}; narrow the search, or raise --limit.")


def local(utc: str) -> str:
    """A time of the catalogue for people of here."""
    return datetime.fromisoformat(utc).astimezone().strftime("%Y-%m-%d %H:%M")


def _of_coupon(catalogue: Catalogue, coupon: str) -> Sequence[ResultRow]:
    return catalogue.results(Filter(coupon=coupon), limit=10_000, every_version=True)


def _facts(row: RunRow) -> list[tuple[str, str]]:
    diameter = f"{row.exposed_diameter * 1e3:g} ± {2 * row.exposed_diameter_u * 1e3:.2g} mm"
    mounted = f"{row.cell}, {row.orientation.value}, rim {row.edge}, exposed {diameter}"
    return [
        ("run", row.id),
        ("coupon", f"{row.coupon}" + (f" of lot {row.lot}" if row.lot else "")),
        ("method", f"{row.method} {row.method_version} ({row.protocol})"),
        ("parameters", json.dumps(dict(row.parameters), ensure_ascii=False)),
        ("operator", row.operator),
        ("rig", f"{row.rig}, simulated" if row.simulated else row.rig),
        ("mounted", mounted),
        ("started", local(row.started)),
        ("ended", local(row.ended) if row.ended else "unknown"),
        ("outcome", f"{row.outcome.value} {row.reason}".rstrip()),
        ("file", f"runs/{row.file}"),
    ]


def _print_replicates(out: Console, one: Replicates) -> None:
    if one.n > 1:
        shown = unit(one.unit)
        mean, sd = round_significant(shown.from_si(one.mean), 4), round_significant(one.sd / shown.factor, 2)
        out.print(
            f"{one.symbol}: mean {mean} {one.unit}, standard deviation {sd} ({100 * one.relative_sd:.1f} %) of {one.n} "
            f"valid results of {one.coupons} coupons",
            soft_wrap=True,
        )


def _replicates_as_json(one: Replicates) -> dict[str, Any]:
    shown = unit(one.unit)
    return {**asdict(one), "mean": shown.from_si(one.mean), "sd": one.sd / shown.factor}


def _cell(value: object) -> object:
    if isinstance(value, dict):
        return safe("; ".join(f"{name} {words}" for name, words in value.items()))
    if isinstance(value, tuple | list):
        return safe("; ".join(str(each) for each in value))
    return safe(value) if isinstance(value, str) else value


def _quantity(option: str, text: str) -> float | None:
    """A quantity of any dimension, SI: which one, the result's symbol says."""
    if not text:
        return None
    symbol = text.strip().lstrip("+-.0123456789eE ").strip()
    try:
        return parse(text, unit(symbol).dimension)
    except UnitError as error:
        raise ConfigError(option, "", str(error), text) from error


def _day_or_moment(when: datetime | None) -> Any:  # noqa: ANN401 - a day where no time was typed
    return None if when is None else when.astimezone() if when.hour or when.minute else when.date()
