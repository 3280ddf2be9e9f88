"""The fault catalogue beside this file is true: what it calls built is played by a test, and nothing else is."""

from __future__ import annotations

import json
import re
from pathlib import Path

HERE = Path(__file__).parent
KEYS = ["id", "what", "injected", "response", "status", "proven_by"]

PLAYED = ("built", "injected")


def catalogue() -> list[dict[str, str]]:
    """Entries of faults.yaml, which keeps to one line a value, texts quoted as in JSON."""
    faults: list[dict[str, str]] = []
    for line in (HERE / "faults.yaml").read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or not line.strip():
            continue
        found = re.fullmatch(r'(- |  )([a-z_]+): ("(?:[^"\\]|\\.)*"|[A-Za-z0-9_./-]+(?:, [A-Za-z0-9_./-]+)*)', line)
        assert found, f"faults.yaml: not understood: {line}"
        new, key, text = found.groups()
        if new == "- ":
            faults.append({})
        assert key not in faults[-1], line
        faults[-1][key] = json.loads(text) if text.startswith('"') else text
    return faults


def marked() -> dict[str, set[str]]:
    """Files by the id of the faults that their tests are marked with."""
    found: dict[str, set[str]] = {}
    for path in sorted(HERE.rglob("test_*.py")):
        for fault in re.findall(r"mark\.fault\(([^)]*)\)", path.read_text(encoding="utf-8")):
            for name in re.findall(r'"([^"]+)"', fault):
                found.setdefault(name, set()).add(path.relative_to(HERE.parent).as_posix())
    return {name: files for name, files in found.items() if name != "id"}


def test_every_entry_says_the_same_things() -> None:
    for fault in catalogue():
        expected = KEYS[:-1] if fault["status"] == "planned" else KEYS
        assert list(fault) == expected, fault


def test_an_id_names_one_fault() -> None:
    names = [fault["id"] for fault in catalogue()]

    assert len(set(names)) == len(names)


def test_what_is_built_or_injected_is_played_by_the_tests_that_it_names() -> None:
    marks = marked()
    for fault in catalogue():
        if fault["status"] in PLAYED:
            named = set(fault["proven_by"].split(", "))
            unproven = {path for path in named if path not in marks.get(fault["id"], set()) and "proofs" not in path}
            assert named - unproven, fault["id"]
            assert not unproven, f"{fault['id']}: no test in {unproven} is marked with it"
            assert all((HERE.parent / path).is_file() for path in named), fault
        else:
            assert fault["status"] == "planned", fault


def test_every_mark_names_a_fault_that_is_played() -> None:
    played = {fault["id"] for fault in catalogue() if fault["status"] in PLAYED}

    assert set(marked()) <= played, f"marked, but not played: {set(marked()) - played}"
