"""TOML from outside into frozen models, with errors that name file, key, what was expected and what came."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from labrig.errors import ConfigError
from labrig.quantities import FROM_FILE

M = TypeVar("M", bound=BaseModel)


class Spec(BaseModel):
    """Frozen, and refuses keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def read_toml(path: Path) -> dict[str, object]:
    """The file's tables; raises `ConfigError` for one that is missing, unreadable or no TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise ConfigError(path, "", "a readable file", fault.strerror or str(fault)) from fault
    except UnicodeDecodeError as fault:
        raise ConfigError(path, "", "UTF-8 text", f"byte {fault.object[fault.start]:#04x} at {fault.start}") from fault
    except tomllib.TOMLDecodeError as fault:
        raise ConfigError(path, "", "TOML", str(fault)) from fault


def validated(model: type[M], table: Mapping[str, object], source: Path | str, key: str = "") -> M:
    """The table as a model; raises `ConfigError` for the first thing in it that does not fit.

    ``key`` is where the table stands in its file, such as ``simulation``.
    """
    try:
        return model.model_validate(table, context=FROM_FILE)
    except ValidationError as fault:
        first = fault.errors(include_url=False)[0]
        raise ConfigError(source, _where(key, first["loc"]), _expected(first), first["input"]) from fault


def _where(key: str, location: tuple[int | str, ...]) -> str:
    path = key
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


def _expected(error: ErrorDetails) -> str:
    if error["type"] == "extra_forbidden":
        return "a key that labrig knows (is it misspelt?)"
    if error["type"] == "missing":
        return "this key, which has no default"
    message = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return message.split(", not ")[0] if error["type"] == "value_error" else message
