"""A rig file is either sound or refused by one error that names file, key, what was expected and what was found."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labrig.config import RigConfig, find_rig, load_rig, schema, shipped_rigs
from labrig.errors import ConfigError
from labrig.units import kPa, psi

BENCH = find_rig("bench-25").read_text(encoding="utf-8")
LINES = BENCH.splitlines(keepends=True)
Written = Callable[[str], Path]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    def write(text: str) -> Path:
        path = tmp_path / "rig.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def changed(before: str, after: str) -> str:
    assert before in BENCH
    return BENCH.replace(before, after, 1)


def error_of(path: Path) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load_rig(path)
    assert caught.value.source == path
    assert str(path) in str(caught.value)
    return caught.value


@pytest.mark.parametrize("name", shipped_rigs())
def test_every_shipped_rig_is_sound(name: str) -> None:
    config = load_rig(find_rig(name))

    assert config.name == name
    assert config.simulated
    assert {"feed", "vent", "drain", "pressure"} <= config.file.roles.keys()


def test_two_channels_of_one_name_are_refused_wherever_they_are(written: Written) -> None:
    text = changed("[instruments.loops.channels.permeate_flow]", "[instruments.loops.channels.feed_pressure]")

    error = error_of(written(text))

    assert error.key == "instruments.loops"
    assert error.expected == "a name that pressures does not use too"
    assert error.found == "feed_pressure"


@pytest.mark.parametrize(
    ("change", "key", "found"),
    [
        (('feed = "feed_valve"', 'feed = "nothing"'), "roles.feed", "nothing"),
        (('feed = "feed_valve"', 'feed = "feed_pressure"'), "roles.feed", "feed_pressure"),
        (('feed_pressure = "feed_pressure"', 'feed_pressure = "feed_valve"'), "roles.feed_pressure", "feed_valve"),
        (('feed = "feed_valve"', 'fed = "feed_valve"'), "roles.fed", "fed"),
        (('channel = "feed_pressure"', 'channel = "fed"'), "interlocks.over_pressure.channel", "fed"),
        (('high = "85 psi"', 'high = "85 mL/min"'), "interlocks.over_pressure.high", "85 mL/min"),
        (('high = "85 psi"', 'high = "hot"'), "interlocks.over_pressure.high", "hot"),
        (('high = "85 psi"', 'high = "nan psi"'), "interlocks.over_pressure.high", "nan psi"),
        (('high = "85 psi"\n', "\n"), "interlocks.over_pressure", "neither"),
        (('high = "85 psi"', 'hihg = "85 psi"'), "interlocks.over_pressure.hihg", "85 psi"),
        (("[simulation]\n", '[frozen]\nfed = "5 s"\n\n[simulation]\n'), "frozen.fed", "fed"),
        (("[simulation]\n", "[frozen]\nfeed_pressure = 5\n\n[simulation]\n"), "frozen.feed_pressure", 5),
        (('name = "bench-25"', 'name = "../bench"'), "name", "../bench"),
        (('name = "bench-25"', 'name = ""'), "name", ""),
        (('blank_flow = ["100 mL/min", "400 mL/min"]', 'blank_flow = ["100 mL/min"]'), "hydraulics", None),
        (('exposed_diameter = "20.5 mm"', 'exposed_diameter = "1e999 mm"'), "cell.exposed_diameter", "1e999 mm"),
        (('exposed_diameter = "20.5 mm"', "exposed_diameter = nan"), "cell.exposed_diameter", None),
        (('output = "ao0"', 'output = "ao0"\ncolour = "red"'), None, "red"),
        (('signal = ["0 V", "10 V"]', 'signal = ["0 V", "0 V"]'), None, None),
    ],
)
def test_a_fault_is_named_by_its_key(written: Written, change: tuple[str, str], key: str | None, found: object) -> None:
    error = error_of(written(changed(*change)))

    assert error.key == key if key else error.key.startswith("instruments.")
    if found is not None:
        assert error.found == found


@pytest.mark.fault("INP-01")
def test_a_key_that_is_given_twice_is_no_toml(written: Written) -> None:
    error = error_of(written(changed('channel = "feed_pressure"', 'channel = "feed_pressure"\nchannel = "x"')))

    assert error.expected == "a TOML document"


@pytest.mark.fault("INP-02")
def test_a_huge_file_is_refused_unread(written: Written) -> None:
    error = error_of(written(BENCH + "#" * 2_000_000))

    assert "1000000 bytes" in error.expected


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "rig.toml"
    path.write_bytes(b"\xff\xfe" + BENCH.encode("utf-16-le"))

    assert "UTF-8" in error_of(path).expected


def test_an_interlock_is_read_in_its_channels_quantity(written: Written) -> None:
    config = load_rig(written(changed('high = "85 psi"', 'high = "500 kPa"\nlow = "-1 psi"')))
    (interlock,) = [one for one in config.interlocks if one.name == "over_pressure"]

    assert interlock.high == pytest.approx(500 * kPa)
    assert interlock.low == pytest.approx(-1 * psi)


def test_addresses_of_a_simulated_rig_are_filled_in_where_they_are_asked_for() -> None:
    path = find_rig("bench-25")
    open_file = load_rig(path)
    filled = load_rig(path, {"ni": "127.0.0.1:5", "balance": "socket://127.0.0.1:6"})

    assert {one.options.model_dump().get("server") for one in filled.instruments} >= {"127.0.0.1:5"}
    assert not [one for one in filled.instruments if "sim://" in str(one.options)]
    assert [one for one in open_file.instruments if "sim://" in str(one.options)]


def test_a_second_fault_stands_as_a_note_behind_the_first(written: Written) -> None:
    text = changed('name = "bench-25"', 'name = ""').replace('max_pressure = "90 psi"', 'max_pressure = "90 mm"')

    error = error_of(written(text))

    assert len(error.__notes__) == 1


TOKENS = st.sampled_from(
    [*("=", "[", "]", '"', "\n", ".", "#", "{", "}", ",", "'''", "1e400", "nan", "inf", "-1", "true", "1979-05-27"),
     *('"0 psi"', '"1e308 psi"', '"-5 V"', '"NaN"', '"\\u0000"', "[[]]", "[[x]]", "a.b = 1", '""', '"ä°²"')]
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """The file of a bench with lines lost, doubled, exchanged and overwritten, as by a hasty hand or a bad disk."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(["lose", "double", "swap", "token", "value", "text"])):
            case "lose":
                del lines[place]
            case "double":
                lines.insert(draw(st.integers(0, len(lines))), lines[place])
            case "swap":
                other = draw(st.integers(0, len(lines) - 1))
                lines[place], lines[other] = lines[other], lines[place]
            case "token":
                at = draw(st.integers(0, len(lines[place])))
                lines[place] = lines[place][:at] + draw(TOKENS) + lines[place][at:]
            case "value":
                key, equals, _ = lines[place].partition("=")
                lines[place] = f"{key}{equals} {draw(TOKENS)}\n" if equals else lines[place]
            case _:
                lines[place] = draw(st.text(max_size=30)) + "\n"
        if not lines:
            break
    return "".join(lines)


