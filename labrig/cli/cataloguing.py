"""The commands over the catalogue and their options: specimens, runs, results, catalogue (docs/catalogue.md)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

DataOption = Annotated[Path | None, typer.Option("--data", help="Folder for everything that labrig writes.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on standard output (docs/catalogue.md).")]
CsvOption = Annotated[bool, typer.Option("--csv", help="CSV on standard output.")]
LimitOption = Annotated[int, typer.Option("--limit", min=1, help="At most so many, the newest first.")]
TextArgument = Annotated[
    str, typer.Argument(help="Beginnings of words of id, barcode, lot, sheet, family or note: C-17, 'psu 04'.")
]
CouponOption = Annotated[str, typer.Option("--coupon", help="Of this coupon.")]
LotOption = Annotated[str, typer.Option("--lot", help="Of this lot.")]
SheetOption = Annotated[str, typer.Option("--sheet", help="Of this sheet.")]
FamilyOption = Annotated[str, typer.Option("--family", help="Of this kind of membrane.")]
OperatorOption = Annotated[str, typer.Option("--operator", help="Run by this operator.")]
MethodOption = Annotated[str, typer.Option("--method", help="Run by this method.")]
SinceOption = Annotated[
    datetime | None, typer.Option("--since", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="Run then or later.")
]
UntilOption = Annotated[
    datetime | None, typer.Option("--until", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="Run then or before.")
]
SymbolOption = Annotated[str, typer.Option("--symbol", help="With a result of this symbol, such as p25.")]
LowOption = Annotated[str, typer.Option("--from", help="With such a result or a larger one: '3 cm/min/psi'.")]
HighOption = Annotated[str, typer.Option("--to", help="With such a result or a smaller one.")]
ByOption = Annotated[str, typer.Option("--by", help="Who enters it. Default: the user of this computer.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why, for the record.")]


class OutcomeChoice(StrEnum):
    """As `labrig.model.Outcome`, which ``--help`` does not load."""

    COMPLETED = "completed"
    ABORTED = "aborted"
    TRIPPED = "tripped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


class ConditionChoice(StrEnum):
    """As `labrig.model.Condition`."""

    FRESH = "fresh"
    WETTED = "wetted"
    FOULED = "fouled"
    BROKEN = "broken"
    DISCARDED = "discarded"


class ValidityChoice(StrEnum):
    """As `labrig.model.Validity`."""

    VALID = "valid"
    INDICATIVE = "indicative"
    INVALID = "invalid"


OutcomeOption = Annotated[OutcomeChoice | None, typer.Option("--outcome", help="Run that ended so.")]
ConditionOption = Annotated[ConditionChoice | None, typer.Option("--condition", help="In this condition.")]
ValidityOption = Annotated[ValidityChoice | None, typer.Option("--validity", help="With results of this validity.")]


def _group(name: str, words: str) -> typer.Typer:
    return typer.Typer(name=name, help=words, no_args_is_help=True, add_completion=False, rich_markup_mode=None)


specimens = _group("specimens", "Lots, sheets and coupons: find, show, enter, import.")
runs = _group("runs", "Runs of the catalogue: find and show.")
catalogue = _group("catalogue", "The catalogue itself: check it, make it anew, see who changed what.")


def specimens_list(
    text: TextArgument = "",
    lot: LotOption = "",
    sheet: SheetOption = "",
    family: FamilyOption = "",
    condition: ConditionOption = None,
    operator: OperatorOption = "",
    method: MethodOption = "",
    outcome: OutcomeOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    symbol: SymbolOption = "",
    low: LowOption = "",
    high: HighOption = "",
    validity: ValidityOption = None,
    limit: LimitOption = 50,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Coupons, the newest first; one whose id or barcode is TEXT itself stands first."""
    from labrig.cli.finding import wanted
    from labrig.cli.specimens import list_coupons

    sought = wanted(
        text=text, lot=lot, sheet=sheet, family=family, condition=condition, operator=operator, method=method,
        outcome=outcome, since=since, until=until, symbol=symbol, low=low, high=high, validity=validity,
    )  # fmt: skip
    _exit(list_coupons(data, sought, limit, as_json=json))


specimens.command("list")(specimens_list)
specimens.command("search")(specimens_list)


@specimens.command("lots")
def specimens_lots(data: DataOption = None, json: JsonOption = False) -> None:
    """Every lot, with its coupons counted."""
    from labrig.cli.specimens import list_lots

    _exit(list_lots(data, as_json=json))


