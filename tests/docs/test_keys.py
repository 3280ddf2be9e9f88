"""The pages on files name every key, and the defaults that the code has."""

from __future__ import annotations

import re
import tomllib
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from pydantic import BaseModel

from labrig import plugins, units
from labrig.config import find_rig, load_rig
from labrig.drivers import ChannelOptions, RegulatorOptions, ValveOptions
from labrig.errors import ConfigError
from labrig.methods import MethodFile
from labrig.outside import validate
from labrig.quantities import Quantity
from labrig_instruments.ascii_options import TextChannel, TextSetpoint, TextValve
from labrig_instruments.modbus_registers import Coil, Register, SlaveIdentity
from labrig_instruments.ni_counter_input import CounterInput
from labrig_instruments.number import NumberOptions
from labrig_protocols.water_permeability import WaterPermeability
from tests.docs.pages import Row, rows, text

RIG = "docs/rig-file.md"
SHIPPED = text("labrig/rigs/bench-25.toml")
NI = {"device", "server", "product", "serial_number"}
RIG_FILE: type[BaseModel] = type(load_rig(find_rig("bench-25")).file)
NESTED: list[tuple[str, type[BaseModel], type[BaseModel] | None]] = [
    ("Of a counter", CounterInput, ChannelOptions),
    ("Of an `ascii` channel", TextChannel, ChannelOptions),
    ("Of an `ascii` set-point", TextSetpoint, None),
    ("Of an `ascii` valve", TextValve, None),
    ("Of a Modbus channel", Register, NumberOptions),
    ("Of a Modbus coil", Coil, None),
    ("Of a Modbus identity", SlaveIdentity, None),
]
"""Heading, model, and the model whose keys stand elsewhere on the page."""
TOP = {"labrig", "name", "description"}
TABLES = ("cell", "hydraulics", "permeate", "interlocks", "safety")


def table_of(name: str) -> type[BaseModel]:
    """The model of a table of the rig file; of each of its tables where it holds several by name."""
    annotation: Any = RIG_FILE.model_fields[name].annotation
    model: type[BaseModel] = get_args(annotation)[-1] if get_args(annotation) else annotation
    return model


def defaults(model: type[BaseModel]) -> dict[str, tuple[Any, Quantity | None]]:
    """Default and quantity of each field; `MISSING` where one must be given."""
    return {
        name: (
            MISSING if field.is_required() else field.get_default(call_default_factory=True),
            next((each for each in field.metadata if isinstance(each, Quantity)), None),
        )
        for name, field in model.model_fields.items()
    }


def check_default(key: str, said: str, default: object, quantity: Quantity | None) -> None:
    """A default that a page gives in backticks, or as "required", is the one of the code."""
    if said == "required":
        assert default is MISSING, key
        return
    assert default is not MISSING, f"{key} is required"
    if not (value := re.fullmatch(r"`([^`]+)`", said)):
        return
    if quantity is not None:
        assert units.parse(value[1], quantity.dimension) == pytest.approx(default), key
    elif isinstance(default, bool):
        assert value[1] == str(default).lower(), key
    else:
        assert value[1] == str(default), key


def check(table: list[Row], model: type[BaseModel], elsewhere: set[str]) -> None:
    known = defaults(model)
    assert {key for row in table for key in row.keys} == set(known) - elsewhere
    for row in table:
        for key, said in zip(row.keys, row.default.split(", ") if len(row.keys) > 1 else [row.default], strict=False):
            check_default(key, said, *known[key])


@pytest.mark.parametrize("table", TABLES)
def test_the_page_has_every_key_and_default_of_a_rig_files_table(table: str) -> None:
    check(rows(RIG, f"`[{table}"), table_of(table), set())


def test_the_page_has_every_key_at_the_top() -> None:
    check(rows(RIG, "At the top"), RIG_FILE, set(RIG_FILE.model_fields) - TOP)


def test_every_table_of_a_rig_file_has_its_heading() -> None:
    headings = set(re.findall(r"^#+ `\[(\w+)", text(RIG), re.MULTILINE))

    assert headings == set(RIG_FILE.model_fields) - TOP


