"""What was asked for on the command line, as an order."""

from __future__ import annotations

import getpass
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import platformdirs

from labrig.errors import ConfigError
from labrig.header import Order
from labrig.methods import FOLDER, find_method, load_method
from labrig.model import Coupon
from labrig.protocol import Method

_IDENTIFIER: Final = re.compile(r"[^\W_][\w .+#()-]{0,63}")


@dataclass(frozen=True, slots=True)
class Asked:
    """A run that somebody typed."""

    method: Method
    coupon: Coupon
    operator: str
    named: str
    """The method as it was named: a shipped name or a file."""
    changes: Mapping[str, str | list[str]]

    @property
    def order(self) -> Order:
        return Order(self.method.facts, self.coupon, self.operator)


def order(method: str, changes: Sequence[str], coupon: str, lot: str, operator: str, data: Path | None = None) -> Asked:
    """Raises `ConfigError` for names and parameters that cannot be."""
    changed = parameters(changes)
    method = find_method(method, (data_folder(data) / FOLDER,))
    return Asked(
        load_method(method, changed),
        Coupon(identifier("--coupon", coupon), lot=identifier("--lot", lot) if lot else ""),
        identifier("--operator", operator) if operator else user(),
        str(Path(method).resolve()) if method.endswith((".toml", ".py")) else method,
        changed,
    )


def parameters(changes: Sequence[str]) -> dict[str, str | list[str]]:
    """``name=value`` texts as parameters; a value with commas is a list."""
    found: dict[str, str | list[str]] = {}
    for change in changes:
        name, equals, value = change.partition("=")
        if not equals or not name.strip():
            raise ConfigError("--set", "", "NAME=VALUE, such as zero='10 s'", change)
        parts = [part.strip() for part in value.split(",")]
        found[name.strip()] = parts if len(parts) > 1 else parts[0]
    return found


def identifier(option: str, text: str) -> str:
    """A name of a thing in the laboratory: letters, digits and a little punctuation, 64 characters at most."""
    if not _IDENTIFIER.fullmatch(text):
        raise ConfigError(option, "", "letters, digits, spaces and . _ + # ( ) -, 64 characters at most", text)
    return text


def user() -> str:
    """The user of this computer, or "unknown" where the system does not say."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def data_folder(data: Path | None) -> Path:
    """Where labrig writes: ``--data``, else the user's data folder."""
    return data.resolve() if data else platformdirs.user_data_path("labrig", appauthor=False)
