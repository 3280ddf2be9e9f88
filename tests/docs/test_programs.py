"""The programs of the pages run as they stand."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labrig.methods import load_method
from labrig.model import Outcome, Validity
from labrig.protocol import LabProtocol
from tests.docs.pages import ROOT, blocks

PROTOCOLS = "docs/protocols.md"
LINES = 15
SHORT = '"pressures": ["10 psi", "20 psi"], "zero": "1 s", "settle": "1 s", "window": "3 s"'


def run(program: str, names: dict[str, Any]) -> None:
    exec(compile(program, PROTOCOLS, "exec", dont_inherit=True), names)


@pytest.fixture(scope="module")
def rehearsed() -> dict[str, Any]:
    """Everything that the page's protocol and its rehearsal define, after they ran."""
    names: dict[str, Any] = {"__name__": "example"}
    for program in blocks(PROTOCOLS, "python")[:2]:
        run(program, names)
    return names


def test_the_complete_protocol_is_a_few_lines() -> None:
    (_, written) = blocks(PROTOCOLS, "python")[0].split("\n\n\n")

    assert sum(bool(line.strip()) for line in written.splitlines()) <= LINES


def test_the_complete_protocol_measures_the_flow_of_the_twin(rehearsed: dict[str, Any]) -> None:
    done = rehearsed["done"]
    protocol: LabProtocol = rehearsed["method"].protocol
    analysis = protocol.analyse(done.run)

    assert done.outcome is Outcome.COMPLETED
    assert analysis.results[0].value == pytest.approx(done.plant.truth()["permeate_flow"], rel=0.02)
    assert analysis.validity is Validity.INDICATIVE


@pytest.mark.slow
def test_the_program_with_a_bench_runs(
    rehearsed: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = dict(rehearsed)
    monkeypatch.chdir(tmp_path)

    run(blocks(PROTOCOLS, "python")[2], names)

    assert names["filed"].outcome is Outcome.COMPLETED
    assert names["filed"].path.is_relative_to(tmp_path / "data")


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What `labrig up bench-25 --data data` starts."""
    monkeypatch.chdir(tmp_path)
    labrig = (sys.executable, "-m", "labrig.cli")
    subprocess.run((*labrig, "up", "bench-25", "--data", "data"), check=True, stdout=subprocess.DEVNULL)
    yield
    subprocess.run((*labrig, "down", "--data", "data"), check=True, stdout=subprocess.DEVNULL)


@pytest.mark.slow
@pytest.mark.usefixtures("server")
def test_the_program_with_a_client_runs() -> None:
    program = blocks(PROTOCOLS, "python")[3]
    shortened = program.replace('"pressures": ["10 psi", "20 psi"]', SHORT)
    names: dict[str, Any] = {}

    run(shortened, names)

    assert SHORT in shortened
    assert names["result"]["symbol"] == "p25"


def test_the_method_file_of_the_page_can_be_loaded(tmp_path: Path) -> None:
    path = tmp_path / "five-pressures.toml"
    path.write_text(blocks("docs/methods.md", "toml")[0], encoding="utf-8")

    assert load_method(str(path)).name == "five-pressures"


def test_the_steps_from_a_shipped_rig_to_a_real_one_make_a_file_that_is_sound(tmp_path: Path) -> None:
    from labrig.config import load_rig

    shipped = (ROOT / "labrig" / "rigs" / "bench-25.toml").read_text(encoding="utf-8")
    real = re.sub(r'^server = "sim://ni"\n', "", shipped.partition("\n[simulation]\n")[0], flags=re.MULTILINE)
    path = tmp_path / "mylab.toml"
    path.write_text(real.replace("sim://balance", "COM4").replace('"bench-25"', '"my lab"'), encoding="utf-8")

    config = load_rig(path)

    assert not config.simulated
    assert re.findall(r"^[^#\n]*sim://", path.read_text(encoding="utf-8"), re.MULTILINE) == []
