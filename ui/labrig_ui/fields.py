"""A method's parameters as form fields, read from the JSON Schema of its protocol; and what a typed text means. No Qt.

A quantity is typed with its unit ("10 psi"), as in files and on the command line, and read by the same parser.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from labrig import units
from labrig.errors import UnitError
from labrig.wire.documents import MethodPaper

Kind = Literal["quantity", "number", "integer", "text", "flag", "choice"]
_BARE: Final = re.compile(r"[-+]?[\d.]+")
IDENTIFIER: Final = re.compile(r"[^\W_][\w .+#()-]{0,63}")


@dataclass(frozen=True, slots=True)
class Field:
    """One parameter."""

    name: str
    label: str
    kind: Kind
    many: bool = False
    """A list: its values are separated by commas."""
    dimension: str = ""
    unit: str = ""
    low: float = -math.inf
    """SI, allowed."""
    high: float = math.inf
    least: int = 0
    """Fewest values of a list."""
    most: int = 1000
    optional: bool = False
    choices: tuple[str, ...] = ()
    help: str = ""
    given: str = ""
    """The method's value, as it is typed."""

    @property
    def hint(self) -> str:
        """Dimension, unit, limits and count in words."""
        parts = [self.help] if self.help else []
        if self._limits():
            parts.append(self._limits())
        elif self.kind == "quantity":
            parts.append(f"{self.dimension} in {self.unit}" if self.unit else self.dimension)
        if self.many:
            parts.append(f"{self.least} to {self.most} values, separated by commas")
        if self.optional:
            parts.append("may be left empty")
        return "; ".join(parts)

    def _limits(self) -> str:
        low, high = (self._shown(limit) if math.isfinite(limit) else "" for limit in (self.low, self.high))
        if low and high:
            return f"{low} to {high}"
        return f"at least {low}" if low else f"at most {high}" if high else ""

    def _shown(self, value: float) -> str:
        if self.kind != "quantity":
            return f"{value:g}"
        own = units.unit(self.unit)
        return f"{own.from_si(value):.6g} {own.symbol}".rstrip()


@dataclass(frozen=True, slots=True)
class Read:
    """What a text means: a JSON value, or an error in words; ``note`` is another way to say it."""

    value: Any = None
    error: str = ""
    note: str = ""


def fields_of(method: MethodPaper) -> tuple[Field, ...]:
    """In the order in which the protocol declares them."""
    schema = method.parameter_schema
    required = set(schema.get("required", ()))
    return tuple(
        _field(name, _resolved(one, schema), method.parameters.get(name), schema, name in required)
        for name, one in schema.get("properties", {}).items()
    )


def read(wanted: Field, text: str) -> Read:
    """The value of a typed text, as the server takes it."""
    text = text.strip()
    if not text:
        return _nothing(wanted)
    if not wanted.many:
        return _one(wanted, text)
    parts = [part.strip() for part in text.split(",") if part.strip()]
    found = [_one(wanted, part) for part in parts]
    wrong = next((one.error for one in found if one.error), "")
    if not wrong and not wanted.least <= len(parts) <= wanted.most:
        wrong = f"Expected {wanted.least} to {wanted.most} values, found {len(parts)}"
    notes = ", ".join(one.note for one in found if one.note)
    return Read(error=wrong) if wrong else Read([one.value for one in found], note=notes)


def identifier_error(what: str, text: str, *, needed: bool) -> str:
    """What is wrong with the name of a thing in the laboratory; empty where nothing is."""
    text = text.strip()
    if not text:
        return f"Needed: {what}" if needed else ""
    if IDENTIFIER.fullmatch(text):
        return ""
    return "Letters, digits, spaces and . _ + # ( ) - only, 64 characters at most"


