"""One whole ``labrig run`` as somebody types it, looked at from outside: what it prints, loads, writes, leaves."""

from __future__ import annotations

import csv
import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from labrig.recording import RunFile
from tests.cli.commands import SHORT, Said, children, running

pytestmark = pytest.mark.slow
DOCUMENT = {"outcome", "reason", "analysis", "not_analysed", "not_catalogued", "run_file", "exports"}
ANALYSIS = {"name", "version", "validity", "reasons", "results", "diagnostics", "tables"}
RESULT = {"name", "symbol", "value", "unit", "U", "coverage_factor", "u", "dof", "definition", "budget"}
BUDGET = {"source", "estimate", "u", "unit", "contribution"}


@dataclass(frozen=True, slots=True)
class Whole:
    """A run that is over, and what was seen of it from outside."""

    said: Said
    folder: Path
    libraries: frozenset[str]
    """Files that its process and its children had mapped while they ran."""

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.said.out)
        return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """Home, temporary folder and working folder are empty ones of its own."""
    folder = tmp_path_factory.mktemp("whole")
    places = {"HOME": "home", "TMPDIR": "temp"}
    for name in (*places.values(), "cwd", "data"):
        (folder / name).mkdir()
    before = dict(os.environ)
    os.environ.update({key: str(folder / name) for key, name in places.items()})
    for key in [key for key in os.environ if key.startswith("XDG_")]:
        del os.environ[key]
    try:
        with running(
            *("run", "--rig", "bench-25", "--coupon", "T-7", "--lot", "L-2", "--operator", "Ada", "--seed", "3"),
            *("--data", str(folder / "data"), "--json", *SHORT),
            cwd=folder / "cwd",
        ) as command:
            command.wait_for("> 20 psi")
            processes = {command.process.pid, *children(command.process.pid)}
            libraries = frozenset(library for pid in processes for library in mapped(pid))
            yield Whole(command.end(), folder, libraries)
    finally:
        os.environ.clear()
        os.environ.update(before)


def mapped(pid: int) -> set[str]:
    """Files that a process has in its memory."""
    maps = Path(f"/proc/{pid}/maps")
    if not maps.exists():
        return set()
    return {line.split(maxsplit=5)[5] for line in maps.read_text().splitlines() if "/" in line}


def test_it_ends_well_with_one_document_on_standard_output(whole: Whole) -> None:
    assert whole.said.code == 0, whole.said.err
    assert whole.document.keys() == DOCUMENT
    assert (whole.document["outcome"], whole.document["reason"], whole.document["not_analysed"]) == (
        "completed",
        "",
        "",
    )


def test_people_see_the_steps_and_the_time_left_on_standard_error(whole: Whole) -> None:
    assert re.search(r"^> Zero check$.*^> 10 psi$.*^> 30 psi$", whole.said.err, re.DOTALL | re.MULTILINE)
    assert re.search(r"Feed pressure [\d.]+ psi .*about \d+ s left", whole.said.err)


def test_the_document_has_the_keys_that_the_manual_names(whole: Whole) -> None:
    analysis = whole.document["analysis"]
    assert analysis.keys() == ANALYSIS
    assert all(result.keys() == RESULT for result in analysis["results"])
    assert all(line.keys() == BUDGET for result in analysis["results"] for line in result["budget"])
    manual = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
    missing = [key for key in DOCUMENT | ANALYSIS | RESULT | BUDGET if f"`{key}`" not in manual]
    assert not missing


def test_the_first_result_is_the_permeability_near_the_membranes_in_its_unit(whole: Whole) -> None:
    """Example V is published with 4 cm/min/psi; compaction, holder and transmitters take some percent."""
    result = whole.document["analysis"]["results"][0]

    assert (result["symbol"], result["unit"]) == ("p25", "cm/min/psi")
    assert result["value"] == pytest.approx(4.0, rel=0.05)
    assert result["U"] == pytest.approx(result["u"] * result["coverage_factor"])
    assert 0.005 < result["U"] / result["value"] < 0.05


def test_the_result_is_indicative_and_names_each_step_that_was_skipped(whole: Whole) -> None:
    analysis = whole.document["analysis"]

    assert analysis["validity"] == "indicative"
    for step in ("wetting", "air purge", "compaction", "descending pressures"):
        assert any(reason.startswith(f"{step} not verified") for reason in analysis["reasons"]), step


def test_everything_lies_in_the_data_folder_and_nothing_elsewhere(whole: Whole) -> None:
    for name in ("home", "temp", "cwd"):
        assert not list((whole.folder / name).rglob("*")), name
    there = {path for path in (whole.folder / "data").rglob("*") if path.is_file()}
    of_the_run = {Path(whole.document["run_file"]), *map(Path, whole.document["exports"])}
    assert there - of_the_run == {whole.folder / "data" / name for name in ("catalogue.db", "catalogue.lock")}
    assert {path.suffix for path in of_the_run} == {".labrig", ".csv", ".h5", ".sha256"}


def test_the_run_file_says_who_did_what_with_which_parameters(whole: Whole) -> None:
    with RunFile(Path(whole.document["run_file"])) as run:
        assert run.verify().whole
        header = run.header

    assert (header.coupon.id, header.coupon.lot, header.operator, header.rig) == ("T-7", "L-2", "Ada", "bench-25")
    assert header.method == "quick-permeability 1 (changed)"
    assert header.parameters["window"] == "3 s"
    assert header.simulated


def test_the_exported_result_is_the_one_that_was_printed(whole: Whole) -> None:
    (path,) = [Path(name) for name in whole.document["exports"] if name.endswith(".results.csv")]
    rows = [line for line in path.read_text(encoding="utf-8-sig").splitlines() if not line.startswith("#")]
    first = next(csv.DictReader(rows))
    result = whole.document["analysis"]["results"][0]

    assert any(f"{result['value']:.9g}"[:8] in cell for cell in first.values()), first


@pytest.mark.skipif(sys.platform == "win32", reason="mapped files are found through /proc")
def test_neither_the_run_nor_the_simulated_rig_ever_loads_qt(whole: Whole) -> None:
    assert any("numpy" in library for library in whole.libraries)
    assert not [library for library in whole.libraries if "Qt6" in library or "PySide6" in library]
