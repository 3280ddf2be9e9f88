"""Methods and protocols in files of one's own: what may be changed, and what is refused in words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from labrig.clock import VirtualClock
from labrig.describing import form_schema, methods
from labrig.errors import ConfigError
from labrig.filing import file_again
from labrig.methods import find_method, load_method
from labrig.model import Outcome
from labrig.plugins import PluginError
from labrig.recording import Recorder, RunFile
from labrig.units import psi
from tests.docs.pages import blocks
from tests.recording.runs import header, items

METHOD = """
name = "film"
version = "1"
protocol = "water-permeability"
fixed = ["zero"]

[parameters]
pressures = ["5 psi", "10 psi"]

[limits]
pressures = ["5 psi", "20 psi"]
window = ["5 s", "60 s"]
"""
FLOW_AT = blocks("docs/protocols.md", "python")[0]


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.toml"
    path.write_text(METHOD, encoding="utf-8")
    return path


@pytest.fixture
def flow_at(tmp_path: Path) -> Path:
    path = tmp_path / "flow_at.py"
    path.write_text(FLOW_AT, encoding="utf-8")
    return path


def spoilt(path: Path, before: str, after: str) -> str:
    path.write_text(METHOD.replace(before, after), encoding="utf-8")
    return str(path)


def test_a_run_may_change_a_parameter_within_the_methods_limits(film: Path) -> None:
    method = load_method(str(film), {"pressures": ["5 psi", "20 psi"]})

    assert method.version == "1 (changed)"
    assert method.protocol.pressures == pytest.approx((5 * psi, 20 * psi))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"pressures": ["5 psi", "21 psi"]},
            "expected 5 psi to 20 psi, the limits of film 1, found '21 psi'",
        ),
        ({"window": "61 s"}, "window: expected 5 s to 60 s"),
        ({"zero": "6 s"}, "zero: expected no change: film 1 fixes it"),
    ],
)
def test_a_change_that_the_method_does_not_permit_is_refused(film: Path, changes: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_method(str(film), changes)

    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('["5 psi", "20 psi"]', '["20 psi", "5 psi"]', "the smaller value first"),
        ('["5 psi", "20 psi"]', '["5 s", "20 psi"]', "limits.pressures"),
        ('["5 psi", "20 psi"]', '["6 psi", "20 psi"]', "expected 6 psi to 20 psi"),
        ("window =", "windov =", "limits"),
        ('window = ["5 s", "60 s"]', 'closing_checks = ["0", "1"]', "name others in fixed"),
        ('fixed = ["zero"]', 'fixed = ["naught"]', "fixed"),
    ],
)
def test_limits_that_make_no_sense_are_refused(film: Path, before: str, after: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_method(spoilt(film, before, after))

    assert words in str(caught.value)


def test_the_form_shows_the_methods_limits_and_nothing_that_is_fixed(film: Path) -> None:
    schema = form_schema(str(film), load_method(str(film)))

    assert schema["properties"]["pressures"]["items"]["x-high"] == pytest.approx(20 * psi)
    assert schema["properties"]["window"]["x-low"] == 5.0
    assert "zero" not in schema["properties"]


def test_a_method_of_the_laboratory_is_found_by_its_name(film: Path) -> None:
    assert find_method("film", [film.parent]) == str(film)
    assert find_method("quick-permeability", [film.parent]) == "quick-permeability"


def test_a_protocol_file_is_a_method_with_its_defaults(flow_at: Path) -> None:
    method = load_method(str(flow_at), {"pressure": "15 psi"})

    assert method.name == "flow-at"
    assert method.version.endswith(" (changed)")
    assert method.facts.parameters == {"pressure": "15 psi"}
    assert method.facts.protocol == str(flow_at)
    assert method.facts.protocol_text == FLOW_AT


def test_a_method_finds_its_protocol_beside_it_and_has_a_form(flow_at: Path) -> None:
    (flow_at.parent / "flow-at.toml").write_text(
        'name = "flow-at"\nversion = "1"\nprotocol = "flow_at.py"\n[limits]\npressure = ["5 psi", "30 psi"]\n'
    )

    described = next(one for one in methods([str(flow_at.parent)]) if one["name"] == "flow-at")

    assert described["title"] == "Flow of water at a pressure"
    assert described["parameter_schema"]["properties"]["pressure"]["x-high"] == pytest.approx(30 * psi)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = 1\n", "this one defines none"),
        ("def f(:\n", "line 1: SyntaxError"),
        ("x = 1\nimport nothing_of_the_kind\n", "line 2: ModuleNotFoundError"),
        (FLOW_AT + "\n\n@dataclass(frozen=True)\nclass Other(FlowAt):\n    pass\n", "this one defines FlowAt, Other"),
    ],
)
def test_a_file_that_is_no_protocol_is_refused_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(PluginError) as caught:
        load_method(str(path))

    assert words in str(caught.value)
    assert str(path) in str(caught.value)


def test_code_from_a_file_that_a_run_names_is_not_run_unless_somebody_names_it(tmp_path: Path) -> None:
    witness, evil = tmp_path / "witness", tmp_path / "evil.py"
    evil.write_text(f"from pathlib import Path\nPath({str(witness)!r}).write_text('ran')\n", encoding="utf-8")
    path = tmp_path / "run.labrig"
    recorder = Recorder(path, replace(header(), protocol=str(evil)), clock=VirtualClock(), threaded=False,
                        reserve_bytes=0)  # fmt: skip
    for item in items():
        recorder(item)
    recorder.close(Outcome.COMPLETED)

    with pytest.raises(PluginError, match="only when you name it"):
        file_again(path)

    assert not witness.exists()


def test_the_record_of_a_run_has_the_text_of_its_protocol(tmp_path: Path) -> None:
    path = tmp_path / "run.labrig"
    recorder = Recorder(path, replace(header(), protocol_text=FLOW_AT), clock=VirtualClock(), threaded=False,
                        reserve_bytes=0)  # fmt: skip
    recorder.close(Outcome.COMPLETED)

    with RunFile(path) as run:
        assert run.header.protocol_text == FLOW_AT
