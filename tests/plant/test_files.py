"""Membrane files and simulation tables are read with units, and refused by file, key, what was expected and found."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig.config import shipped_rigs
from labrig.errors import ConfigError
from labrig.outside import validate
from labrig.plant.membrane import Membrane, load_membrane, shipped_membranes
from labrig.plant.spec import PlantSpec
from labrig.quantities import FROM_FILE
from labrig.units import cm_per_min_per_psi, mm, psi, um
from tests.plant.rigs import bench, bench_file

BENCHES = ("bench-13", "bench-25", "bench-25-coarse", "bench-25-serial", "bench-47", "bench-47-tight")
EXAMPLE = """
name = "Mine"
source = "our own sheet"
family = "anisotropic"
permeance = "4 cm/min/psi"
thickness = "125 µm"
"""


@pytest.mark.parametrize(
    ("name", "permeance", "pore"),
    [
        ("example-i", 0.5, 0.05),
        ("example-ii", 1.2, 0.1),
        ("example-iii", 3, 0.2),
        ("example-iv", 30, 1.2),
        ("example-v", 4, 0.2),
        ("example-vi", 0.9, 0.01),
        ("example-vii", 0.32, None),
        ("example-viii", 7.4, 0.4),
        ("psed", 0.01, None),
        ("foam-500nm", 0.145, 0.5),
        ("film-100nm", 0.087, 0.1),
    ],
)
def test_the_shipped_membranes_have_the_published_figures(name: str, permeance: float, pore: float | None) -> None:
    membrane = load_membrane(name)

    assert membrane.permeance / cm_per_min_per_psi == pytest.approx(permeance)
    assert membrane.mean_pore == (None if pore is None else pytest.approx(pore * um))


def test_every_shipped_membrane_loads_and_the_published_ones_are_all() -> None:
    assert len(shipped_membranes()) == 11
    for name in shipped_membranes():
        membrane = load_membrane(name)
        assert 0 <= membrane.compaction * 100 * psi < 0.5
        assert membrane.creep < 0.2


def test_a_stretched_film_needs_alcohol() -> None:
    assert load_membrane("film-100nm").wetting == "alcohol"
    assert load_membrane("example-v").wetting == "water"


def test_a_membrane_of_ones_own_is_read_by_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(EXAMPLE, encoding="utf-8")

    assert load_membrane(path).permeance == pytest.approx(4 * cm_per_min_per_psi)
    assert load_membrane(str(path)) == load_membrane(path)


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('permeance = "4 psi"', "permeance"),
        ("permeance = 4", "permeance"),
        ('permeance = "-4 cm/min/psi"', "permeance"),
        ('family = "sponge"', "family"),
        ('creep = "120 %"', "creep"),
        ('wetting = "oil"', "wetting"),
        ('colour = "white"', "colour"),
    ],
)
def test_what_does_not_fit_is_refused_by_file_and_key(tmp_path: Path, line: str, key: str) -> None:
    path = tmp_path / "bad.toml"
    kept = [old for old in EXAMPLE.splitlines() if old.split(" =")[0] != key]
    path.write_text("\n".join([*kept, line]), encoding="utf-8")

    with pytest.raises(ConfigError) as refused:
        load_membrane(path)

    assert (refused.value.source, refused.value.key) == (path, key)
    assert "expected" in str(refused.value)


def test_a_missing_key_a_missing_file_and_an_unknown_name_are_said(tmp_path: Path) -> None:
    path = tmp_path / "short.toml"
    path.write_text('name = "Mine"', encoding="utf-8")

    with pytest.raises(ConfigError, match="source"):
        load_membrane(path)
    with pytest.raises(ConfigError, match=r"gone\.toml"):
        load_membrane(tmp_path / "gone.toml")
    with pytest.raises(ConfigError, match=r"example-v, .*foam-500nm"):
        load_membrane("exmaple-v")


@given(st.text(max_size=200))
def test_any_text_is_a_membrane_or_a_config_error(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("any") / "any.toml"
    path.write_text(text, encoding="utf-8", newline="")

    with pytest.raises(ConfigError):
        load_membrane(path)


QUANTITIES = st.sampled_from(["4 cm/min/psi", "2 %", "1 mm", "3 min", "0.001 1/psi", "water", "foam", "", "nan psi"])


@given(st.dictionaries(st.sampled_from([*Membrane.model_fields, "other"]), QUANTITIES | st.integers() | st.none()))
def test_any_table_is_a_membrane_or_a_config_error(table: dict[str, object]) -> None:
    try:
        membrane = validate(Membrane, table, "any.toml")
    except ConfigError:
        return

    assert membrane.permeance > 0
    assert membrane.thickness > 0


def test_a_cell_is_enough_for_a_rig() -> None:
    spec = PlantSpec.model_validate({"cell": {"name": "x", "exposed_diameter": "21 mm"}}, context=FROM_FILE)

    assert spec.cell.exposed_diameter == pytest.approx(21 * mm)
    assert [each.quantity for each in spec.transmitters] == [
        *("feed_pressure", "membrane_pressure", "vessel_pressure", "permeate_flow", "water_temperature")
    ]


@pytest.mark.parametrize("name", BENCHES)
def test_a_bench_loads_and_survives_its_own_text(name: str) -> None:
    spec = bench(name)

    again = type(spec).model_validate(spec.model_dump(mode="json"), context=FROM_FILE)

    assert again.model_dump_json() == spec.model_dump_json()
    assert again.cell.exposed_diameter == pytest.approx(spec.cell.exposed_diameter)
    assert 0.3 <= spec.regulator.lag <= 1
    assert spec.permeate.update_rate == 10


def test_all_shipped_benches_are_tested() -> None:
    assert set(shipped_rigs()) == set(BENCHES)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ('vessel = { level = "30 L" }', "level below the vessel's volume"),
        ('vessel = { levle = "3 L" }', "levle"),
        ('valves = { feed = { address = "cDAQ1Mod4/ao0" } }', "is given twice"),
        ('regulator = { lag = "0.4 psi" }', "regulator.lag"),
        ('regulator = { voltage = ["10 V", "0 V"] }', "spans that rise"),
        ('transmitters = [{ quantity = "feed_pressure", address = "a", span = ["5 psi", "0 psi"] }]', "first"),
        ('transmitters = [{ quantity = "permeate_flow", address = "a", span = ["0 psi", "5 psi"] }]', "flow"),
        ('transmitters = [{ quantity = "weight", address = "a" }]', "quantity"),
        ('permeate = { outlet = "open" }', "permeate.outlet"),
        ('plumbing = { drain = { diameter = "4 mm", length = "0 m" } }', "nothing else would limit"),
    ],
)
def test_a_rig_that_cannot_be_is_refused_in_words(tmp_path: Path, table: str, words: str) -> None:
    path = tmp_path / "rig.toml"
    path.write_text(f'[simulation]\ncell = {{ name = "x", exposed_diameter = "21 mm" }}\n{table}\n', encoding="utf-8")

    with pytest.raises(ConfigError) as refused:
        bench_file(path)

    assert words in str(refused.value)
    assert str(refused.value).startswith(f"{path}: simulation")
