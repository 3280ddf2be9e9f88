"""What cannot be is refused in one line that names where, what was expected and what was found, with exit code 2."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.commands import exit_code, rig_text, typed, write

RUN = ["run", "--rig", "bench-25", "--coupon", "C-1"]
REHEARSE = ["rehearse", "--rig", "bench-25"]


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str], *words: str) -> None:
    """Exit code 2, nothing on standard output, and one line (with notes) that holds all the words."""
    code = exit_code(arguments)

    out, err = capsys.readouterr()
    assert code == 2, err
    assert not out
    assert "Traceback" not in err
    first = err.splitlines()[0]
    assert first.startswith("labrig: ")
    for word in words:
        assert word in first, first


@pytest.mark.parametrize(
    ("change", "key", "found"),
    [
        (('safe = "0 psi"', 'safe = "0 psi"\nhumour = 3'), "pressure_setpoint.humour", "3"),
        (('rate = "100 Hz"', 'rate = "100 psi"'), "instruments.pressures.rate", "'100 psi'"),
        (('rate = "100 Hz"', "rate = 100"), "instruments.pressures.rate", "100"),
        (('max_pressure = "90 psi"', 'max_pressure = "90 mm"'), "cell.max_pressure", "'90 mm'"),
        (('max_pressure = "90 psi"\n', ""), "cell.max_pressure", "nothing"),
        (("labrig = 1", "labrig = 2"), "labrig", "2"),
        (('kind = "mt-sics"', 'kind = "abacus"'), "instruments.balance.kind", "'abacus'"),
        (('feed = "feed_valve"', 'feed = "fed_valve"'), "roles.feed", "'fed_valve'"),
        (('high = "85 psi"', 'high = "85 °C"'), "interlocks.over_pressure.high", "'85 °C'"),
        (("labrig = 1", "labrig = = 1"), "a TOML document", "line 5"),
    ],
)  # fmt: skip
def test_a_rig_file_that_does_not_fit_is_named_with_its_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: tuple[str, str], key: str, found: str
) -> None:
    path = write(tmp_path, rig_text(), change)

    refused(["check", str(path)], capsys, str(path), key, "expected", found)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--rig", "bench-99", "--coupon", "C-1"], ["bench-99", "bench-25"]),
        (["check", "nowhere/rig.toml"], ["nowhere/rig.toml"]),
        ([*RUN, "--method", "slow"], ["slow", "quick-permeability"]),
        ([*RUN, "--method", "nowhere.toml"], ["nowhere.toml"]),
        ([*REHEARSE, "--membrane", "gore"], ["gore", "example-v"]),
        ([*RUN, "--set", "presures=1 psi, 2 psi"], ["--set", "presures", "pressures"]),
        ([*RUN, "--set", "pressures=1 psi, 2 s"], ["--set", "pressures", "2 s"]),
        ([*RUN, "--set", "zero=5"], ["--set", "zero", "'5'"]),
        ([*RUN, "--set", "zero"], ["--set", "NAME=VALUE", "'zero'"]),
        (["sim", "bench-99"], ["bench-99"]),
        (["sim", "bench-25", "--serial", "usb"], ["--serial", "usb"]),
    ],
)
def test_what_is_not_there_is_named_with_what_is(
    arguments: list[str], words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    refused(arguments, capsys, *words)


@pytest.mark.fault("SEC-01")
@pytest.mark.fault("SEC-03")
@pytest.mark.fault("INP-08")
@pytest.mark.parametrize(
    "name",
    [
        *("../../x", "/etc/passwd", "..\\x", "a/b", ".hidden"),
        *("=1+1", "+1", "-1", "@sum", "\t=1"),
        *("a\nb", "a\x1b[31mb", "a\x00b", "a\u202eb", "\u200bx"),
        *("", " ", "x" * 65),
    ],
)
@pytest.mark.parametrize("option", ["--coupon", "--lot", "--operator"])
def test_a_name_that_is_a_path_a_formula_or_a_control_character_is_refused(
    option: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if not name and option != "--coupon":
        return  # an empty lot is none, and an empty operator the user of the computer
    coupon = ["--coupon", "C-1"] if option != "--coupon" else []

    refused(["run", "--rig", "nowhere", *coupon, f"{option}={name}"], capsys, option, "expected")


def test_a_process_ends_with_that_line_and_no_traceback() -> None:
    said = typed(["run", "--rig", "bench-99", "--coupon", "C-1"])

    assert (said.code, said.out) == (2, "")
    assert len(said.err.splitlines()) == 1
    assert said.err.startswith("labrig: bench-99: expected a rig file or a shipped rig")


def test_an_option_that_nobody_knows_is_refused() -> None:
    said = typed(["run", "--rig", "bench-25", "--coupon", "C-1", "--humour"])

    assert said.code == 2
    assert "--humour" in said.err
    assert "Traceback" not in said.err


def test_a_device_that_does_not_answer_is_named_and_nothing_is_recorded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, _, _ = rig_text().partition("\n[simulation]")
    path = write(tmp_path, text, ("sim://ni", "127.0.0.1:1"), ("sim://balance", str(tmp_path / "ttyUSB0")))

    code = exit_code(["run", "--rig", str(path), "--coupon", "C-1", "--data", str(tmp_path / "data")])

    err = capsys.readouterr().err
    assert code == 2
    assert "Traceback" not in err
    assert err.splitlines()[0].startswith("labrig: ")
    assert not list(tmp_path.glob("data/**/*.labrig"))


def test_a_rig_without_a_simulation_can_be_neither_rehearsed_on_nor_played(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, _, _ = rig_text().partition("\n[simulation]")
    path = write(tmp_path, text)

    for arguments in (["rehearse", "--rig", str(path), "--membrane", "example-v"], ["sim", str(path)]):
        refused(arguments, capsys, str(path), "simulation")


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("no folder")

    code = exit_code([*RUN, "--data", str(tmp_path / "file")])

    err = capsys.readouterr().err
    assert code == 2
    assert str(tmp_path / "file") in err
    assert "Traceback" not in err


@pytest.mark.parametrize("missing", [True, False])
def test_an_export_of_no_run_file_says_which_and_ends_with_1(
    missing: bool,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "run.labrig"
    if not missing:
        path.write_bytes(b"no run file at all")

    assert exit_code(["export", str(path)]) == 1

    out, err = capsys.readouterr()
    assert not out.strip()
    assert str(path) in err
    assert "Traceback" not in err
    assert [entry.name for entry in tmp_path.iterdir()] == ([] if missing else ["run.labrig"])
