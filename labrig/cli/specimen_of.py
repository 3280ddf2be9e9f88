"""The coupon that a run was ordered for, as the catalogue knows it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rich.console import Console

from labrig.cli.ordering import Asked
from labrig.errors import RigError


def with_specimen(console: Console, data: Path, asked: Asked) -> Asked:
    """The order with lot, sheet and geometry from the catalogue; what should be heard first is told.

    Raises `RigError` for a coupon that the catalogue has in another lot.
    """
    from labrig.catalogue.ordering import ordered_specimen

    specimen = ordered_specimen(data, asked.coupon)
    if specimen.refused:
        raise RigError(f"{specimen.refused}; nothing was started")
    console.print(specimen.words, markup=False)
    for words in specimen.cautions:
        console.print("[bold yellow]Used before[/bold yellow]:", end=" ")
        console.print(words, markup=False)
    return replace(asked, coupon=specimen.coupon)