@specimens.command("show")
def specimens_show(
    coupon: Annotated[str, typer.Argument(help="Id or barcode of a coupon.")],
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """All that is known of a coupon: size, runs, results, attachments, changes."""
    from labrig.cli.specimens import show_coupon

    _exit(show_coupon(data, coupon, as_json=json))


ReadingsOption = "Readings, separated by commas, each with its unit: '101 µm, 99 µm'."
CouponArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the coupon.")]
LotField = Annotated[str | None, typer.Option("--lot", help="Lot that it was cut from.")]
SheetField = Annotated[str | None, typer.Option("--sheet", help="Sheet of that lot.")]
FamilyField = Annotated[str | None, typer.Option("--family", help="Kind of membrane. Default: its lot's.")]
BarcodeField = Annotated[str | None, typer.Option("--barcode", help="What a scanner reads from its label.")]
ShapeField = Annotated[str | None, typer.Option("--shape", help="disc or strip.")]
DirectionField = Annotated[str | None, typer.Option("--direction", help="MD or TD.")]
PositionField = Annotated[str | None, typer.Option("--position", help="Where on the sheet it was cut.")]
EdgeField = Annotated[str | None, typer.Option("--edge", help="open or sealed.")]
ThicknessField = Annotated[str | None, typer.Option("--thickness", help=ReadingsOption)]
DiameterField = Annotated[str | None, typer.Option("--diameter", help=ReadingsOption)]
WidthField = Annotated[str | None, typer.Option("--width", help=ReadingsOption)]
LengthField = Annotated[str | None, typer.Option("--length", help=ReadingsOption)]
NoteField = Annotated[str | None, typer.Option("--note", help="Words.")]


@specimens.command("add")
def specimens_add(
    coupon: CouponArgument,
    lot: LotField = None,
    sheet: SheetField = None,
    family: FamilyField = None,
    barcode: BarcodeField = None,
    shape: ShapeField = None,
    direction: DirectionField = None,
    position: PositionField = None,
    edge: EdgeField = None,
    thickness: ThicknessField = None,
    diameter: DiameterField = None,
    width: WidthField = None,
    length: LengthField = None,
    note: NoteField = None,
    by: ByOption = "",
    reason: ReasonOption = "",
    data: DataOption = None,
) -> None:
    """Enter a new coupon."""
    from labrig.cli.specimens import enter_coupon

    fields = {
        "lot": lot, "sheet": sheet, "family": family, "barcode": barcode, "shape": shape, "direction": direction,
        "position": position, "edge": edge, "thickness": thickness, "diameter": diameter, "width": width,
        "length": length, "note": note,
    }  # fmt: skip
    _exit(enter_coupon(data, coupon, fields, by, reason, new=True))


@specimens.command("edit")
def specimens_edit(
    coupon: CouponArgument,
    lot: LotField = None,
    sheet: SheetField = None,
    family: FamilyField = None,
    barcode: BarcodeField = None,
    shape: ShapeField = None,
    direction: DirectionField = None,
    position: PositionField = None,
    edge: EdgeField = None,
    thickness: ThicknessField = None,
    diameter: DiameterField = None,
    width: WidthField = None,
    length: LengthField = None,
    condition: Annotated[ConditionChoice | None, typer.Option("--condition", help="What it is now.")] = None,
    note: NoteField = None,
    by: ByOption = "",
    reason: ReasonOption = "",
    data: DataOption = None,
) -> None:
    """Change what is known of a coupon; what is not given stays. An empty text clears a field."""
    from labrig.cli.specimens import enter_coupon

    fields: dict[str, Any] = {
        "lot": lot, "sheet": sheet, "family": family, "barcode": barcode, "shape": shape, "direction": direction,
        "position": position, "edge": edge, "thickness": thickness, "diameter": diameter, "width": width,
        "length": length, "condition": condition.value if condition else None, "note": note,
    }  # fmt: skip
    _exit(enter_coupon(data, coupon, fields, by, reason, new=False))


@specimens.command("lot")
def specimens_lot(
    name: Annotated[str, typer.Argument(metavar="LOT", help="Name of the lot.")],
    family: FamilyField = None,
    supplier: Annotated[str | None, typer.Option("--supplier", help="Who made or delivered it.")] = None,
    received: Annotated[str | None, typer.Option("--received", metavar="DAY", help="As 2026-03-01.")] = None,
    note: NoteField = None,
    by: ByOption = "",
    reason: ReasonOption = "",
    data: DataOption = None,
) -> None:
    """Enter or change a lot."""
    from labrig.cli.specimens import enter_lot

    fields = {"family": family, "supplier": supplier, "received": received, "note": note}
    _exit(enter_lot(data, name, fields, by, reason))


@specimens.command("import")
def specimens_import(
    file: Annotated[Path, typer.Argument(help="CSV with a heading line: id, lot, thickness … (docs/catalogue.md).")],
    update: Annotated[bool, typer.Option("--update", help="Change coupons that are there already.")] = False,
    dry: Annotated[bool, typer.Option("--dry-run", help="Only say what would be entered.")] = False,
    by: ByOption = "",
    data: DataOption = None,
) -> None:
    """Enter coupons from a CSV file, all or none; every line that cannot be is named."""
    from labrig.cli.specimens import import_coupons

    _exit(import_coupons(data, file, by, update=update, dry=dry))


@specimens.command("attach")
def specimens_attach(
    file: Annotated[Path, typer.Argument(help="A photograph, a certificate, a data sheet.")],
    coupon: Annotated[str, typer.Option("--coupon", help="To this coupon.")] = "",
    lot: Annotated[str, typer.Option("--lot", help="To this lot.")] = "",
    run: Annotated[str, typer.Option("--run", help="To this run: the beginning of its id.")] = "",
    note: Annotated[str, typer.Option("--note", help="Words.")] = "",
    by: ByOption = "",
    data: DataOption = None,
) -> None:
    """Copy a file beside the runs and tie it to a coupon, a lot or a run."""
    from labrig.cli.specimens import attach_file

    _exit(attach_file(data, file, {"coupon": coupon, "lot": lot, "run": run}, note, by))


@runs.command("list")
def runs_list(
    text: TextArgument = "",
    coupon: CouponOption = "",
    lot: LotOption = "",
    family: FamilyOption = "",
    operator: OperatorOption = "",
    method: MethodOption = "",
    outcome: OutcomeOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    symbol: SymbolOption = "",
    low: LowOption = "",
    high: HighOption = "",
    validity: ValidityOption = None,
    limit: LimitOption = 50,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Runs, the newest first."""
    from labrig.cli.finding import list_runs, wanted

    sought = wanted(
        text=text, coupon=coupon, lot=lot, family=family, operator=operator, method=method, outcome=outcome,
        since=since, until=until, symbol=symbol, low=low, high=high, validity=validity,
    )  # fmt: skip
    _exit(list_runs(data, sought, limit, as_json=json))


@runs.command("show")
def runs_show(
    run: Annotated[str, typer.Argument(help="The beginning of its id.")],
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """A run with every version of its results."""
    from labrig.cli.finding import show_run

    _exit(show_run(data, run, as_json=json))


def results(
    text: TextArgument = "",
    coupon: CouponOption = "",
    lot: LotOption = "",
    sheet: SheetOption = "",
    family: FamilyOption = "",
    operator: OperatorOption = "",
    method: MethodOption = "",
    outcome: OutcomeOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    symbol: SymbolOption = "",
    low: LowOption = "",
    high: HighOption = "",
    validity: ValidityOption = None,
    every_version: Annotated[
        bool, typer.Option("--every-version", help="Also of analyses that a later one replaced.")
    ] = False,
    limit: LimitOption = 200,
    data: DataOption = None,
    json: JsonOption = False,
    csv: CsvOption = False,
) -> None:
    """Results with their expanded uncertainty and validity, and what replicates say together."""
    from labrig.cli.finding import list_results, wanted

    sought = wanted(
        text=text, coupon=coupon, lot=lot, sheet=sheet, family=family, operator=operator, method=method,
        outcome=outcome, since=since, until=until, symbol=symbol, low=low, high=high, validity=validity,
    )  # fmt: skip
    _exit(list_results(data, sought, limit, every_version=every_version, as_json=json, as_csv=csv))


@catalogue.command("path")
def catalogue_path(data: DataOption = None) -> None:
    """Print where the catalogue's database is."""
    from labrig.cli.catalogue_file import show_path

    _exit(show_path(data))


@catalogue.command("check")
def catalogue_check(data: DataOption = None, json: JsonOption = False) -> None:
    """Compare the catalogue with run files, ledger and attachments; exit code 1 where something is wrong."""
    from labrig.cli.catalogue_file import check_it

    _exit(check_it(data, as_json=json))


@catalogue.command("rebuild")
def catalogue_rebuild(
    drop_missing: Annotated[
        bool, typer.Option("--drop-missing", help="Leave out runs whose files are gone; otherwise that is refused.")
    ] = False,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Make the catalogue anew from the run files and from what people entered."""
    from labrig.cli.catalogue_file import rebuild_it

    _exit(rebuild_it(data, drop_missing=drop_missing, as_json=json))


@catalogue.command("changes")
def catalogue_changes(
    coupon: Annotated[str, typer.Option("--coupon", help="Only of this coupon.")] = "",
    lot: Annotated[str, typer.Option("--lot", help="Only of this lot.")] = "",
    limit: LimitOption = 50,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Who entered or changed what, when and why, the newest first."""
    from labrig.cli.catalogue_file import show_changes

    _exit(show_changes(data, coupon, lot, limit, as_json=json))


def add_to(app: typer.Typer) -> None:
    """Put these commands beside the others."""
    for group in (specimens, runs, catalogue):
        app.add_typer(group)
    app.command("results")(results)


def _exit(code: int) -> NoReturn:
    raise typer.Exit(code)