@pytest.mark.parametrize("kind", plugins.names(plugins.INSTRUMENTS))
def test_the_page_has_every_key_and_default_of_a_driver(kind: str) -> None:
    model = plugins.options_of(plugins.load(plugins.INSTRUMENTS, kind))
    shared = NI if kind.startswith("ni-") else set()
    table = rows(RIG, f'`kind = "{kind}"`')
    inner = {key for options in (ChannelOptions, ValveOptions, RegulatorOptions) for key in options.model_fields}
    inner |= {"input", "wiring", "input_range", "live_zero", "bridge", "excitation", "resistance", "line", "output"}
    own = [row for row in table if not set(row.keys) <= inner - set(model.model_fields)]
    nested = {"lines", "outputs"} if kind in {"ni-digital-output", "ni-analog-output"} else set()

    check(own, model, shared | nested)


def test_the_page_has_every_key_of_a_channel_a_valve_and_a_set_point() -> None:
    analog = rows(RIG, '`kind = "ni-analog-input"`')
    valve = {key for row in rows(RIG, '`kind = "ni-digital-output"`') for key in row.keys}
    regulator = {key for row in rows(RIG, '`kind = "ni-analog-output"`') for key in row.keys}

    assert set(ChannelOptions.model_fields) <= {key for row in analog for key in row.keys}
    assert valve == {*ValveOptions.model_fields, "line"}
    assert regulator == {*RegulatorOptions.model_fields, "output"}


@pytest.mark.parametrize(("heading", "model", "above"), NESTED, ids=[heading for heading, _, _ in NESTED])
def test_the_page_has_every_key_and_default_within_a_driver(
    heading: str, model: type[BaseModel], above: type[BaseModel] | None
) -> None:
    """A field whose name in the file is another one is known by that."""
    known = {
        field.alias or name: value
        for (name, value), field in zip(defaults(model).items(), model.model_fields.values(), strict=True)
    }
    table = rows(RIG, heading)
    inherited = set(above.model_fields) if above else set()

    assert {key for row in table for key in row.keys} == set(known) - inherited
    for row in table:
        for key, said in zip(row.keys, row.default.split(", ") if len(row.keys) > 1 else [row.default], strict=False):
            check_default(key, said, *known[key])


def test_the_page_has_every_role(tmp_path: Path) -> None:
    """Labrig itself lists them when it meets another one."""
    section = text(RIG).partition("### `[roles]`")[2].partition("###")[0]
    path = tmp_path / "rig.toml"
    path.write_text(SHIPPED.replace("[roles]", '[roles]\nyeast = "feed_valve"'), encoding="utf-8")

    with pytest.raises(ConfigError) as caught:
        load_rig(path)

    roles = caught.value.expected.removeprefix("one of ").split(", ")
    assert set(roles) <= set(re.findall(r"`(\w+)`", section))


def test_the_page_has_every_unit_of_the_quantities_that_it_lists() -> None:
    table = text(RIG).partition("## Quantities")[2].partition("## What")[0]
    listed = set(re.split(r"[,;|]\s*|\s\|", table))
    words = {word.strip() for word in listed}
    dimensions = {units.UNITS[word].dimension for word in words if word in units.UNITS}

    assert {unit.symbol for unit in units.UNITS.values() if unit.symbol and unit.dimension in dimensions} <= words


def test_a_mistake_looks_as_the_page_shows_it() -> None:
    spoilt = SHIPPED.replace('exposed_diameter = "20.5 mm"\nexp', "exposed_diameter = 20.5\nexp")
    spoilt = spoilt.replace("max_pressure", "max_presure", 1)
    shown = text(RIG).partition("## What a mistake looks like")[2].partition("```\n")[2].partition("```")[0]

    with pytest.raises(ConfigError) as caught:
        validate(RIG_FILE, tomllib.loads(spoilt), "mylab.toml")

    said = [str(caught.value), *getattr(caught.value, "__notes__", ())]
    assert {line.removeprefix("labrig:").strip() for line in shown.splitlines()} <= set(said)


def test_the_page_on_methods_has_every_key_and_parameter() -> None:
    top, _, rest = text("docs/methods.md").partition("## `water-permeability`")
    hints = get_type_hints(WaterPermeability, include_extras=True)
    parameters = {field.name: field.default for field in fields(WaterPermeability)}

    assert set(re.findall(r"^\| `(\w+)`", top, re.MULTILINE)) == set(MethodFile.model_fields)
    table = rows("docs/methods.md", "`water-permeability`")
    assert {key for row in table for key in row.keys} == set(parameters)
    for row in table:
        (key,) = row.keys
        quantity = next((each for each in getattr(hints[key], "__metadata__", ()) if isinstance(each, Quantity)), None)
        check_default(key, row.default, parameters[key], quantity)
    assert rest
