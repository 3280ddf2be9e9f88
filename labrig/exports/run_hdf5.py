"""A run as one HDF5 file, laid out so that NeXus browsers plot it: samples in SI and raw, events, results."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import h5py
import numpy as np

from labrig.errors import RecordingError
from labrig.exports.facts import event_row, facts, shown
from labrig.exports.files import sync
from labrig.exports.streams import QUALITY_WORDS, Key, Names, Piece, WallClock, channels, pieces, si_symbol
from labrig.model import Channel
from labrig.recording import FiledAnalysis, RunFile
from labrig.recording.codec import to_json

if TYPE_CHECKING:
    from hashlib import _Hash

CHUNK: Final = 16_384
_FILTERS: Final = {"shuffle": True, "compression": "gzip", "compression_opts": 1, "fletcher32": True}
"""All of them are built into every HDF5 library."""


def write_hdf5(run: RunFile, folder: Path) -> Path:
    """Write a run into one file in a folder; returns its path. Every dataset of samples is read back and compared."""
    path = folder / f"{run.path.stem}.h5"
    with h5py.File(path, "x", libver=("v110", "v110")) as file:
        known = facts(run)
        for key, value in known.items():
            file.attrs[_attribute(key)] = _text(value)
        _attributes(file, NX_class="NXroot", default="streams", quality_bits=QUALITY_WORDS)
        _long_text(file, "header", to_json(run.header))
        _long_text(file, "rig_file", run.header.rig_file)
        hashes = _streams(run, file)
        _events(run, file)
        _results(run, file)
    sync(path)
    _compare(path, hashes)
    return path


class _Stream:
    """The datasets of one stream, appended to piece by piece."""

    def __init__(self, group: h5py.Group, shown_channels: Sequence[Channel], started: str) -> None:
        self.hashes: dict[str, _Hash] = {}
        self._group = group
        names = Names("time", "time_ns", "index", "raw", "quality")
        self._columns = [names.take(channel.name) for channel in shown_channels]
        _attributes(group, NX_class="NXdata", signal=self._columns[0], auxiliary_signals=self._columns[1:])
        _attributes(group, axes=["time"], time_indices=[0])
        self._make("time", "f8", units="s", long_name="time since the start of the run (s)", start=started)
        self._make("time_ns", "i8", units="ns", long_name="the same, exactly")
        self._make("index", "i8", long_name="number of the sample; a jump shows lost samples")
        for column, channel in zip(self._columns, shown_channels, strict=True):
            self._channel(column, channel)

    def append(self, piece: Piece) -> None:
        self._add("time", piece.times / 1e9)
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


def _streams(run: RunFile, file: h5py.File) -> Mapping[str, _Hash]:
    """Write all samples; returns a hash of each dataset."""
    group = file.create_group("streams")
    known = channels(run)
    names, streams = Names(), dict[Key, _Stream]()
    for key, piece in pieces(run):
        if key not in streams:
            one = group.create_group(names.take(key[0]))
            _attributes(one, source=key[0])
            streams[key] = _Stream(one, [known[name] for name in key[1]], run.header.started_utc)
        streams[key].append(piece)
    _attributes(group, NX_class="NXentry")
    if streams:
        _attributes(group, default=next(iter(group)))
    return {name: total for stream in streams.values() for name, total in stream.hashes.items()}


def _events(run: RunFile, file: h5py.File) -> None:
    group = file.create_group("events")
    _attributes(group, NX_class="NXcollection")
    wall, start = WallClock(run.clock_pairs), run.header.started_ns
    rows = [event_row(event) for event in run.events]
    times = np.array([event.time - start for event in run.events], np.int64)
    _column(group, "time", times / 1e9, units="s", start=run.header.started_utc)
    _column(group, "time_ns", times, units="ns")
    _words(group, "utc", [wall.at(event.time) for event in run.events])
    for name in ("kind", "subject", "text", "detail"):
        _words(group, name, [str(getattr(row, name)) for row in rows])
    _column(group, "value", np.array([np.nan if row.value is None else row.value for row in rows], float))


def _results(run: RunFile, file: h5py.File) -> None:
    group = file.create_group("results")
    _attributes(group, NX_class="NXcollection")
    names = Names()
    for filed in run.analyses:
        analysis = filed.analysis
        _analysis(group.create_group(names.take(f"{analysis.name}-{analysis.version}")), filed)


def _analysis(group: h5py.Group, filed: FiledAnalysis) -> None:
    analysis = filed.analysis
    _attributes(group, NX_class="NXcollection", analysis=analysis.name, version=analysis.version, filed_utc=filed.utc)
    _attributes(group, validity=analysis.validity.value, reasons="; ".join(analysis.reasons))
    _long_text(group, "json", to_json(analysis))
    results = analysis.results
    for name in ("name", "symbol"):
        _words(group, name, [str(getattr(one, name)) for one in results])
    for name in ("value", "u", "U", "coverage_factor", "dof"):
        _column(group, name, np.array([getattr(one, name) for one in results], float))
    inside = [shown(one) for one in results]
    _column(group, "shown_value", np.array([one.value for one in inside], float))
    _column(group, "shown_U", np.array([one.expanded for one in inside], float))
    _words(group, "shown_unit", [one.unit for one in inside])
    _words(group, "definition", [json.dumps(dict(one.definition), ensure_ascii=False) for one in results])


def _column(group: h5py.Group, name: str, values: np.ndarray, **attributes: str) -> None:
    """A short column of numbers; HDF5 keeps checksums of chunks only, and there are no chunks of nothing."""
    options = {"chunks": (len(values),), "fletcher32": True} if len(values) else {}
    _attributes(group.create_dataset(name, data=values, **options), **attributes)


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