def as_typed(value: object) -> str:
    """A JSON value as the text that a person would type."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(as_typed(one) for one in value) if isinstance(value, list | tuple) else str(value)


def _nothing(wanted: Field) -> Read:
    """An empty field: a list may be one without values."""
    if wanted.optional:
        return Read(None)
    if wanted.many and wanted.least == 0:
        return Read([])
    return Read(error=f"Needed: {wanted.hint or 'a value'}")


def _one(wanted: Field, text: str) -> Read:
    match wanted.kind:
        case "quantity":
            return _quantity(wanted, text)
        case "number" | "integer":
            return _number(wanted, text)
        case "flag":
            return Read(text == "yes")
        case "choice" if text not in wanted.choices:
            return Read(error=f"Expected one of {', '.join(wanted.choices)}")
        case _:
            return Read(text)


def _quantity(wanted: Field, text: str) -> Read:
    if _BARE.fullmatch(text) and wanted.dimension != "ratio":
        return Read(error=f"Write the unit too, such as {text} {wanted.unit}")
    try:
        value = units.parse(text, wanted.dimension)
    except UnitError as error:
        return Read(error=f"Expected {error}")
    wrong = _beyond(wanted, value)
    if wrong:
        return Read(error=wrong)
    own = units.unit(wanted.unit)
    said_in_own = not own.symbol or text.endswith(own.symbol)
    return Read(text, note="" if said_in_own else f"= {own.show(value)}")


def _number(wanted: Field, text: str) -> Read:
    try:
        value = int(text) if wanted.kind == "integer" else float(text)
    except ValueError:
        return Read(error=f"Expected {'a whole number' if wanted.kind == 'integer' else 'a number'}, not {text!r}")
    if not math.isfinite(value):
        return Read(error=f"Expected a finite number, not {text!r}")
    wrong = _beyond(wanted, value)
    return Read(error=wrong) if wrong else Read(value)


def _beyond(wanted: Field, value: float) -> str:
    slack = 1e-9 * max(abs(value), 1e-12)  # what a unit's factor costs in the last digits is not beyond a limit
    inside = wanted.low - slack <= value <= wanted.high + slack
    return "" if inside else f"Allowed: {wanted._limits()}"  # noqa: SLF001 - the same module


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a property's schema says of one value."""

    kind: Kind
    dimension: str = ""
    unit: str = ""
    choices: tuple[str, ...] = field(default=())


def _field(name: str, schema: Mapping[str, Any], given: object, root: Mapping[str, Any], required: bool) -> Field:
    optional, inner = _without_null(schema, root)
    many = inner.get("type") == "array"
    one = _resolved(inner.get("items", {}), root) if many else inner
    shape = _shape(one)
    said = str(schema.get("description", ""))
    return Field(
        name=name,
        label=name.replace("_", " ").capitalize(),
        kind=shape.kind,
        many=many,
        dimension=shape.dimension,
        unit=shape.unit,
        low=_limit(one, ("minimum", "exclusiveMinimum", "x-low"), -math.inf),
        high=_limit(one, ("maximum", "exclusiveMaximum", "x-high"), math.inf),
        least=int(inner.get("minItems", 0)),
        most=int(inner.get("maxItems", 1000)),
        optional=optional or (given is None and not required and "default" not in schema),
        choices=shape.choices,
        help="" if said.endswith("with its unit") else said.rstrip("."),
        given=as_typed(given),
    )


def _shape(schema: Mapping[str, Any]) -> _Shape:
    if "x-dimension" in schema:
        return _Shape("quantity", str(schema["x-dimension"]), str(schema.get("x-unit", "")))
    if "enum" in schema or "const" in schema:
        return _Shape("choice", choices=tuple(str(one) for one in schema.get("enum", [schema.get("const")])))
    kinds: dict[str, Kind] = {"boolean": "flag", "integer": "integer", "number": "number"}
    return _Shape(kinds.get(str(schema.get("type")), "text"))


def _without_null(schema: Mapping[str, Any], root: Mapping[str, Any]) -> tuple[bool, Mapping[str, Any]]:
    """Whether null is allowed, and the first alternative that is not."""
    ways = [_resolved(way, root) for way in schema.get("anyOf", ())]
    real = [way for way in ways if way.get("type") != "null"]
    return (len(real) < len(ways), real[0]) if real else (False, schema)


def _resolved(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a reference into ``$defs``; what stands beside it is kept."""
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    return {**root.get("$defs", {}).get(name, {}), **schema} if name else schema


def _limit(schema: Mapping[str, Any], keys: tuple[str, ...], otherwise: float) -> float:
    found = next((schema[key] for key in keys if isinstance(schema.get(key), int | float)), otherwise)
    return float(found)
