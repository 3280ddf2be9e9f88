"""A blank run finds what the lines of the plant take, a no-flow blank what evaporates, and a rig file takes both."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from labrig.cli.adopting import adopt
from labrig.clock import RealClock
from labrig.config import RigConfig, find_rig, load_rig
from labrig.errors import ConfigError, RigError
from labrig.header import Order
from labrig.methods import load_method
from labrig.model import Analysis, Coupon, Validity
from labrig.plant import Disturbance, load_membrane
from labrig.plant.circuit import Resistance, WaterTable
from labrig.plant.noise import draw
from labrig.recording import Recorder, add_analysis
from labrig.rehearsal import Rehearsal, rehearse
from labrig.units import g_per_min, mm


def rehearsed(method: str, membrane: str = "none", *, seed: int = 1, config: RigConfig | None = None) -> Rehearsal:
    chosen = load_method(method, {"lasts": "5 min"} if method == "no-flow-blank" else {})
    order = Order(chosen.facts, Coupon("blank"), "test")
    return rehearse(
        chosen.protocol, order, config or load_rig(find_rig("bench-25")), load_membrane(membrane), seed=seed
    )


def analysed(method: str, done: Rehearsal) -> Analysis:
    return load_method(method).protocol.analyse(done.run)


def facts(analysis: Analysis) -> dict[str, str]:
    return {str(row["key"]): str(row["value"]) for row in analysis.tables["rig file"]}


@pytest.mark.parametrize("seed", range(3))
def test_a_blank_run_finds_the_loss_of_the_plants_lines_within_its_uncertainty(seed: int) -> None:
    done = rehearsed("blank-run", seed=seed)
    analysis = analysed("blank-run", done)

    truth, (loss,) = done.plant.truth(), analysis.results
    highest = max(analysis.tables["blank"], key=lambda row: float(row["flow"]))
    lines = done.plant.spec.plumbing
    designed = Resistance(lines.cell).drop(float(highest["flow"]), WaterTable().at(truth["temperature"]))
    true = designed * (1 + lines.cell_sd * draw(seed, "plumbing/cell"))
    assert analysis.validity is Validity.VALID, analysis.reasons
    assert loss.value == pytest.approx(true, abs=loss.U)
    assert len(analysis.tables["blank"]) == 5
    assert facts(analysis)["blank_flow"].count("mL/min") == 5


def test_a_no_flow_blank_finds_what_the_plant_lets_evaporate() -> None:
    done = rehearsed("no-flow-blank", "example-v")
    analysis = analysed("no-flow-blank", done)

    (result,) = analysis.results
    truth = done.plant.truth()
    assert result.value == pytest.approx(truth["evaporated_mass"] / truth["time"], abs=result.U)
    assert result.value / g_per_min == pytest.approx(0.01, abs=0.02)


def test_a_beaker_into_which_water_still_drips_makes_a_no_flow_blank_invalid() -> None:
    chosen = load_method("no-flow-blank", {"lasts": "2 min"})
    order = Order(chosen.facts, Coupon("blank"), "test")
    gains = Disturbance(evaporation=-1.0 * g_per_min)
    done = rehearse(
        chosen.protocol,
        order,
        load_rig(find_rig("bench-25")),
        load_membrane("example-v"),
        seed=1,
        disturbances=[(0.0, gains)],
    )

    analysis = chosen.protocol.analyse(done.run)

    assert analysis.validity is Validity.INVALID
    assert "still runs or drips" in analysis.reasons[0]


def filed(done: Rehearsal, analysis: Analysis, path: Path) -> Path:
    """The header and end of that run in a file of its own, with its analysis."""
    recorder = Recorder(path, done.run.header, clock=RealClock())
    recorder.close(done.outcome)
    add_analysis(path, analysis)
    return path


def test_adopting_a_blank_writes_it_into_the_rig_file_and_keeps_all_else(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    shutil.copyfile(find_rig("bench-25"), mine)
    done = rehearsed("blank-run", config=load_rig(mine))
    analysis = analysed("blank-run", done)
    run = filed(done, analysis, tmp_path / "blank.labrig")
    before = mine.read_text(encoding="utf-8")

    assert adopt(run, str(mine)) == 0

    config = load_rig(mine)
    assert len(config.file.hydraulics.blank_flow) == 5
    assert max(config.file.hydraulics.blank_loss) == pytest.approx(analysis.results[0].value, rel=1e-3)
    assert config.file.hydraulics.blank_temperature == pytest.approx(done.plant.truth()["temperature"], abs=0.5)
    assert "# The permeate outlet stands 3 cm above the pressure tap." in mine.read_text(encoding="utf-8")
    assert (tmp_path / "mine.toml.bak").read_text(encoding="utf-8") == before
    assert config.file.cell.exposed_diameter == pytest.approx(20.5 * mm)


def test_a_shipped_rig_file_and_a_run_without_facts_are_refused(tmp_path: Path) -> None:
    done = rehearsed("blank-run")
    run = filed(done, analysed("blank-run", done), tmp_path / "blank.labrig")
    with pytest.raises(ConfigError, match="copy the shipped one first"):
        adopt(run, "bench-25")

    bare = tmp_path / "bare.labrig"
    Recorder(bare, done.run.header, clock=RealClock()).close(done.outcome)
    mine = tmp_path / "mine.toml"
    shutil.copyfile(find_rig("bench-25"), mine)
    with pytest.raises(RigError, match="a blank run does"):
        adopt(bare, str(mine))
    assert not list(tmp_path.glob("*.bak"))
