"""Parquet files: every value exactly, units and facts in the schema."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from labrig.exports import export
from labrig.recording import RunFile
from tests.exports.runs import RESULT, recorded


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("parquet")
    export(recorded(target), target, ["parquet"])
    return target


def test_every_sample_reads_back_to_the_same_bits(folder: Path) -> None:
    table = pd.read_parquet(folder / "run-1.daq.parquet")
    with RunFile(folder / "run-1.labrig") as run:
        unit, series = run.header.channels[0].unit, run.series("feed")

    expected = (series.values - unit.offset) / unit.factor
    assert np.array_equal(table["feed [psi]"].to_numpy(), expected, equal_nan=True)
    assert np.array_equal(table["time_s"].to_numpy(), series.times / 1e9)
    assert table["index"].tolist() == [*range(30), *range(50, 75)]
    assert table["feed quality"].dtype == np.uint8


def test_units_and_calibration_give_the_raw_values_back(folder: Path) -> None:
    schema = pq.read_schema(folder / "run-1.daq.parquet")
    about = {key.decode(): value.decode() for key, value in schema.field("feed [psi]").metadata.items()}
    table = pd.read_parquet(folder / "run-1.daq.parquet")
    with RunFile(folder / "run-1.labrig") as run:
        raw = np.concatenate([block.values[:, 0] for block in run.blocks() if block.source == "daq"])

    c0, c1 = json.loads(about["coefficients"])
    si = table["feed [psi]"] * float(about["si_factor"]) + float(about["si_offset"])
    good = table["feed quality"] & 1 == 0
    assert (about["unit"], about["si_unit"], about["raw_unit"]) == ("psi", "Pa", "V")
    assert ((si - c0) / c1)[good].to_numpy() == pytest.approx(raw[good], rel=1e-12)


def test_the_schema_says_what_the_run_was(folder: Path) -> None:
    facts = pq.read_schema(folder / "run-1.events.parquet").metadata

    assert facts[b"coupon"] == b"C-17"
    assert facts[b"simulated"] == b"yes"


def test_results_keep_what_has_no_value_apart_from_numbers(folder: Path) -> None:
    results = pq.read_table(folder / "run-1.results.parquet").to_pylist()

    assert results[0]["value_si"] == RESULT.value
    assert results[0]["dof"] == float("inf")
    assert results[1]["value"] is None
    assert results[0]["reasons"] == "short plateau"
