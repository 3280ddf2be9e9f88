"""Stretches and bins of samples: what is left out, and that what remains is true."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig.errors import RecordingError
from labrig.exports import ExportFailed, Stretch, export
from labrig.exports import streams as streams_module
from labrig.exports.streams import channels
from labrig.exports.stretch import columns, sample_rows
from labrig.model import Quality
from labrig.recording import RunFile
from tests.exports.runs import recorded


@pytest.fixture(scope="module")
def run_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded(tmp_path_factory.mktemp("stretch"))


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def bins(run_file: Path, every: float) -> dict[str, np.ndarray]:
    """The binned table of the daq, by column."""
    stretch = Stretch(every=every)
    with RunFile(run_file) as run:
        known = channels(run)
        names = [column.name for column in columns([known["feed"], known["back"]], stretch)]
        found = [rows.arrays for key, rows in sample_rows(run, known, stretch) if key[0] == "daq"]
    return {name: np.concatenate([rows[at] for rows in found]) for at, name in enumerate(names)}


def test_a_stretch_has_its_first_moment_and_not_its_last(run_file: Path, tmp_path: Path) -> None:
    export(run_file, tmp_path, ["csv"], Stretch(0.005, 0.02))

    rows = table(tmp_path / "run-1_from-0.005s_to-0.02s.daq.csv")
    assert [int(row["index"]) for row in rows] == list(range(5, 20))
    assert not (tmp_path / "run-1_from-0.005s_to-0.02s.balance.csv").exists(), "it was read before and after"


def test_a_stretch_without_samples_of_a_source_has_no_file_of_it(run_file: Path, tmp_path: Path) -> None:
    made = export(run_file, tmp_path, ["csv", "hdf5", "excel", "parquet"], Stretch(start=3600.0))

    assert {path.name.split(".")[1] for path in made} == {
        *("events", "results", "budget", "water-plateaus", "h5", "xlsx", "sha256")
    }


def test_bins_hold_mean_lowest_and_highest_of_the_usable_samples(run_file: Path) -> None:
    found = bins(run_file, 0.005)

    with RunFile(run_file) as run:
        series = run.series("feed")
        psi = run.header.channels[0].unit.factor
    for at, start in enumerate(found["time_s"]):
        inside = (series.times >= round(start * 1e9)) & (series.times < round(start * 1e9) + 5_000_000)
        values = series.values[inside] / psi
        usable = values[~np.isnan(values)]
        assert found["feed n"][at] == len(usable)
        assert found["feed mean [psi]"][at] == pytest.approx(usable.mean(), rel=1e-12)
        assert found["feed min [psi]"][at] == usable.min()
        assert found["feed max [psi]"][at] == usable.max()
        assert found["feed quality"][at] == np.bitwise_or.reduce(series.quality[inside] & 31) | (
            found["feed quality"][at] & Quality.AFTER_GAP
        )
    assert found["feed n"].sum() == (~np.isnan(series.values)).sum()


@given(every=st.integers(1, 100).map(lambda ms: ms / 1000), piece=st.sampled_from([1, 7, 10, 65_536]))
def test_bins_are_the_same_in_whatever_pieces_a_run_is_read(run_file: Path, every: float, piece: int) -> None:
    whole = bins(run_file, every)
    before = streams_module.PIECE
    streams_module.PIECE = piece  # type: ignore[misc]  # what a machine with less memory would have
    try:
        found = bins(run_file, every)
    finally:
        streams_module.PIECE = before  # type: ignore[misc]

    for name, values in whole.items():
        assert np.allclose(found[name], values, rtol=1e-13, equal_nan=True), name
    assert (np.diff(found["time_s"]) > 0).all()
    with np.errstate(invalid="ignore"):
        assert not (found["back mean [kPa]"] > found["back max [kPa]"]).any()


def test_a_bin_without_a_usable_sample_is_empty_and_its_quality_says_why(run_file: Path) -> None:
    found = bins(run_file, 0.0005)

    empty = np.flatnonzero(found["feed n"] == 0)
    assert len(empty) == 1
    assert math.isnan(found["feed mean [psi]"][empty[0]])
    assert found["feed quality"][empty[0]] == Quality.MISSING


def test_a_second_without_samples_has_no_row(run_file: Path) -> None:
    starts = np.round(bins(run_file, 0.005)["time_s"] * 1000).astype(int)

    assert starts.tolist() == [0, 5, 10, 15, 20, 25, 50, 55, 60, 65, 70]


def test_first_samples_are_samples_as_they_are(run_file: Path, tmp_path: Path) -> None:
    export(run_file, tmp_path, ["csv"])
    export(run_file, tmp_path, ["csv"], Stretch(every=0.007, pick=True))

    everything = {row["index"]: row for row in table(tmp_path / "run-1.daq.csv")}
    picked = table(tmp_path / "run-1_every-0.007s_first.daq.csv")
    assert [int(row["index"]) for row in picked] == [0, 7, 14, 21, 28, 50, 56, 63, 70]
    assert all(everything[row["index"]] == row for row in picked)


def test_a_thinned_file_says_so_at_its_head(run_file: Path, tmp_path: Path) -> None:
    export(run_file, tmp_path, ["csv"], Stretch(0.0, 1.0, 0.01))

    head = (tmp_path / "run-1_from-0s_to-1s_every-0.01s.daq.csv").read_text(encoding="utf-8-sig")
    assert "# thinned: mean, min and max of the usable samples of each 0.01 s; the run file has all\n" in head
    assert "# samples: from 0 s to 1 s (not included); the run file has all\n" in head


def test_hdf5_is_never_thinned(run_file: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportFailed, match="an HDF5 file holds every sample"):
        export(run_file, tmp_path, ["hdf5"], Stretch(every=1.0))


@pytest.mark.parametrize(
    ("start", "end", "every", "pick"), [(2.0, 1.0, 0.0, False), (None, None, 0.0, True), (None, None, -1.0, False)]
)
def test_a_stretch_that_cannot_be_is_refused_in_words(
    start: float | None, end: float | None, every: float, pick: bool
) -> None:
    with pytest.raises(RecordingError, match=r"comes after the start|which intervals|is no interval"):
        Stretch(start, end, every, pick)
