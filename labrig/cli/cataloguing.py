"""``labrig runs``, ``results`` and ``catalogue`` and their options (docs/catalogue.md)."""

from __future__ import annotations

from typing import Annotated

import typer

from labrig.cli.catalogue_options import (
    CouponOption,
    CsvOption,
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
    SheetOption,
    SinceOption,
    SymbolOption,
    TextArgument,
    UntilOption,
    ValidityOption,
    group,
    leave,
)
from labrig.cli.specimen_commands import specimens

runs = group("runs", "Runs of the catalogue: find and show.")
catalogue = group("catalogue", "The catalogue itself: check it, make it anew, see who changed what.")


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
    leave(list_runs(data, sought, limit, as_json=json))


@runs.command("show")
def runs_show(
    run: Annotated[str, typer.Argument(help="The beginning of its id.")],
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """A run with every version of its results."""
    from labrig.cli.finding import show_run

    leave(show_run(data, run, as_json=json))


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
    leave(list_results(data, sought, limit, every_version=every_version, as_json=json, as_csv=csv))


@catalogue.command("path")
def catalogue_path(data: DataOption = None) -> None:
    """Print where the catalogue's database is."""
    from labrig.cli.catalogue_file import show_path

    leave(show_path(data))


@catalogue.command("check")
def catalogue_check(data: DataOption = None, json: JsonOption = False) -> None:
    """Compare the catalogue with run files, ledger and attachments; exit code 1 where something is wrong."""
    from labrig.cli.catalogue_file import check_it

    leave(check_it(data, as_json=json))


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

    leave(rebuild_it(data, drop_missing=drop_missing, as_json=json))


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

    leave(show_changes(data, coupon, lot, limit, as_json=json))


def add_to(app: typer.Typer) -> None:
    """Put these commands beside the others."""
    for one in (specimens, runs, catalogue):
        app.add_typer(one)
    app.command("results")(results)
