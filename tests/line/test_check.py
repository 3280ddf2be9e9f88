"""``labrig check RIG --membrane M`` says what can be measured where, and of the rest in words why not.

The pairs are those of which the line has shown that they are measured well (tests/line/test_coverage.py).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.commands import exit_code, rig_text, write
from tests.line.lines import Case
from tests.line.test_coverage import EXAMPLE_V, OTHERS


def asked(capsys: pytest.CaptureFixture[str], rig: str, membrane: str, pressures: tuple[str, ...]) -> tuple[int, Any]:
    code = exit_code(["check", rig, "--membrane", membrane, "--set", f"pressures={', '.join(pressures)}", "--json"])
    (found,) = json.loads(capsys.readouterr().out)["membranes"]
    return code, found


@pytest.mark.parametrize("case", [EXAMPLE_V, *OTHERS], ids=lambda case: f"{case.membrane} on {case.rig}")
def test_a_rig_that_can_measure_a_membrane_says_so(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = asked(capsys, case.rig, case.membrane, case.pressures)

    assert (code, found["measurable"], found["reasons"]) == (0, True, [])
    assert all(4 <= flow <= 1000 or case.membrane in {"psed", "foam-500nm", "film-100nm"} for flow in found["flows"])


@pytest.mark.parametrize(
    ("rig", "membrane", "pressures", "words"),
    [
        ("bench-47", "example-iv", ("10 psi", "20 psi", "30 psi"), "flow meter"),
        ("bench-25", "psed", ("10 psi", "20 psi", "30 psi"), "the method waits 60 s"),
        ("bench-25", "example-v", ("10 psi", "120 psi"), "regulator ends at 100 psi"),
    ],
)
def test_a_rig_that_cannot_says_in_words_why_not(
    rig: str, membrane: str, pressures: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = asked(capsys, rig, membrane, pressures)

    assert (code, found["measurable"]) == (1, False)
    assert any(words in reason for reason in found["reasons"]), found["reasons"]


def test_a_line_of_a_sixteenth_of_an_inch_is_named_as_what_takes_the_pressure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half a metre of 1.6 mm tube takes more than Example IV itself at any pressure."""
    text = rig_text("bench-25-coarse")
    before, marker, after = text.partition("[simulation.plumbing]")
    lines = after.split("\n")
    row = next(number for number, line in enumerate(lines) if line.startswith("cell = "))
    lines[row] = 'cell = { diameter = "1.6 mm", length = "0.5 m", fittings = 4 }'
    path = write(tmp_path, before + marker + "\n".join(lines))

    code, found = asked(capsys, str(path), "example-iv", ("2 psi", "4 psi", "6 psi"))

    assert code == 1
    assert any("lines" in reason and "pressure" in reason for reason in found["reasons"]), found["reasons"]


def test_without_a_membrane_every_shipped_one_is_judged(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["check", "bench-25", "--json"]) == 0

    document = json.loads(capsys.readouterr().out)
    assert document.keys() == {"rig", "channels", "outputs", "roles", "interlocks", "membranes"}
    assert len(document["membranes"]) == 11
    assert {"membrane", "measurable", "reasons", "notes", "flows"} == document["membranes"][0].keys()


def test_people_read_can_and_cannot(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["check", "bench-25", "--membrane", "example-v"]) == 0

    out = capsys.readouterr().out
    assert "bench-25.toml: sound." in out
    assert "can     example-v:" in out
