"""Quantity types: what a file may say, what a script may say, and that both come back as they were written."""

from __future__ import annotations

from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from labrig.quantities import FROM_FILE, Duration, Pressure, Ratio, Temperature, TemperatureDifference
from labrig.units import psi


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid")
    pressure: Pressure = 10 * psi
    share: Ratio = 0.5
    temperature: Temperature = 298.15
    difference: TemperatureDifference = 0.1


def test_a_file_must_carry_units() -> None:
    with pytest.raises(ValidationError, match="a pressure with its unit, such as '10 psi', not 10"):
        Table.model_validate({"pressure": 10}, context=FROM_FILE)


def test_a_script_gives_si_numbers_or_texts() -> None:
    assert Table(pressure=10 * psi).pressure == Table.model_validate({"pressure": "10 psi"}).pressure


@pytest.mark.parametrize("value", [True, None, [1], {"a": 1}, float("nan"), float("inf")])
def test_what_is_no_quantity_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        Table.model_validate({"pressure": value})


@given(st.floats(0, 1e8), st.floats(0, 1), st.floats(200, 400), st.floats(0, 5))
def test_what_is_written_out_reads_back(p: float, share: float, temperature: float, difference: float) -> None:
    table = Table(pressure=p, share=share, temperature=temperature, difference=difference)

    again = Table.model_validate(table.model_dump(mode="json"), context=FROM_FILE)

    assert again.pressure == pytest.approx(p, rel=1e-11)
    assert again.share == pytest.approx(share, rel=1e-11)
    assert again.temperature == pytest.approx(temperature, rel=1e-11)
    assert again.difference == pytest.approx(difference, rel=1e-11)


def test_the_schema_names_dimension_and_unit() -> None:
    pressure = Table.model_json_schema()["properties"]["pressure"]

    assert (pressure["type"], pressure["x-dimension"], pressure["x-unit"]) == ("string", "pressure", "psi")


def test_the_schema_has_the_limits_in_si() -> None:
    class Limited(BaseModel):
        pressures: tuple[Annotated[Pressure, Field(ge=1 * psi, le=90 * psi)], ...] = ()
        zero: Annotated[Duration, Field(gt=0)] | None = None

    properties = Limited.model_json_schema()["properties"]

    of_each = properties["pressures"]["items"]
    assert (of_each["x-low"], of_each["x-high"]) == (1 * psi, 90 * psi)
    assert properties["zero"]["anyOf"][0]["x-low"] == 0
