"""Text and numbers as CSV cells: no text becomes a formula in a spreadsheet, and every number reads back exactly."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np

from labrig.model import Flags, Floats, Times

_FORMULA: Final = "=+-@\uff1d\uff0b\uff0d\uff20"
"""What begins a formula: also in full width, which spreadsheets take for the same."""
_BEGINS_ONE: Final = re.compile(rf"[\s\u00a0\ufeff]*[{re.escape(_FORMULA)}]")
_UNPRINTED: Final = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029\\]")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_ESCAPED: Final = re.compile(r"\\(?:u([0-9a-f]{4})|\\)")
_SEPARATOR: Final = re.compile("([,;])")
_NUMBER: Final = re.compile(r"\s*[-+]?[0-9.]+(e[-+]?[0-9]+)?\s*")


def one_line(text: str) -> str:
    r"""A text whose control characters and backslashes are ``\uXXXX`` and ``\\``."""
    return _UNPRINTED.sub(lambda found: "\\\\" if found[0] == "\\" else f"\\u{ord(found[0]):04x}", text)


def safe(text: str) -> str:
    """A text as a cell of one line; `plain` gives it back.

    What would begin a formula, be it after blanks, gets an apostrophe in front, as do texts that begin with one.
    """
    line = one_line(text)
    return f"'{line}" if line.startswith("'") or _BEGINS_ONE.match(line) else line


def plain(cell: str) -> str:
    """The text that `safe` made a cell of."""
    line = cell.removeprefix("'")
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)) if found[1] else "\\", line)


def comment(key: str, value: str) -> str:
    """A line ``# key: value``, for people: control characters are blanks in it, and quotation marks single.

    A spreadsheet takes such a line apart at commas and semicolons; an apostrophe stands before each piece that would
    begin a formula, save plain numbers.
    """
    line = _CONTROL.sub(" ", f"# {key}: {value}").replace('"', "'")
    return "".join(_harmless(piece) for piece in _SEPARATOR.split(line)) + "\n"


def _harmless(piece: str) -> str:
    return f"'{piece}" if _BEGINS_ONE.match(piece) and not _NUMBER.fullmatch(piece) else piece


def numbers(values: Floats | Times | Flags) -> Sequence[float | None]:
    """Numbers for `csv.writer`, which prints the shortest decimals that read back as the same.

    None, and so an empty cell, where there is no number.
    """
    listed: list[float | None] = values.tolist()
    if bool(np.isnan(values).any()):
        return [None if missing else value for value, missing in zip(listed, np.isnan(values), strict=True)]
    return listed
