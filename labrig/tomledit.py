"""Values put into a TOML text without touching anything else of it: comments, order and blank lines stay."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Final

from labrig.errors import ConfigError

_TABLE: Final = re.compile(r"\s*\[\s*([A-Za-z0-9_.-]+)\s*\]\s*(#.*)?")
_ANY_TABLE: Final = re.compile(r"\s*\[")


def with_values(text: str, table: str, values: Mapping[str, str], source: str) -> str:
    """The text with those keys of ``[table]`` set; values are TOML. A table that is not there is put at the end.

    Raises `ConfigError` for a text that is no TOML, and for one in which this cannot be done without doubt, such as a
    table written inline.
    """
    wanted = {key: tomllib.loads(f"value = {value}")["value"] for key, value in values.items()}
    before = _read(text, source)
    standing = before.get(table, {})
    if not isinstance(standing, dict):
        raise ConfigError(source, table, "a table", repr(standing))
    lines = text.splitlines()
    try:
        start = next(i for i, line in enumerate(lines) if (found := _TABLE.fullmatch(line)) and found[1] == table)
    except StopIteration:
        lines += ["", f"[{table}]"]
        start = len(lines) - 1
    for key, value in values.items():
        _put(lines, start, key, value)
    edited = "\n".join(lines) + "\n"
    expected = {**before, table: {**standing, **wanted}}
    if _read(edited, source) != expected:
        raise ConfigError(source, table, "a table under a heading of its own, one key a line", "another form")
    return edited


def _put(lines: list[str], start: int, key: str, value: str) -> None:
    """Replace the key below the heading at ``start``, or add it as the first."""
    end = next((i for i in range(start + 1, len(lines)) if _ANY_TABLE.match(lines[i])), len(lines))
    for first in range(start + 1, end):
        if re.match(rf"\s*{re.escape(key)}\s*=", lines[first]):
            lines[first : _last(lines, first, end) + 1] = [f"{key} = {value}"]
            return
    lines.insert(start + 1, f"{key} = {value}")


def _last(lines: Sequence[str], first: int, end: int) -> int:
    """The last line of a value that may go over several."""
    for last in range(first, end):
        try:
            tomllib.loads("\n".join(lines[first : last + 1]))
        except tomllib.TOMLDecodeError:
            continue
        return last
    return first


def _read(text: str, source: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(source, "", "a TOML document", str(error)) from error
