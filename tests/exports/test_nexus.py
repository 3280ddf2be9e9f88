"""What the NeXus community's own programs say of our HDF5 files."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import h5py
import pytest

from labrig.exports import export
from labrig.recording import RunFile
from tests.exports.runs import recorded

PLOTTABLE = """
import sys
from nexusformat.nexus import nxload
data = nxload(sys.argv[1]).get_default()
print(data.nxpath, data.nxsignal.nxname, data.nxsignal.attrs["units"], *(axis.nxname for axis in data.nxaxes))
print(len(data.nxsignal), float(data.nxsignal[3]))
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("nexus")
    return next(made for made in export(recorded(target), target, ["hdf5"]) if made.suffix == ".h5")


def judged(path: Path) -> tuple[str, str]:
    """How many warnings and errors nxcheck counts."""
    command = [sys.executable, "-m", "nexusformat.scripts.nxcheck", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    said = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)
    warnings, errors = re.findall(r"Total number of (?:warnings|errors): (\d+)", said)
    return warnings, errors


def test_the_validator_finds_neither_an_error_nor_a_warning(path: Path, tmp_path: Path) -> None:
    spoilt = tmp_path / "spoilt.h5"
    spoilt.write_bytes(path.read_bytes())
    with h5py.File(spoilt, "r+") as file:
        del file["run/daq/raw"].attrs["NX_class"]

    assert judged(path) == ("0", "0")
    assert judged(spoilt) == ("0", "1"), "the validator does look"


def test_a_browser_plots_the_stream_with_the_most_samples(path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", PLOTTABLE, path], capture_output=True, text=True, check=True)

    with RunFile(path.with_suffix(".labrig")) as run:
        feed = run.series("feed")
    where, values = done.stdout.strip().splitlines()
    assert where.split() == ["/run/daq", "feed", "Pa", "time"]
    assert float(values.split()[1]) == pytest.approx(feed.values[3], rel=1e-15)
