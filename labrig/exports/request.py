"""What a child process is asked to write, as JSON between the two."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from labrig.exports.stretch import Stretch

Format = Literal["csv", "hdf5", "excel", "parquet"]
FORMATS: Final[tuple[Format, ...]] = ("csv", "hdf5", "excel", "parquet")


class RunRequest(BaseModel):
    """The files of one run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run_file: Path
    formats: tuple[Format, ...]
    stretch: Stretch = Stretch()


class ResultsRequest(BaseModel):
    """One file with a table of results."""

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="constants")

    name: str
    """Of the file."""
    format: Literal["csv", "excel", "parquet"]
    rows: tuple[tuple[str | float | None, ...], ...]
    """In the columns of `labrig.exports.results.COLUMNS`."""
    about: dict[str, str]


class Request(BaseModel):
    """Either of them, and the folder to write into, which is the child's own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    folder: Path
    run: RunRequest | None = None
    results: ResultsRequest | None = None
