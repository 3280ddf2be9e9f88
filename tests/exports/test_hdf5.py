"""The HDF5 file of a run: SI and raw samples, events, results, in a shape that NeXus browsers plot."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from labrig.exports import export
from labrig.recording import RunFile, codec
from tests.exports.runs import RESULT, recorded
from tests.recording.runs import header


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("hdf5")
    return next(made for made in export(recorded(target), target, ["hdf5"]) if made.suffix == ".h5")


def test_a_browser_finds_its_way_to_a_plot(path: Path) -> None:
    """The rules of NeXus: ``default`` leads from the root to an NXdata, whose ``signal`` and ``axes`` are in it."""
    with h5py.File(path) as file:
        assert file.attrs["NX_class"] == "NXroot"
        entry = file[file.attrs["default"]]
        assert entry.attrs["NX_class"] == "NXentry"
        data = entry[entry.attrs["default"]]
        assert data.attrs["NX_class"] == "NXdata"
        signals = [data[data.attrs["signal"]], *(data[name] for name in data.attrs["auxiliary_signals"])]
        (axis,) = (data[name] for name in data.attrs["axes"])
        assert all(len(signal) == len(axis) for signal in signals)
        assert axis.attrs["units"] == "s"
        assert data.name == "/run/daq", "the stream with the most samples"


def test_samples_are_in_si_with_their_unit(path: Path) -> None:
    with RunFile(path.with_suffix(".labrig")) as run, h5py.File(path) as file:
        for source, name, unit in (("daq", "feed", "Pa"), ("daq", "back", "Pa"), ("balance", "mass", "kg")):
            data = file[f"run/{source}"]
            series = run.series(name)
            assert np.array_equal(data[name][:], series.values, equal_nan=True)
            assert np.array_equal(data["time_ns"][:], series.times)
            assert data["time"][:] == pytest.approx(series.times / 1e9)
            assert np.array_equal(data[f"quality/{name}"][:], series.quality)
            assert data[name].attrs["units"] == unit
        assert file["run/daq/feed"].attrs["long_name"] == "Feed pressure (Pa)"
        assert file["run/daq/feed"].attrs["shown_in"] == "psi"


def test_raw_values_and_their_coefficients_give_the_si_values(path: Path) -> None:
    with h5py.File(path) as file:
        data = file["run/daq"]
        raw = data["raw/back"]
        c = raw.attrs["coefficients"]
        expected = c[0] + c[1] * raw[:] + c[2] * raw[:] ** 2
        good = data["quality/back"][:] == 0
        assert data["back"][:][good] == pytest.approx(expected[good], rel=1e-14)
        assert raw.attrs["units"] == "A"


def test_lost_samples_show_as_a_jump_of_the_index(path: Path) -> None:
    with h5py.File(path) as file:
        assert file["run/daq/index"][:].tolist() == [*range(30), *range(50, 75)]


def test_the_header_is_there_in_words_and_whole(path: Path) -> None:
    with h5py.File(path) as file:
        about = file["run/about"]
        assert about.attrs["coupon"] == "C-17"
        assert about.attrs["outcome"] == "completed"
        assert codec.header_from_json(about["header"].asstr()[()]) == header()
        assert about["rig_file"].asstr()[()] == header().rig_file


def test_events_and_results_are_there(path: Path) -> None:
    with RunFile(path.with_suffix(".labrig")) as run, h5py.File(path) as file:
        events = file["run/events"]
        assert events["kind"].asstr()[:].tolist() == [event.kind for event in run.events]
        details = events["detail"].asstr()[:]
        assert [json.loads(text)["time"] for text in details] == [event.time for event in run.events]
        assert events["time_s"].attrs["units"] == "s"
        results = file["run/results"]
        assert results["version"].asstr()[:].tolist() == ["1.0", "1.0", "1.1", "1.1"]
        assert results["value_si"][2] == RESULT.value
        assert results["u_si"][2] == RESULT.u
        assert results["unit"].asstr()[2] == "cm/min/psi"
        assert len(file["run/budget/source"]) == 4
        plateaus = file["run/water_plateaus"]
        assert plateaus["target"][:].tolist() == [68_947.57, 137_895.1] * 2
        assert np.isnan(plateaus["mean"][0])
        assert plateaus["word"].attrs["column"] == "=word"
        analyses = file["run/about/analyses"].asstr()[:]
        assert len(codec.analysis_from_json(analyses[1]).results[0].budget) == 2


def test_every_dataset_of_samples_is_chunked_and_has_a_checksum(path: Path) -> None:
    plain = []

    def look(name: str, thing: h5py.Dataset | h5py.Group) -> None:
        if isinstance(thing, h5py.Dataset) and not (thing.fletcher32 and thing.chunks):
            plain.append(name)

    with h5py.File(path) as file:
        for source in ("daq", "balance"):
            file["run"][source].visititems(look)
    assert plain == []


@pytest.mark.fault("STO-09")
def test_a_flipped_bit_among_the_samples_is_never_read_as_a_value(path: Path, tmp_path: Path) -> None:
    with h5py.File(path) as file:
        data = file["run/daq/feed"]
        true = data[:]
        place = data.id.get_chunk_info(0)
        start, size = place.byte_offset, place.size
    original = path.read_bytes()
    damaged = tmp_path / "damaged.h5"
    for at in range(start, start + size, max(1, size // 60)):
        content = bytearray(original)
        content[at] ^= 1 << at % 8
        damaged.write_bytes(content)

        with h5py.File(damaged) as file, pytest.raises(OSError, match=r"read|filter"):
            file["run/daq/feed"][:]
    assert len(true) == 55
