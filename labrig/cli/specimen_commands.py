"""``labrig specimens`` and its options (docs/catalogue.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from labrig.cli.catalogue_options import (
    ByOption,
    ConditionChoice,
    ConditionOption,
    DataOption,
    FamilyOption,
    HighOption,
    JsonOption,
    LimitOption,
    LotOption,
    LowOption,
    MethodOption,
    OperatorOption,
    OutcomeOption,
    ReasonOption,
    SheetOption,
    SinceOption,
    SymbolOption,
    TextArgument,
    UntilOption,
    ValidityOption,
    group,
    leave,
)

specimens = group("specimens", "Lots, sheets and coupons: find, show, enter, import.")


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
    leave(list_coupons(data, sought, limit, as_json=json))


specimens.command("list")(specimens_list)
specimens.command("search")(specimens_list)


@specimens.command("lots")
def specimens_lots(data: DataOption = None, json: JsonOption = False) -> None:
    """Every lot, with its coupons counted."""
    from labrig.cli.specimens import list_lots

    leave(list_lots(data, as_json=json))


@specimens.command("show")
def specimens_show(
    coupon: Annotated[str, typer.Argument(help="Id or barcode of a coupon.")],
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """All that is known of a coupon: size, runs, results, attachments, changes."""
    from labrig.cli.specimens import show_coupon

    leave(show_coupon(data, coupon, as_json=json))


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
    leave(enter_coupon(data, coupon, fields, by, reason, new=True))


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
    leave(enter_coupon(data, coupon, fields, by, reason, new=False))


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
    leave(enter_lot(data, name, fields, by, reason))


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

    leave(import_coupons(data, file, by, update=update, dry=dry))


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

    leave(attach_file(data, file, {"coupon": coupon, "lot": lot, "run": run}, note, by))
