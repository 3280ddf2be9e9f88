"""``labrig specimens``: find, show, enter, import, attach."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from labrig.catalogue import Catalogue, ChangeRow, CouponEntry, CouponRow, Filter, How, LotEntry, attach, open_catalogue
from labrig.catalogue.entries import Entry
from labrig.catalogue.importing import READINGS, read_coupons
from labrig.cli.finding import console, local, plain_table, print_results, result_as_json, show_table
from labrig.cli.ordering import data_folder, identifier, user
from labrig.errors import CatalogueError, ConfigError
from labrig.outside import explained
from labrig.quantities import FROM_FILE
from labrig.recording.codec import dumps

SHOWN_FAULTS = 20


def list_coupons(data: Path | None, sought: Filter, limit: int, *, as_json: bool) -> int:
    """Print coupons."""
    rows = open_catalogue(data_folder(data)).coupons(sought, limit=limit)
    if as_json:
        print(dumps([coupon_as_json(row) for row in rows]))
        return 0
    table = plain_table("id", "lot", "sheet", "family", "condition", "thickness", "last used or entered")
    for row in rows:
        thickness = row.geometry.statistics().get("thickness")
        mean = f"{thickness.mean * 1e6:.4g} µm" if thickness else ""
        table.add_row(row.id, row.lot, row.sheet, row.family, row.condition.value, mean, local(row.touched))
    show_table(table, len(rows), limit, "coupons")
    return 0


def list_lots(data: Path | None, *, as_json: bool) -> int:
    """Print every lot."""
    rows = open_catalogue(data_folder(data)).lots()
    if as_json:
        print(dumps([asdict(row) for row in rows]))
        return 0
    table = plain_table("lot", "family", "supplier", "received", "sheets", "coupons", "note")
    for row in rows:
        counted = (str(row.sheets), str(row.coupons))
        table.add_row(row.name, row.family, row.supplier, row.received, *counted, row.note)
    console().print(table if rows else "No lots.")
    return 0


def show_coupon(data: Path | None, id_: str, *, as_json: bool) -> int:
    """Print all that is known of a coupon."""
    catalogue = open_catalogue(data_folder(data))
    row = catalogue.coupon(id_)
    if row is None:
        raise CatalogueError(f"the catalogue has no coupon {id_}; labrig specimens list {id_} shows those like it")
    of = Filter(coupon=row.id)
    if as_json:
        document = {
            **coupon_as_json(row),
            "runs": [asdict(run) for run in catalogue.runs(of, limit=1000)],
            "results": [result_as_json(one) for one in catalogue.results(of, limit=1000)],
            "attachments": [asdict(one) for one in catalogue.attachments("coupon", row.id)],
            "changes": [asdict(one) for one in catalogue.changes("coupon", row.id)],
        }
        print(dumps(document))
    else:
        _show(catalogue, row)
    return 0


def enter_coupon(
    data: Path | None, id_: str, fields: Mapping[str, str | None], by: str, reason: str, *, new: bool
) -> int:
    """Enter a new coupon, or change one."""
    document: dict[str, Any] = {"id": id_}
    for name, text in fields.items():
        if text is None:
            continue
        if name in READINGS:
            document[name] = [part.strip() for part in text.split(",") if part.strip()]
        else:
            document[name] = text or (None if name in {"shape", "direction"} else text)
    return _enter(data, [_checked(CouponEntry, document)], by, reason, How.ADD if new else How.EDIT)


def enter_lot(data: Path | None, name: str, fields: Mapping[str, str | None], by: str, reason: str) -> int:
    """Enter or change a lot."""
    given = {key: (text or None if key == "received" else text) for key, text in fields.items() if text is not None}
    return _enter(data, [_checked(LotEntry, {"name": name, **given})], by, reason, How.EITHER)


def import_coupons(data: Path | None, file: Path, by: str, *, update: bool, dry: bool) -> int:
    """Enter the coupons of a CSV file, all or none; 1 where a line is faulty."""
    read = read_coupons(file)
    for fault in read.faults[:SHOWN_FAULTS]:
        print(f"labrig: {file}: {fault}", file=sys.stderr)
    if read.faults:
        more = len(read.faults) - SHOWN_FAULTS
        also = f"{more} more faults; " if more > 0 else ""
        print(f"labrig: {file}: {also}nothing was entered", file=sys.stderr)
        return 1
    if dry:
        print(f"{len(read.coupons)} coupons could be entered; none was.")
        return 0
    return _enter(data, read.coupons, by, f"imported from {file.name}", How.EITHER if update else How.ADD)


def attach_file(data: Path | None, file: Path, to: Mapping[str, str], note: str, by: str) -> int:
    """Attach a file to the one subject that is named."""
    named = [(kind, name) for kind, name in to.items() if name]
    if len(named) != 1:
        raise ConfigError("attach", "", "one of --coupon, --lot and --run", [name for _, name in named])
    ((kind, name),) = named
    catalogue = open_catalogue(data_folder(data))
    subject = catalogue.run(name).id if kind == "run" else name
    sha256 = attach(catalogue, kind, subject, file, by=_by(by), note=note)
    print(f"Attached {file.name} to {kind} {name}; SHA-256 {sha256}")
    return 0


def coupon_as_json(row: CouponRow) -> dict[str, Any]:
    """A coupon's facts with the statistics of its readings, SI."""
    return {**asdict(row), "statistics": {name: asdict(one) for name, one in row.geometry.statistics().items()}}


