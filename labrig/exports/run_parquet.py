"""A run as Parquet files, one for each table, with units and the facts of the run in their schemas."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.parquet as pq

from labrig.errors import RecordingError
from labrig.exports.facts import about_samples, facts
from labrig.exports.files import sync
from labrig.exports.streams import Key, Names, channels, si_symbol
from labrig.exports.stretch import Column, Rows, Stretch, columns, sample_rows
from labrig.exports.tables import UNITS, Cell, Table, missing, tables
from labrig.model import Channel
from labrig.recording import RunFile

if TYPE_CHECKING:
    from hashlib import _Hash

_TYPES: Final = {"i8": pa.int64(), "f8": pa.float64(), "u1": pa.uint8()}
_OPTIONS: Final = {"compression": "zstd", "write_page_checksum": True}


def write_parquet(run: RunFile, folder: Path, stem: str, stretch: Stretch) -> list[Path]:
    """Write all tables of a run into a folder; returns their paths. Each is read back and compared."""
    names, known = Names("events", "results", "budget"), facts(run)
    written = _samples(run, folder, stem, stretch, names)
    for table in tables(run, names):
        written.append(write_table(table, folder / f"{stem}.{table.name}.parquet", known))
    return written


def write_table(table: Table, path: Path, about: Mapping[str, str]) -> Path:
    """A table; what has no value is null."""
    kinds = [pa.float64() if numeric else pa.string() for numeric in table.numeric]
    fields = [
        pa.field(name, kind, metadata={"unit": UNITS[name]} if name in UNITS else None)
        for name, kind in zip(table.columns, kinds, strict=True)
    ]
    schema = pa.schema(fields, metadata=_metadata({**about, **table.notes}))
    values = [pa.array(_column(table.column(at)), kind) for at, kind in enumerate(kinds)]
    whole = pa.Table.from_arrays(values, schema=schema)
    pq.write_table(whole, path, **_OPTIONS)
    sync(path)
    if not pq.read_table(path, page_checksum_verification=True).equals(whole, check_metadata=True):
        raise RecordingError(f"{path.name}: what was read back differs from what was written")
    return path


class _Stream:
    """One file of samples, a row group for each piece."""

    def __init__(self, path: Path, its: Sequence[Channel], stretch: Stretch, about: Mapping[str, str]) -> None:
        self.path = path
        self._columns = columns(its, stretch)
        by_name = {channel.name: channel for channel in its}
        fields = [
            pa.field(one.name, _TYPES[one.kind], metadata=_metadata(_of_column(one, by_name))) for one in self._columns
        ]
        self._schema = pa.schema(fields, metadata=_metadata(about))
        self._writer = pq.ParquetWriter(path, self._schema, **_OPTIONS)
        self._hashes: list[_Hash] = [hashlib.sha256() for _ in self._columns]

    def append(self, rows: Rows) -> None:
        self._writer.write_table(pa.Table.from_arrays([pa.array(one) for one in rows.arrays], schema=self._schema))
        for total, array in zip(self._hashes, rows.arrays, strict=True):
            total.update(array.tobytes())

    def close(self) -> None:
        self._writer.close()

    def compare(self) -> None:
        """Bring it to the disk, then read every value back."""
        sync(self.path)
        found = [hashlib.sha256() for _ in self._columns]
        with pq.ParquetFile(self.path, page_checksum_verification=True) as file:
            for number in range(file.num_row_groups):
                group = file.read_row_group(number)
                for total, column in zip(found, group.columns, strict=True):
                    total.update(column.to_numpy().tobytes())
        if [total.digest() for total in found] != [total.digest() for total in self._hashes]:
            raise RecordingError(f"{self.path.name}: what was read back differs from what was written")


def _samples(run: RunFile, folder: Path, stem: str, stretch: Stretch, names: Names) -> list[Path]:
    known, streams = channels(run), dict[Key, _Stream]()
    with ExitStack() as files:
        for key, rows in sample_rows(run, known, stretch):
            if key not in streams:
                source, its = key[0], [known[name] for name in key[1]]
                about = {**facts(run), **about_samples(source, its, stretch)}
                streams[key] = _Stream(folder / f"{stem}.{names.take(source)}.parquet", its, stretch, about)
                files.callback(streams[key].close)
            streams[key].append(rows)
    for stream in streams.values():
        stream.compare()
    return [stream.path for stream in streams.values()]


def _of_column(column: Column, channels_: Mapping[str, Channel]) -> dict[str, str]:
    found = {"unit": column.unit} if column.unit else {}
    channel = channels_.get(column.channel)
    if channel is None or column.kind != "f8":
        return found
    return found | {
        "long_name": channel.label or channel.name,
        "channel": channel.name,
        "si_unit": si_symbol(channel.unit),
        "si_factor": repr(channel.unit.factor),
        "si_offset": repr(channel.unit.offset),
        "raw_unit": channel.raw_unit,
        "coefficients": json.dumps(channel.calibration.coefficients),
        "certificate": channel.calibration.certificate,
    }


def _metadata(about: Mapping[str, str]) -> dict[str, str]:
    return {_text(key): _text(value) for key, value in about.items()}


def _column(cells: Sequence[Cell]) -> list[Cell]:
    return [_text(cell) if isinstance(cell, str) else None if missing(cell) else cell for cell in cells]


def _text(text: str) -> str:
    """Parquet takes only valid UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()
