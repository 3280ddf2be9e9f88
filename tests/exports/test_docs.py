"""docs/run-file.md and docs/exports.md name everything that is in the files, and their programs run."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import h5py
import numpy as np
import pyarrow.parquet as pq
import pytest

from labrig.exports import export
from labrig.exports.results import COLUMNS as LOT_COLUMNS
from labrig.exports.tables import BUDGET_COLUMNS, EVENT_COLUMNS, RESULT_COLUMNS
from labrig.recording import RunFile
from labrig.recording.schema import APPLICATION_ID, COLUMNS, VERSION
from tests.exports.runs import recorded

DOCS = Path(__file__).resolve().parents[2] / "docs"
RUN_FILE = (DOCS / "run-file.md").read_text(encoding="utf-8")
EXPORTS = (DOCS / "exports.md").read_text(encoding="utf-8")


def programs(text: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the pages speak of."""
    recorded(tmp_path).rename(tmp_path / "run.labrig")
    export(tmp_path / "run.labrig", tmp_path, ["csv", "hdf5", "parquet"])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(program: str) -> dict[str, object]:
    names: dict[str, object] = {}
    exec(compile(program, "docs", "exec"), names)
    return names


def test_every_program_reads_the_same_values_as_labrig(folder: Path) -> None:
    with RunFile(folder / "run.labrig") as file:
        feed = file.series("feed")
        psi = file.header.channels[0].unit.factor
    found = [run(program) for program in (*programs(RUN_FILE), *programs(EXPORTS))]
    raw, by_pandas, by_csv, by_numpy, by_parquet, by_hdf5 = found

    for names in (raw, by_csv, by_hdf5):
        assert np.array(names["seconds"]) == pytest.approx(feed.times / 1e9, rel=1e-15)
    assert np.array(raw["values"]) == pytest.approx(feed.values, rel=1e-14, nan_ok=True)
    assert np.array_equal(np.array(by_hdf5["pressure"]), feed.values, equal_nan=True)
    for names in (by_pandas, by_csv, by_numpy, by_parquet):
        assert np.array_equal(np.array(names["pressure"]), feed.values / psi, equal_nan=True)
    for names in found:
        if (connection := names.get("run")) is not None:
            connection.close()  # type: ignore[attr-defined]


def test_pandas_and_h5py_need_three_lines() -> None:
    for library in ("pandas", "h5py"):
        readers = [program for program in programs(EXPORTS) if f"import {library}" in program]
        assert readers
        for program in readers:
            assert sum(bool(line.strip()) for line in program.splitlines()) <= 3


def test_every_table_and_column_of_a_run_file_is_explained() -> None:
    assert f"version {VERSION} " in RUN_FILE
    assert str(APPLICATION_ID) in RUN_FILE
    for table, columns in COLUMNS.items():
        section = re.search(rf"^\*\*{table}\*\*.*?(?=^\*\*|^##|\Z)", RUN_FILE, re.DOTALL | re.MULTILINE)
        assert section is not None, table
        for column in columns[1:]:
            assert f"`{column}`" in section[0], f"{table}.{column}"


def test_every_column_of_a_csv_file_is_explained(folder: Path) -> None:
    for columns in (EVENT_COLUMNS, RESULT_COLUMNS, BUDGET_COLUMNS, LOT_COLUMNS, ("index", "time_s", "version")):
        for column in columns:
            assert f"`{column}`" in EXPORTS, column
    kinds = {"<channel> [<unit>]": r"(feed|back) \[.+\]", "<channel> quality": r"(feed|back) quality"}
    with (folder / "run.daq.csv").open(encoding="utf-8-sig", newline="") as file:
        names = next(csv.reader(line for line in file if not line.startswith("#")))
    for name in names:
        known = [kind for kind, pattern in kinds.items() if re.fullmatch(pattern, name)] or [name]
        assert f"`{known[0]}`" in EXPORTS


def test_every_dataset_and_attribute_of_an_hdf5_file_is_explained(folder: Path) -> None:
    missing = []
    tables = ("events/", "results/", "budget/", "water_plateaus/")

    def look(path: str, thing: h5py.Dataset | h5py.Group) -> None:
        last = path.rsplit("/", 1)[-1]
        known = re.sub(r"^(daq|balance)", "<source>", path)
        known = re.sub(r"/(feed|back|mass)$", "/<channel>", known)
        if isinstance(thing, h5py.Dataset) and not path.startswith("water_plateaus/"):
            name = last if path.startswith(tables) else f"/run/{known}"
            if f"`{name}`" not in EXPORTS:
                missing.append(path)
        ours = [name for name in thing.attrs if f"`{name}`" not in EXPORTS and path != "about"]
        notes = {"value", "U", "contribution_si", "numbers"}
        missing.extend(f"{path} {name}" for name in ours if not (name in notes and f"{path}/" in tables))

    with h5py.File(folder / "run.h5") as file:
        file["run"].visititems(look)
    assert missing == []


def test_every_key_of_a_parquet_column_is_explained(folder: Path) -> None:
    for field in pq.read_schema(folder / "run.daq.parquet"):
        for key in field.metadata or {}:
            assert f"`{key.decode()}`" in EXPORTS, key
