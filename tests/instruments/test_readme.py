"""What `instruments/README.md` shows works as shown."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig import plugins
from labrig.clock import monotonic
from labrig.errors import InstrumentError
from labrig.quantities import FROM_FILE
from labrig.roles import Source

README = Path(__file__).parents[2] / "instruments" / "README.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def example() -> dict[str, Any]:
    """Everything that the code of the page defines, after it ran."""
    names: dict[str, Any] = {"__name__": "example"}
    for block in blocks("python"):
        exec(compile(block, str(README), "exec", dont_inherit=True), names)
    return names


def test_the_example_is_a_source_that_passes_its_own_test(example: dict[str, Any]) -> None:
    assert isinstance(example["gauge"], Source)


def test_the_examples_table_is_made_of_its_constructor(example: dict[str, Any]) -> None:
    options = plugins.options_of(example["ForceGauge"])

    assert set(options.model_fields) == {"port", "baud", "period", "channel_name", "channel"}


@given(noise=st.binary(max_size=20))
def test_the_examples_parser_takes_any_noise(example: dict[str, Any], noise: bytes) -> None:
    try:
        force = example["parse_force"](noise)
    except InstrumentError:
        return

    assert noise == noise.strip()
    assert isinstance(force, float)


def test_every_table_of_the_rig_file_is_taken_by_its_driver() -> None:
    tables: dict[str, dict[str, Any]] = tomllib.loads(blocks("toml")[0])["instruments"]

    for name, table in tables.items():
        driver = plugins.load(plugins.INSTRUMENTS, table.pop("kind"))
        options = plugins.options_of(driver).model_validate(table, context=FROM_FILE)
        assert driver(name, monotonic, **plugins.keywords(options)).name == name


def test_every_driver_is_in_the_list() -> None:
    listed = set(re.findall(r"^\| `([\w-]+)` \|", README.read_text(encoding="utf-8"), re.MULTILINE))

    assert listed == set(plugins.names(plugins.INSTRUMENTS))
