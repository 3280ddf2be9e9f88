"""Options that the commands over the catalogue share."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

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


def group(name: str, words: str) -> typer.Typer:
    """A command that has commands."""
    return typer.Typer(name=name, help=words, no_args_is_help=True, add_completion=False, rich_markup_mode=None)


def leave(code: int) -> NoReturn:
    raise typer.Exit(code)
