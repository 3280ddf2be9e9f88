"""Coupons from a table that somebody keeps: CSV with a heading line, checked whole before anything is entered."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from labrig.catalogue.entries import CouponEntry
from labrig.errors import ConfigError
from labrig.quantities import FROM_FILE

LARGEST: Final = 50_000_000
"""Bytes."""
MOST: Final = 100_000
"""Lines."""
READINGS: Final = ("thickness", "diameter", "width", "length")
_SEPARATORS: Final = ",;\t"


@dataclass(frozen=True, slots=True)
class Imported:
    """The coupons of a file, and what is wrong with its other lines."""

    coupons: tuple[CouponEntry, ...]
    faults: tuple[str, ...]
    """By line, in words."""


def read_coupons(path: Path) -> Imported:
    """Comma, semicolon or tab between cells; several readings of a size in one cell, with ``/`` between them.

    A heading may carry the unit of its readings, ``thickness [µm]``, and then the cells are bare numbers. An empty cell
    says nothing. Raises `ConfigError` for a file that is no such table.
    """
    text = _read(path)
    separator = max(_SEPARATORS, key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        headings = [_heading(path, cell) for cell in next(reader, [])]
        _check(path, headings)
        lines = list(_lines(reader))
    except csv.Error as error:
        raise ConfigError(
            path, f"line {reader.line_num}", "cells between quotation marks that end", str(error)
        ) from error
    if len(lines) > MOST:
        raise ConfigError(path, "", f"at most {MOST} lines", f"{len(lines)} lines")
    return _imported(headings, lines)


def _imported(headings: Sequence[tuple[str, str]], lines: Sequence[tuple[int, list[str]]]) -> Imported:
    coupons: list[CouponEntry] = []
    faults: list[str] = []
    seen: dict[str, int] = {}
    for number, cells in lines:
        if len(cells) != len(headings):
            faults.append(f"line {number}: expected {len(headings)} cells, as in the heading, found {len(cells)}")
            continue
        try:
            coupon = CouponEntry.model_validate(_document(headings, cells), context=FROM_FILE)
        except ValidationError as error:
            faults += [f"line {number}: {_words(detail)}" for detail in error.errors(include_url=False)]
            continue
        if coupon.id in seen:
            faults.append(f"line {number}: {coupon.id} stands in line {seen[coupon.id]} already")
            continue
        seen[coupon.id] = number
        coupons.append(coupon)
    return Imported(tuple(coupons), tuple(faults))


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST:
            raise ConfigError(path, "", f"a file of at most {LARGEST} bytes", f"{path.stat().st_size} bytes")
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(path, "", "a readable UTF-8 text file", str(error)) from error
    if "\0" in text:
        raise ConfigError(path, "", "a text file", "NUL bytes")
    return text


def _heading(path: Path, cell: str) -> tuple[str, str]:
    """Name and unit of a column."""
    name, bracket, rest = cell.strip().lower().partition("[")
    unit = cell.strip()[len(name) + 1 :].rstrip("] ") if bracket else ""
    name = name.strip().replace(" ", "_")
    if rest and name not in READINGS:
        raise ConfigError(path, "line 1", f"a unit only after {', '.join(READINGS)}", cell)
    return name, unit


def _check(path: Path, headings: Sequence[tuple[str, str]]) -> None:
    known = list(CouponEntry.model_fields)
    names = [name for name, _ in headings]
    for name in names:
        if name not in known:
            raise ConfigError(path, "line 1", f"columns out of {', '.join(known)}", name)
        if names.count(name) > 1:
            raise ConfigError(path, "line 1", "each column once", name)
    if "id" not in names:
        raise ConfigError(path, "line 1", "a heading line with a column id", ", ".join(names))


def _lines(reader: Any) -> Iterator[tuple[int, list[str]]]:  # noqa: ANN401 - csv's reader has no public type
    """Number and cells of each line that is not blank."""
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield reader.line_num, [cell.strip() for cell in cells]


def _document(headings: Sequence[tuple[str, str]], cells: Sequence[str]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for (name, unit), cell in zip(headings, cells, strict=True):
        if not cell:
            continue
        document[name] = [f"{each.strip()} {unit}".strip() for each in cell.split("/")] if name in READINGS else cell
    return document


def _words(detail: Any) -> str:  # noqa: ANN401 - pydantic's error
    key = str(detail["loc"][0]) if detail["loc"] else ""
    if detail["type"] == "missing":
        return f"{key}: expected a value, found nothing"
    said = str(detail["ctx"]["error"]) if detail["type"] == "value_error" else detail["msg"]
    return f"{key}: expected {said}, found {detail['input']!r}" if key else said
