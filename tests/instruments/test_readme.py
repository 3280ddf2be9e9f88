"""What `instruments/README.md` and `CONTRIBUTING.md` show of drivers works as shown."""

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
from labrig_instruments.line import ScriptedLine

ROOT = Path(__file__).parents[2]
README, CONTRIBUTING = ROOT / "instruments" / "README.md", ROOT / "CONTRIBUTING.md"
LINES = 40


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def example() -> dict[str, Any]:
    """Everything that the code of the page defines, after it ran: the driver, and its test, which it passes."""
    names: dict[str, Any] = {"__name__": "example"}
    for block in blocks(CONTRIBUTING, "python"):
        exec(compile(block, str(CONTRIBUTING), "exec", dont_inherit=True), names)
    return names


def test_a_driver_is_at_most_forty_lines() -> None:
    assert sum(bool(line.strip()) for line in blocks(CONTRIBUTING, "python")[0].splitlines()) <= LINES


def test_the_example_measures_what_its_device_says(example: dict[str, Any]) -> None:
    line = ScriptedLine([(b"?", b"0.000 N"), (b"?", b"4.285 N")])
    channel = example["ForceOptions"](unit="N", range=("-50 N", "50 N"))
    gauge = example["ForceGauge"](
        "gauge", monotonic, lambda settings: line, port="COM5", channel_name="force", channel=channel
    )
    gauge.open()

    assert isinstance(gauge, Source)
    assert gauge.read().values.tolist() == [[4.285]]
    assert line.finished()


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
    tables: dict[str, dict[str, Any]] = tomllib.loads(blocks(README, "toml")[0])["instruments"]

    for name, table in tables.items():
        driver = plugins.load(plugins.INSTRUMENTS, table.pop("kind"))
        options = plugins.options_of(driver).model_validate(table, context=FROM_FILE)
        assert driver(name, monotonic, **plugins.keywords(options)).name == name


def test_every_driver_is_in_the_list() -> None:
    listed = set(re.findall(r"^\| `([\w-]+)` \|", README.read_text(encoding="utf-8"), re.MULTILINE))

    assert listed == set(plugins.names(plugins.INSTRUMENTS))