def _enter(data: Path | None, entries: tuple[Entry, ...] | list[Entry], by: str, reason: str, how: How) -> int:
    number = open_catalogue(data_folder(data)).store.enter(entries, by=_by(by), reason=reason, how=how)
    what = f"{entries[0].kind} {entries[0].subject}" if len(entries) == 1 else f"{len(entries)} {entries[0].kind}s"
    print(f"Entered {what} (entry {number})." if number else "Nothing to change: that is what the catalogue says.")
    return 0


def _checked(model: type[Entry], document: dict[str, Any]) -> Entry:
    try:
        return model.model_validate(document, context=FROM_FILE)
    except ValidationError as error:
        raise explained(error, model.kind) from None


def _by(by: str) -> str:
    return identifier("--by", by) if by else user()


def _show(catalogue: Catalogue, row: CouponRow) -> None:
    out = console()
    geometry = row.geometry
    facts = [
        ("coupon", row.id + (f" (barcode {row.barcode})" if row.barcode else "")),
        ("lot", " / ".join(word for word in (row.lot, row.sheet) if word)),
        ("family", row.family),
        ("cut", ", ".join(str(word) for word in (geometry.shape, geometry.direction, geometry.position) if word)),
        ("rim", geometry.edge.value),
        ("condition", row.condition.value + (f", by {row.condition_by}" if row.condition_by else "")),
        ("note", row.note),
    ]
    for name, one in geometry.statistics().items():
        spread = f", standard deviation {one.sd * 1e3:.2g} mm" if one.n > 1 else ""
        facts.append(
            (name, f"{one.mean * 1e3:.5g} mm of {one.n}{spread}, {one.low * 1e3:.5g} to {one.high * 1e3:.5g} mm")
        )
    for name, words in facts:
        if words:
            out.print(f"{name:<12}{words}", markup=False, soft_wrap=True)
    of = Filter(coupon=row.id)
    for run in catalogue.runs(of):
        words = f"{local(run.started)}  {run.method}  {run.outcome.value}  {run.orientation.value}  {run.id[:8]}"
        out.print(f"{'run':<12}{words}", markup=False)
    print_results(out, catalogue.results(of))
    for file in catalogue.attachments("coupon", row.id):
        out.print(f"{'attached':<12}{file.name}: {file.path} {file.note}", markup=False, soft_wrap=True)
    for change in catalogue.changes("coupon", row.id):
        out.print(f"{'entered':<12}{local(change.utc)} by {change.by}: {change_words(change)}", markup=False)


def change_words(change: ChangeRow) -> str:
    """What an entry changed, field by field."""
    before = change.before
    if before is None:
        said = ", ".join(f"{name} {_plain(value)}" for name, value in change.after.items()) or "nothing more"
    else:
        said = ", ".join(f"{name} {_plain(before.get(name))} → {_plain(value)}" for name, value in change.after.items())
    return f"{said} ({change.reason})" if change.reason else said


def _plain(value: object) -> str:
    if isinstance(value, list | tuple):
        return " / ".join(str(each) for each in value) or "–"
    return "–" if value in (None, "") else str(value)