@pytest.mark.fault("INP-01")
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(text=mutated())
def test_any_damage_leaves_a_sound_rig_or_one_error_that_names_the_file(text: str, tmp_path: Path) -> None:
    path = tmp_path / "rig.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))

    loaded = tried(path)

    assert isinstance(loaded, RigConfig) or (loaded.source == path and loaded.expected)


@pytest.mark.parametrize("name", ["", "."])
def test_a_folder_is_no_rig_file(name: str) -> None:
    with pytest.raises(ConfigError, match="a rig file or a shipped rig"):
        find_rig(name)


def tried(path: Path) -> RigConfig | ConfigError:
    try:
        return load_rig(path)
    except ConfigError as error:
        return error


def document(name: str) -> dict[str, Any]:
    return tomllib.loads(find_rig(name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema())


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("name", shipped_rigs())
def test_the_schema_accepts_every_shipped_rig(name: str, validator: jsonschema.Draft202012Validator) -> None:
    assert [error.message for error in validator.iter_errors(document(name))] == []


@pytest.mark.parametrize(
    "place", [(), ("cell",), ("instruments", "pressures"), ("interlocks", "over_pressure"), ("simulation",)]
)
def test_the_schema_refuses_an_unknown_key(place: tuple[str, ...], validator: jsonschema.Draft202012Validator) -> None:
    rig = document("bench-25")
    table = rig
    for key in place:
        table = table[key]
    table["humour"] = 3

    assert not validator.is_valid(rig)
