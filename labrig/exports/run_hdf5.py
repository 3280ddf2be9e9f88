"""A run as one HDF5 file by the rules of NeXus, so that its browsers plot it: samples in SI and raw, tables, header."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import h5py
import numpy as np

from labrig.errors import RecordingError
from labrig.exports.facts import facts
from labrig.exports.files import sync
from labrig.exports.streams import QUALITY_WORDS, Key, Names, Piece, channels, pieces, si_symbol
from labrig.exports.stretch import SECOND, Stretch
from labrig.exports.tables import UNITS, Table, tables
from labrig.model import Channel
from labrig.recording import RunFile
from labrig.recording.codec import to_json

if TYPE_CHECKING:
    from hashlib import _Hash

CHUNK: Final = 16_384
ENTRY: Final = "run"
_FILTERS: Final = {"shuffle": True, "compression": "gzip", "compression_opts": 1, "fletcher32": True}
"""All of them are built into every HDF5 library."""


def write_hdf5(run: RunFile, folder: Path, stem: str, stretch: Stretch) -> Path:
    """Write a run into one file in a folder; returns its path. Every dataset of samples is read back and compared."""
    path = folder / f"{stem}.h5"
    with h5py.File(path, "x", libver=("v110", "v110")) as file:
        _attributes(file, NX_class="NXroot", default=ENTRY, file_name=path.name, creator="labrig")
        _attributes(file, HDF5_Version=h5py.version.hdf5_version, h5py_version=h5py.version.version)
        entry = _group(file, ENTRY, "NXentry")
        _about(run, entry, stretch)
        names = Names(*entry, "events", "results", "budget", joint="_")
        hashes = _streams(run, entry, names, stretch)
        for table in tables(run, names):
            _table(entry, table)
    sync(path)
    _compare(path, hashes)
    return path


def _about(run: RunFile, entry: h5py.Group, stretch: Stretch) -> None:
    """What NeXus has names for, under those names; all of it, in words, in ``about``."""
    header = run.header
    _long_text(entry, "title", f"{header.method or header.protocol} on {header.coupon.id}")
    _long_text(entry, "start_time", header.started_utc)
    if run.end is not None:
        _long_text(entry, "end_time", run.end.utc)
    _long_text(entry, "entry_identifier", header.run_id)
    _long_text(entry, "program_name", "labrig")
    _long_text(_group(entry, "user", "NXuser"), "name", header.operator)
    sample = _group(entry, "sample", "NXsample")
    _long_text(sample, "name", header.coupon.id)
    _long_text(sample, "description", f"lot {header.coupon.lot}; {header.coupon.note}".strip("; "))
    about = _group(entry, "about", "NXcollection")
    for key, value in {**facts(run), **stretch.words, "quality_bits": QUALITY_WORDS}.items():
        about.attrs[_attribute(key)] = _text(value)
    _long_text(about, "header", to_json(header))
    _long_text(about, "rig_file", header.rig_file)
    _words(about, "analyses", [to_json(filed.analysis) for filed in run.analyses])


class _Stream:
    """The datasets of one stream, appended to piece by piece."""

    def __init__(self, group: h5py.Group, shown_channels: Sequence[Channel], started: str) -> None:
        self.hashes: dict[str, _Hash] = {}
        self.name = group.name.rpartition("/")[2]
        self._group = group
        names = Names("time", "time_ns", "index", "raw", "quality", joint="_")
        self._columns = [names.take(channel.name) for channel in shown_channels]
        _attributes(group, signal=self._columns[0], auxiliary_signals=self._columns[1:])
        _attributes(group, axes=["time"], time_indices=[0])
        for inner in ("raw", "quality"):
            _group(group, inner, "NXcollection")
        self._make("time", "f8", units="s", long_name="time since the start of the run (s)", start=started)
        self._make("time_ns", "i8", units="ns", long_name="the same, exactly")
        self._make("index", "i8", long_name="number of the sample; a jump shows lost samples")
        for column, channel in zip(self._columns, shown_channels, strict=True):
            self._channel(column, channel)

    def append(self, piece: Piece) -> None:
        self._add("time", piece.times / SECOND)
        self._add("time_ns", piece.times)
        self._add("index", piece.index)
        for at, column in enumerate(self._columns):
            self._add(column, piece.si[:, at])
            self._add(f"raw/{column}", piece.raw[:, at])
            self._add(f"quality/{column}", piece.quality[:, at])

    def _channel(self, column: str, channel: Channel) -> None:
        calibration = channel.calibration
        symbol = si_symbol(channel.unit)
        title = channel.label or channel.name
        self._make(column, "f8", units=symbol, long_name=f"{title} ({symbol})", channel=channel.name)
        _attributes(
            self._group[column],
            shown_in=channel.unit.symbol or "1",
            shown_factor=channel.unit.factor,
            shown_offset=channel.unit.offset,
            low=channel.low,
            high=channel.high,
            resolution=channel.resolution,
        )
        self._make(f"raw/{column}", "f8", units=channel.raw_unit, long_name=f"{title}, as delivered")
        _attributes(
            self._group[f"raw/{column}"],
            coefficients=list(calibration.coefficients),
            relative_u=calibration.relative_u,
            offset_u=calibration.offset_u,
            certificate=calibration.certificate,
            date=calibration.date,
            address=channel.address,
        )
        self._make(f"quality/{column}", "u1", long_name=QUALITY_WORDS)

    def _make(self, name: str, kind: str, **attributes: str) -> None:
        data = self._group.create_dataset(name, (0,), kind, maxshape=(None,), chunks=(CHUNK,), **_FILTERS)
        _attributes(data, **attributes)
        self.hashes[data.name] = hashlib.sha256()

    def _add(self, name: str, values: np.ndarray) -> None:
        data = self._group[name]
        start = len(data)
        data.resize(start + len(values), axis=0)
        data[start:] = values
        self.hashes[data.name].update(values.tobytes())


def _streams(run: RunFile, entry: h5py.Group, names: Names, stretch: Stretch) -> Mapping[str, _Hash]:
    """Write the samples; returns a hash of each dataset. The stream with the most of them is plotted at first."""
    known, streams, rows = channels(run), dict[Key, _Stream](), dict[str, int]()
    start, end = (None if t is None else round(t * SECOND) for t in (stretch.start, stretch.end))
    for key, piece in pieces(run, start, end):
        if key not in streams:
            one = _group(entry, names.take(key[0]), "NXdata")
            _attributes(one, source=key[0])
            streams[key] = _Stream(one, [known[name] for name in key[1]], run.header.started_utc)
        streams[key].append(piece)
        name = streams[key].name
        rows[name] = rows.get(name, 0) + len(piece.times)
    if rows:
        _attributes(entry, default=max(rows, key=lambda name: rows[name]))
    return {name: total for stream in streams.values() for name, total in stream.hashes.items()}


def _table(entry: h5py.Group, table: Table) -> None:
    """A dataset for each column; the true name of one that no path can have is its attribute ``column``."""
    group, names = _group(entry, table.name, "NXcollection"), Names(joint="_")
    for note, words in table.notes.items():
        group.attrs[_attribute(note)] = _text(words)
    for at, column in enumerate(table.columns):
        name, cells = names.take(column), table.column(at)
        if table.numeric[at]:
            values = np.array([np.nan if cell is None else cell for cell in cells], float)
            # HDF5 keeps checksums of chunks only, and there are no chunks of nothing.
            options = {"chunks": (len(values),), "fletcher32": True} if len(values) else {}
            group.create_dataset(name, data=values, **options)
        else:
            _words(group, name, ["" if cell is None else str(cell) for cell in cells])
        if column in UNITS:
            _attributes(group[name], units=UNITS[column])
        if name != column:
            _attributes(group[name], column=column)


def _words(group: h5py.Group, name: str, texts: Sequence[str]) -> None:
    """A short column of texts."""
    group.create_dataset(name, (len(texts),), h5py.string_dtype(), data=[_text(text) for text in texts])


def _compare(path: Path, hashes: Mapping[str, _Hash]) -> None:
    with h5py.File(path, "r") as file:
        for name, written in hashes.items():
            data, found = file[name], hashlib.sha256()
            for start in range(0, len(data), CHUNK * 16):
                found.update(data[start : start + CHUNK * 16].tobytes())
            if found.digest() != written.digest():
                raise RecordingError(f"{path.name}: {name} was read back different from what was written")


def _group(parent: h5py.Group, name: str, nexus: str) -> h5py.Group:
    group = parent.create_group(name)
    _attributes(group, NX_class=nexus)
    return group


def _attributes(thing: h5py.HLObject, **values: str | float | Sequence[str] | Sequence[float]) -> None:
    for name, value in values.items():
        thing.attrs[name] = _text(value) if isinstance(value, str) else value


def _attribute(key: str) -> str:
    return key.replace(" ", "_").replace("/", "_")


def _long_text(group: h5py.Group, name: str, text: str) -> None:
    """A dataset: an attribute holds 64 kB at most."""
    group.create_dataset(name, data=_text(text), dtype=h5py.string_dtype())


def _text(text: str) -> str:
    """HDF5 ends a text at a NUL, and takes only valid UTF-8."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "backslashreplace").decode()
