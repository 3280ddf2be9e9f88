"""Instruments, protocols and methods are found by entry point and refused in words."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from labrig import plugins
from labrig.errors import ConfigError
from labrig.methods import load_method, shipped_methods
from labrig.protocol import make, protocol_class
from labrig.units import psi

ENTRY_POINTS = """
[labrig.protocols]
no-dataclass = strangers:function
not-there = strangers:missing
no-module = nowhere_at_all:thing
twice = strangers:function
"""
SECOND = "[labrig.protocols]\ntwice = strangers:function\n"


@pytest.fixture
def strangers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two packages of other people on the path: one with faulty entry points, one with a name that the first has."""
    (tmp_path / "strangers.py").write_text("def function():\n    return 1\n", encoding="utf-8")
    for name, points in (("strangers", ENTRY_POINTS), ("rivals", SECOND)):
        about = tmp_path / f"{name}-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
        (about / "entry_points.txt").write_text(points, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("strangers", None)


def test_what_is_installed_is_listed() -> None:
    assert {"ni-analog-input", "ni-digital-output", "ni-analog-output", "mt-sics"} <= set(
        plugins.names(plugins.INSTRUMENTS)
    )
    assert "water-permeability" in plugins.names(plugins.PROTOCOLS)
    assert "quick-permeability" in shipped_methods()


def test_a_name_that_nobody_provides_is_answered_with_those_that_are() -> None:
    with pytest.raises(plugins.PluginError, match=r"no instrument is called 'abacus'; installed are: .*mt-sics"):
        plugins.load(plugins.INSTRUMENTS, "abacus")


@pytest.mark.usefixtures("strangers")
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("not-there", "'not-there' of strangers cannot be loaded: .*missing"),
        ("no-module", "'no-module' of strangers cannot be loaded: .*nowhere_at_all"),
        ("twice", "'twice' is provided twice, by (strangers and rivals|rivals and strangers)"),
    ],
)
def test_an_entry_point_of_other_people_that_is_broken_is_named_with_its_owner(name: str, words: str) -> None:
    with pytest.raises(plugins.PluginError, match=words):
        plugins.load(plugins.PROTOCOLS, name)


@pytest.mark.usefixtures("strangers")
def test_a_protocol_must_be_a_dataclass() -> None:
    with pytest.raises(plugins.PluginError, match="'no-dataclass' is no dataclass"):
        protocol_class("no-dataclass")


def test_parameters_carry_units_in_a_file_and_are_si_from_code() -> None:
    from_file = make("water-permeability", {"pressures": ["1 psi", "2 psi"]}, "file")
    from_code = make("water-permeability", {"pressures": (1 * psi, 2 * psi)}, "code", from_file=False)

    assert from_file == from_code
    with pytest.raises(ConfigError, match=r"file: pressures\.0: expected a pressure with its unit"):
        make("water-permeability", {"pressures": [1, 2]}, "file")


def test_an_unknown_parameter_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ConfigError, match="presures: expected a parameter of water-permeability: pressures, zero"):
        make("water-permeability", {"presures": []}, "file")


def test_a_method_fixes_parameters_under_a_name_and_a_version(tmp_path: Path) -> None:
    path = tmp_path / "low.toml"
    path.write_text(
        'name = "low"\nversion = "2.1"\nprotocol = "water-permeability"\nsilence = "20 s"\n'
        '[parameters]\npressures = ["1 psi", "2 psi"]\n',
        encoding="utf-8",
    )

    method = load_method(str(path))

    assert (method.name, method.version, method.silence) == ("low", "2.1", 20.0)
    assert method.facts.parameters["pressures"] == ["1 psi", "2 psi"]


def test_a_changed_method_says_so_in_its_version() -> None:
    assert load_method("quick-permeability").version == "1"
    assert load_method("quick-permeability", {"zero": "9 s"}).version == "1 (changed)"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('name = "low"\nversion = "1"\nprotocol = "abacus"\n', "protocol"),
        ('name = "Low Pressure"\nversion = "1"\nprotocol = "water-permeability"\n', "name"),
        ('name = "low"\nversion = "one"\nprotocol = "water-permeability"\n', "version"),
        ('name = "low"\nversion = "1"\nprotocol = "water-permeability"\nhumour = 1\n', "humour"),
        ('name = "low"\nversion = "1"\nprotocol = "water-permeability"\nsilence = 20\n', "silence"),
        ('name = "low"\nversion = "1"\nprotocol = "water-permeability"\n[parameters]\nzero = "5 psi"\n', "zero"),
        ("name = ", "a TOML document"),
    ],
)
def test_a_method_file_that_does_not_fit_is_named_with_its_key(tmp_path: Path, text: str, key: str) -> None:
    path = tmp_path / "low.toml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ConfigError) as caught:
        load_method(str(path))

    assert str(path) in str(caught.value)
    assert key in str(caught.value)
