"""The catalogue from the command line: what is entered is shown, what is wrong is named, documents are documents."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from labrig.model import Coupon
from tests.catalogue.lab import record
from tests.cli.commands import exit_code


@pytest.fixture
def labrig(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:  # noqa: ANN401 - a function of the arguments
    """Exit code, standard output and standard error of a command on this test's data folder."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = exit_code([*arguments, "--data", str(tmp_path)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_a_coupon_is_entered_changed_and_shown(labrig: Any) -> None:  # noqa: ANN401
    assert labrig("specimens", "lot", "L-4", "--family", "PSU", "--received", "2026-03-01")[0] == 0
    add = ("specimens", "add", "C-17", "--lot", "L-4", "--thickness", "101 µm, 99 µm", "--by", "Ada")
    assert labrig(*add)[0] == 0
    assert labrig("specimens", "edit", "C-17", "--condition", "broken", "--reason", "fell", "--by", "Bo")[0] == 0

    _, shown, _ = labrig("specimens", "show", "C-17", "--json")

    document = json.loads(shown)
    assert (document["lot"], document["family"], document["condition"]) == ("L-4", "PSU", "broken")
    assert document["statistics"]["thickness"]["mean"] == pytest.approx(100e-6)
    assert [change["reason"] for change in document["changes"]] == ["fell", ""]
    _, shown, _ = labrig("specimens", "show", "C-17")
    assert "broken, by Bo" in shown
    _, changes, _ = labrig("catalogue", "changes")
    assert "fell" in changes


def test_what_cannot_be_entered_is_refused_in_words(labrig: Any) -> None:  # noqa: ANN401
    code, _, said = labrig("specimens", "add", "C-17", "--thickness", "101")

    assert code == 2
    assert "thickness" in said
    assert "a length such as '10 µm'" in said
    assert labrig("specimens", "edit", "C-17", "--note", "x")[2].startswith("labrig: the catalogue has no coupon C-17")


def test_a_table_is_imported_whole_or_not_at_all(labrig: Any, tmp_path: Path) -> None:  # noqa: ANN401
    table = tmp_path / "coupons.csv"
    table.write_text("id,lot\nC-1,L-4\nC-2,\x01\n", encoding="utf-8")
    code, _, said = labrig("specimens", "import", str(table))
    assert (code, "line 3: lot" in said) == (1, True)
    assert json.loads(labrig("specimens", "list", "--json")[1]) == []

    table.write_text("id,lot\nC-1,L-4\nC-2,L-4\n", encoding="utf-8")
    assert "none was" in labrig("specimens", "import", str(table), "--dry-run")[1]
    assert labrig("specimens", "import", str(table))[0] == 0
    assert labrig("specimens", "import", str(table))[0] == 2
    assert labrig("specimens", "import", str(table), "--update")[0] == 0

    assert [row["id"] for row in json.loads(labrig("specimens", "search", "c", "--json")[1])] == ["C-2", "C-1"]


def test_results_are_a_table_a_document_and_csv(labrig: Any, tmp_path: Path) -> None:  # noqa: ANN401
    for number, value in enumerate((3.9, 4.1)):
        record(tmp_path, number, Coupon(f"C-{number}", lot="=L-4"), value=value)
    wanted = ("results", "--symbol", "p25", "--from", "4 cm/min/psi")

    document = json.loads(labrig("results", "--json")[1])
    assert [round(row["value"], 3) for row in document["results"]] == [4.1, 3.9]
    assert document["replicates"][0]["mean"] == pytest.approx(4.0)
    (row,) = csv.DictReader(io.StringIO(labrig(*wanted, "--csv")[1]))
    assert (row["coupon"], row["lot"], row["unit"], round(float(row["U"]), 3)) == ("C-1", "'=L-4", "cm/min/psi", 0.02)
    shown = labrig("results")[1]
    assert "p25 = 4.100 ± 0.020 cm/min/psi" in shown
    assert "of 2 valid results of 2 coupons" in shown
    assert labrig("results", "--symbol", "p25", "--from", "4 bananas")[0] == 2


def test_a_run_is_shown_by_the_beginning_of_its_id(labrig: Any, tmp_path: Path) -> None:  # noqa: ANN401
    record(tmp_path, 0x1A, Coupon("C-1"))

    assert "quick-permeability" in labrig("runs", "list")[1]
    assert json.loads(labrig("runs", "show", "0000001a", "--json")[1])["results"][0]["symbol"] == "p25"
    assert "exposed 47 ± 0.2 mm" in labrig("runs", "show", "0000001a")[1]


def test_the_catalogue_is_checked_and_rebuilt(labrig: Any, tmp_path: Path) -> None:  # noqa: ANN401
    labrig("specimens", "add", "C-1")
    record(tmp_path, 1, Coupon("C-2"))

    code, said, _ = labrig("catalogue", "check")
    assert (code, "is not in the catalogue" in said) == (1, True)
    assert json.loads(labrig("catalogue", "rebuild", "--json")[1])["runs"] == 1
    assert labrig("catalogue", "check")[0] == 0
    assert labrig("catalogue", "path")[1].strip() == str(tmp_path / "catalogue.db")


def test_a_photograph_is_attached(labrig: Any, tmp_path: Path) -> None:  # noqa: ANN401
    labrig("specimens", "add", "C-1")
    photo = tmp_path / "skin.jpg"
    photo.write_bytes(b"x")

    assert labrig("specimens", "attach", str(photo), "--coupon", "C-1", "--note", "skin side")[0] == 0

    assert "skin.jpg: attachments/" in labrig("specimens", "show", "C-1")[1]
    assert labrig("specimens", "attach", str(photo))[0] == 2
