"""TOML files from outside, validated by pydantic, with errors that name file, key, expected and found."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from labrig.errors import NOTHING, ConfigError
from labrig.quantities import FROM_FILE
from labrig.units import unit_in

Model = TypeVar("Model", bound=BaseModel)
LARGEST = 1_000_000
"""Bytes: a rig, membrane or method file is some kilobytes; more is refused unread."""


def read_toml(path: Path) -> tuple[dict[str, Any], str]:
    """The document and its text; raises `ConfigError` where it cannot be read."""
    try:
        if path.stat().st_size > LARGEST:
            raise ConfigError(path, "", f"a file of at most {LARGEST} bytes", f"{path.stat().st_size} bytes")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(path, "", "a readable UTF-8 text file", str(error)) from error
    try:
        return tomllib.loads(text), text
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(path, "", "a TOML document", str(error)) from error
    except RecursionError as error:
        raise ConfigError(path, "", "a TOML document", "tables nested too deep") from error


def validate(model: type[Model], document: Mapping[str, Any], source: Path | str, key: str = "") -> Model:
    """``document`` as a ``model``; raises `ConfigError` for its first fault, the others as notes."""
    try:
        return model.model_validate(document, context=FROM_FILE)
    except ValidationError as error:
        raise explained(error, source, key) from None


def validate_as(adapter: TypeAdapter[Any], document: object, source: Path | str, key: str = "") -> Any:  # noqa: ANN401
    """As `validate`, for a `TypeAdapter`."""
    try:
        return adapter.validate_python(document, context=FROM_FILE)
    except ValidationError as error:
        raise explained(error, source, key) from None


def explained(error: ValidationError, source: Path | str, key: str = "") -> ConfigError:
    """A validation error in labrig's words."""
    faults = [_fault(detail, source, key) for detail in error.errors(include_url=False)]
    first, *rest = faults
    for other in rest:
        first.add_note(str(other))
    return first


_BOUNDS: Final = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}
"""Pydantic's kinds of error, in words, and where the limit stands: in SI, shown in the unit that was written."""


def _fault(detail: ErrorDetails, source: Path | str, prefix: str) -> ConfigError:
    key = ".".join([part for part in (prefix,) if part] + [str(part) for part in detail["loc"]])
    match detail["type"]:
        case "extra_forbidden":
            return ConfigError(source, key, "no such key", detail["input"])
        case "missing":
            return ConfigError(source, key, "a value", NOTHING)
        case "value_error":
            return ConfigError(source, key, str(detail["ctx"]["error"]), detail["input"])
        case kind if kind in _BOUNDS and (its_unit := unit_in(detail["input"])) is not None:
            words, name = _BOUNDS[kind]
            return ConfigError(source, key, f"{words} {its_unit.show(detail['ctx'][name])}", detail["input"])
        case _:
            return ConfigError(source, key, detail["msg"][:1].lower() + detail["msg"][1:], detail["input"])
