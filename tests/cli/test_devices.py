"""What is connected is found, named and written as a rig file; what inputs deliver is told before anything runs."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from labrig.cli.app import app
from labrig.config import load_rig
from labrig.riglock import HardwareLock
from tests.simulated.conftest import Endpoints, known_process

__all__ = ["known_process"]


def labrig(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(words))
    return done.exit_code, done.output


def test_devices_are_found_and_written_into_a_rig_file_that_holds(known_process: Endpoints, tmp_path: Path) -> None:
    """NI devices behind a server, a balance and a text device on ports of their own."""
    ports = [known_process.serial[name] for name in ("balance", "sartorius", "scpi")]
    options = [*(f"--port={port}" for port in ports), f"--server={known_process.ni}", "--ask", "--data", str(tmp_path)]

    code, said = labrig("devices", *options, "--json")
    found = {each["where"]: each for each in json.loads(said)}
    _, toml = labrig("devices", *options, "--toml")

    assert code == 0
    assert found["cDAQ1Mod1"]["kind"] == "ni-analog-input"
    assert found["cDAQ1Mod8"]["kind"] == "ni-counter-input"
    assert [found[port]["kind"] for port in ports] == ["mt-sics", "sartorius-sbi", "ascii"]
    assert "B999000001" in found[ports[0]]["identity"]
    path = tmp_path / "new.toml"
    path.write_text(toml, encoding="utf-8")
    config = load_rig(path)
    assert {channel.raw_unit for channel in config.channels.values()} == {"V", "A", "V/V", "Hz", "g"}
    assert not config.outputs
    assert "# cDAQ1Mod3 has outputs: cDAQ1Mod3/port0/line0" in toml


def test_without_being_told_to_nothing_is_asked(known_process: Endpoints, tmp_path: Path) -> None:
    port = known_process.serial["balance"]

    _, said = labrig("devices", f"--port={port}", "--data", str(tmp_path), "--json")

    assert [each["state"] for each in json.loads(said) if each["where"] == port] == ["not asked"]


def test_a_port_that_labrig_uses_is_left_alone(
    known_process: Endpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    port = known_process.serial["balance"]
    with HardwareLock((os.path.realpath(port),), "bench", tmp_path):  # as an opened rig has it
        _, said = labrig("devices", f"--port={port}", "--ask", "--data", str(tmp_path), "--json")

    found = [each for each in json.loads(said) if each["where"] == port]
    assert [each["state"] for each in found] == ["in use"]
    assert "bench" in found[0]["identity"]


def test_the_wiring_of_a_rig_is_told_channel_by_channel(tmp_path: Path) -> None:
    code, said = labrig("wiring", "bench-25", "--seconds", "0.5", "--data", str(tmp_path), "--json")

    told = {each["channel"]: each for each in json.loads(said)}
    assert code == 0
    assert {each["state"] for each in told.values()} <= {"good", "not settled"}
    flow = told["permeate_flow"]
    assert flow["raw"] == pytest.approx(4e-3, rel=0.01)
    assert flow["at_zero"]
    assert told["feed_pressure"]["raw_unit"] == "V"
    assert told["feed_pressure"]["samples"] >= 40
    assert 0 < told["feed_pressure"]["raw_noise"] < 0.01
    assert told["water_temperature"]["value"] == pytest.approx(22, abs=1)
