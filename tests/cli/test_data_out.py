"""``labrig export``, ``analyse``, ``describe`` and ``methods`` as somebody types them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from labrig.model import Analysis, Measured, Validity
from labrig.recording import RunFile
from tests.cli.commands import exit_code, typed
from tests.core.test_methods import FLOW_AT
from tests.exports.runs import RESULT, recorded


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    (tmp_path / "runs").mkdir()
    return recorded(tmp_path / "runs")


def said(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    document: dict[str, object] = json.loads(capsys.readouterr().out)
    return document


def test_a_folder_of_runs_is_exported_in_the_formats_that_were_asked_for(
    run_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = exit_code(
        ["export", str(run_file.parent), "--excel", "--parquet", "--into", str(tmp_path / "out"), "--json"]
    )

    document = said(capsys)
    assert code == 0
    assert document["failed"] == {}
    assert {path.suffix for path in (tmp_path / "out").iterdir()} == {".xlsx", ".parquet", ".sha256"}


def test_every_makes_csv_alone_and_the_name_says_so(run_file: Path, tmp_path: Path) -> None:
    code = exit_code(["export", str(run_file), "--from", "5 ms", "--every", "10 ms", "--into", str(tmp_path / "out")])

    assert code == 0
    assert (tmp_path / "out" / "run-1_from-0.005s_every-0.01s.daq.csv").is_file()
    assert not list((tmp_path / "out").glob("*.h5"))


def test_the_runs_of_a_lot_come_from_the_catalogue_into_one_table(
    run_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(["catalogue", "rebuild", "--data", str(tmp_path)]) == 0
    table = tmp_path / "lot.csv"

    code = exit_code(["export", "--lot", "L-4", "--results", str(table), "--data", str(tmp_path)])

    assert code == 0
    assert table.read_text(encoding="utf-8-sig").count("C-17") == 2
    assert exit_code(["export", "--lot", "L-9", "--data", str(tmp_path)]) == 2
    assert "none of that kind" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "the names of runs, or options such as --lot that say which, found 'neither'"),
        (["RUN", "--lot", "L-4"], "either the names of runs, or options such as --lot"),
        (["RUN", "--from", "5"], "--from"),
        (["RUN", "--from", "2 s", "--to", "1 s"], "the end comes after the start"),
        (["RUN", "--first"], "Give their length with --every"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(
    run_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    named = [str(run_file) if each == "RUN" else each for each in arguments]

    assert exit_code(["export", *named, "--data", str(tmp_path)]) == 2

    assert words in capsys.readouterr().err


def test_a_run_that_is_missing_does_not_stop_the_others(
    run_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = exit_code(["export", str(tmp_path / "gone.labrig"), str(run_file), "--csv"])

    assert code == 1
    assert "gone.labrig" in capsys.readouterr().err
    assert run_file.with_name("run-1.daq.csv").is_file()


def _method(tmp_path: Path, *arguments: str) -> int:
    return exit_code(["methods", "make", "water-permeability", "--name", "film", "--data", str(tmp_path), *arguments])


@pytest.fixture
def film(tmp_path: Path) -> Path:
    set_ = ("--set", "pressures=5 psi, 10 psi", "--limit", "pressures=5 psi..20 psi", "--fix", "zero")
    assert _method(tmp_path, "--version", "1", *set_) == 0
    return tmp_path / "methods" / "film.toml"


def test_a_method_that_was_made_can_be_listed_shown_described_and_compared(
    film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ("--data", str(tmp_path))
    capsys.readouterr()

    assert exit_code(["methods", "list", *data]) == 0
    assert exit_code(["methods", "show", "film", *data]) == 0
    assert exit_code(["describe", "film", *data]) == 0
    listed = capsys.readouterr().out
    assert exit_code(["methods", "compare", "quick-permeability", "film", "--json", *data]) == 0
    compared = json.loads(capsys.readouterr().out)

    assert all(words in listed for words in ("film", 'pressures = ["5 psi", "10 psi"]', "5 psi to 20 psi", "fixed"))
    assert compared["pressures"] == {"values": ["10 psi, 20 psi, 30 psi", "5 psi, 10 psi"], "differs": True}
    assert compared["settle"]["differs"] is False


def test_a_name_and_version_mean_one_thing_for_ever(
    film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = film.read_bytes()

    assert _method(tmp_path, "--version", "2") == 2
    assert _method(tmp_path, "--version", "1", "--set", "settle=3 s", "--replace") == 2
    assert film.read_bytes() == before
    assert _method(tmp_path, "--version", "2", "--set", "settle=3 s", "--replace") == 0
    assert b'settle = "3 s"' in film.read_bytes()
    assert exit_code(["methods", "make", "water-permeability", "--name", "quick-permeability", "--version", "9"]) == 2
    assert "a name that no method of labrig has" in capsys.readouterr().err


def test_a_method_that_cannot_be_is_not_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        _method(tmp_path, "--version", "1", "--set", "pressures=5 psi, 10 psi", "--limit", "pressures=6 psi..9 psi")
        == 2
    )

    assert "expected 6 psi to 9 psi" in capsys.readouterr().err
    assert not (tmp_path / "methods").exists()


def test_describe_gives_programs_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["describe", "water-permeability", "--json"]) == 0

    document = said(capsys)
    schema = document["schema"]
    assert isinstance(schema, dict)
    assert schema["properties"]["zero"]["x-unit"] == "s"
    assert document["needs"]


@pytest.mark.slow
def test_a_protocol_in_a_file_is_rehearsed_run_analysed_again_and_exported(tmp_path: Path) -> None:
    (tmp_path / "flow_at.py").write_text(FLOW_AT, encoding="utf-8")
    rehearsed = typed(["rehearse", "flow_at.py", "--rig", "bench-25", "--json"], cwd=tmp_path)

    done = typed(
        ["run", "flow_at.py", "--rig", "bench-25", "--coupon", "C-1", "--data", "data", "--json"], cwd=tmp_path
    )

    assert rehearsed.code == 0, rehearsed.err
    assert done.code == 0, done.err
    document = json.loads(done.out)
    (result,) = document["analysis"]["results"]
    assert result["symbol"] == "Q"
    path = Path(document["run_file"])
    refused = typed(["analyse", str(path)], cwd=tmp_path)
    assert "only when you name it" in refused.err
    again = typed(["analyse", str(path), "--protocol", "flow_at.py", "--json"], cwd=tmp_path)
    assert again.code == 0, again.err
    assert json.loads(again.out)["differences"] == {str(path): []}
    with RunFile(path) as run:
        assert run.header.protocol_text == FLOW_AT
        assert len(run.analyses) == 2


def test_what_differs_between_two_analyses_is_told() -> None:
    from labrig.cli.comparing import differences

    before = Analysis("water", "1", (RESULT,), Validity.INDICATIVE, ("short plateau",))
    other: Measured = replace(RESULT, value=RESULT.value * 1.02)
    after = Analysis("water", "2", (other, replace(RESULT, symbol="R")), Validity.VALID)

    told = {one.what: (one.before, one.after) for one in differences(before, after)}

    assert told["version"] == ("1", "2")
    assert told["validity"] == ("indicative", "valid")
    assert told["reason"] == ("short plateau", "")
    assert told["R"][0] == ""
    assert told["L_p"][1].endswith("(+2 %, 0.68 U)")
    assert differences(before, before) == []
