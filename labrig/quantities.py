"""Quantity types for everything that comes from outside: a text with a unit in, an SI float inside.

``Pressure`` and its kin are plain floats to the type checker. Pydantic models, driver constructors and protocol
parameters use them alike, so that a rig file, a form and a command line read and refuse the same texts.
A number is taken as SI already when it comes from Python, and refused when it comes from a file (files carry units).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, core_schema

from labrig import units
from labrig.errors import UnitError

FROM_FILE: Final = {"from_file": True}
"""Validation context for values that were read from a file: bare numbers are refused."""
_LIMITS: Final = {"gt": "x-low", "ge": "x-low", "lt": "x-high", "le": "x-high"}


@dataclass(frozen=True, slots=True)
class Quantity:
    """Annotation that gives a float its dimension and the unit to show it in."""

    dimension: str
    shown_in: str

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(
            self._validate,
            json_schema_input_schema=core_schema.str_schema(),
            serialization=core_schema.plain_serializer_function_ser_schema(
                self.show, return_schema=core_schema.str_schema(), when_used="json"
            ),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """A text; ``x-low`` and ``x-high`` are the limits that `pydantic.Field` sets, SI."""
        stated = handler(schema)
        limits = {key: stated[bound] for bound, key in _LIMITS.items() if bound in stated}
        return {
            "type": "string",
            "description": f"a {self.dimension} with its unit",
            "examples": [f"10 {self.shown_in}".strip()],
            "x-dimension": self.dimension,
            "x-unit": self.shown_in,
            **limits,
        }

    def show(self, value: float) -> str:
        """Text that `units.parse` reads back to the same value within 12 digits."""
        its_unit = units.unit(self.shown_in)
        return f"{its_unit.from_si(value):.12g} {its_unit.symbol}".rstrip()

    def _validate(self, value: object, info: ValidationInfo) -> float:
        bare_allowed = self.dimension == "ratio" or not (info.context or {}).get("from_file")
        if isinstance(value, (int, float)) and not isinstance(value, bool) and bare_allowed:
            if not math.isfinite(value):
                raise UnitError(f"a finite {self.dimension}, not {value!r}")
            return float(value)
        if not isinstance(value, str):
            raise UnitError(f"a {self.dimension} with its unit, such as '10 {self.shown_in}', not {value!r}")
        return units.parse(value, self.dimension)


Length = Annotated[float, Quantity("length", "mm")]
PoreSize = Annotated[float, Quantity("length", "µm")]
Area = Annotated[float, Quantity("area", "cm²")]
Volume = Annotated[float, Quantity("volume", "mL")]
Duration = Annotated[float, Quantity("time", "s")]
Frequency = Annotated[float, Quantity("frequency", "Hz")]
Mass = Annotated[float, Quantity("mass", "g")]
Pressure = Annotated[float, Quantity("pressure", "psi")]
Voltage = Annotated[float, Quantity("voltage", "V")]
Current = Annotated[float, Quantity("current", "mA")]
BridgeRatio = Annotated[float, Quantity("bridge ratio", "mV/V")]
Resistance = Annotated[float, Quantity("electrical resistance", "Ω")]
Temperature = Annotated[float, Quantity("temperature", "°C")]
TemperatureDifference = Annotated[float, Quantity(units.TEMPERATURE_DIFFERENCE, "K")]
Ratio = Annotated[float, Quantity("ratio", "%")]
Flow = Annotated[float, Quantity("flow", "mL/min")]
Density = Annotated[float, Quantity("density", "kg/m³")]
MassFlow = Annotated[float, Quantity("mass flow", "g/min")]
Permeance = Annotated[float, Quantity("permeance", "cm/min/psi")]
Compressibility = Annotated[float, Quantity("compressibility", "1/psi")]
