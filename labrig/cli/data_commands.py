"""The commands over finished runs and their options: export, analyse (docs/exports.md, docs/cli.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from labrig.cli.catalogue_options import (
    CouponOption,
    DataOption,
    FamilyOption,
    LotOption,
    MethodOption,
    OperatorOption,
    SinceOption,
    UntilOption,
)

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on standard output (docs/cli.md).")]
RunsArgument = Annotated[
    list[str], typer.Argument(metavar="[RUN]...", help="Run files, folders of them, or beginnings of runs' ids.")
]


def export(
    runs: RunsArgument = [],  # noqa: B006 - typer copies it
    csv: Annotated[bool, typer.Option("--csv", help="Write CSV.")] = False,
    hdf5: Annotated[bool, typer.Option("--hdf5", help="Write HDF5.")] = False,
    excel: Annotated[bool, typer.Option("--excel", help="Write an Excel workbook.")] = False,
    parquet: Annotated[bool, typer.Option("--parquet", help="Write Parquet.")] = False,
    start: Annotated[str, typer.Option("--from", metavar="TIME", help="Samples from there on: '90 s', '5 min'.")] = "",
    end: Annotated[str, typer.Option("--to", metavar="TIME", help="Samples before that.")] = "",
    every: Annotated[
        str, typer.Option("--every", metavar="TIME", help="One row of each '1 s': mean, min and max of its samples.")
    ] = "",
    first: Annotated[bool, typer.Option("--first", help="With --every: its first sample instead.")] = False,
    into: Annotated[
        Path | None, typer.Option("--into", help="Folder to write into. Default: beside each run file.")
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option("--results", metavar="FILE", help="Write one table of all results: a .csv, .xlsx or .parquet."),
    ] = None,
    coupon: CouponOption = "",
    lot: LotOption = "",
    family: FamilyOption = "",
    operator: OperatorOption = "",
    method: MethodOption = "",
    since: SinceOption = None,
    until: UntilOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Write runs for other programs: CSV and HDF5 unless you say otherwise; the run files stay as they are.

    Name the runs, or say which: --lot L-3 --since 2026-03-01. Nothing is thinned unless you ask with --every.
    """
    from labrig.cli.exporting import export as export_it
    from labrig.cli.exporting import formats_of, stretch_of
    from labrig.cli.finding import wanted
    from labrig.cli.selecting import select

    sought = wanted(
        coupon=coupon, lot=lot, family=family, operator=operator, method=method, since=since, until=until, low="",
        high="",
    )  # fmt: skip
    stretch = stretch_of(start, end, every, first=first)
    formats = formats_of(stretch, csv=csv, hdf5=hdf5, excel=excel, parquet=parquet)
    _exit(export_it(select(data, runs, sought), formats, stretch, into, results, as_json=json))


def analyse(
    runs: RunsArgument = [],  # noqa: B006 - typer copies it
    protocol: Annotated[
        str, typer.Option("--protocol", help="Analyse by this protocol, such as a file (.py) that a run names.")
    ] = "",
    coupon: CouponOption = "",
    lot: LotOption = "",
    method: MethodOption = "",
    since: SinceOption = None,
    until: UntilOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Analyse runs again, and show what differs. The new results are filed beside the earlier ones, which stay."""
    from labrig.cli.analysing import analyse as analyse_it
    from labrig.cli.finding import wanted
    from labrig.cli.selecting import select

    sought = wanted(coupon=coupon, lot=lot, method=method, since=since, until=until, low="", high="")
    _exit(analyse_it(select(data, runs, sought), protocol, as_json=json))


def add_to(app: typer.Typer) -> None:
    """Put these commands beside the others."""
    app.command("analyse")(analyse)
    app.command("export")(export)


def _exit(code: int) -> NoReturn:
    raise typer.Exit(code)
