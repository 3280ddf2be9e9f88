"""The parent's side of an export: start the child, then put its files in place."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Final, Literal

from labrig.errors import RecordingError
from labrig.exports.request import FORMATS, Format, Request, ResultsRequest, RunRequest
from labrig.exports.results import Row
from labrig.exports.stretch import Stretch

Replace = Callable[[Path, Path], object]
PART: Final = ".part"
TABLES: Final[dict[str, Literal["csv", "excel", "parquet"]]] = {
    ".csv": "csv", ".xlsx": "excel", ".parquet": "parquet"
}  # fmt: skip
"""Formats of a table of results, by the ending of its file's name."""
_ALTERNATIVES: Final = 50
_ABANDONED: Final = 3600.0
"""Seconds without a change after which what another export was writing belongs to nobody."""


class ExportFailed(RecordingError):
    """An export could not be made; the run file is as it was."""


def export(
    run_file: Path,
    target_dir: Path,
    formats: Collection[Format] = ("csv", "hdf5"),
    stretch: Stretch = Stretch(),  # noqa: B008 - frozen
) -> list[Path]:
    """Make the files of these formats from a closed or recovered run file; returns where they are.

    A file of the same name is replaced; one that another program keeps open (Excel does) is left, and the new one gets
    a number in parentheses. Raises `ExportFailed` with the reason, and leaves nothing behind then.
    """
    if not formats:
        raise ExportFailed(f"no export format was asked for; there are {_listed(FORMATS)}")
    unknown = set(formats) - set(FORMATS)
    if unknown:
        raise ExportFailed(f"unknown export formats {', '.join(sorted(unknown))}; known are {_listed(FORMATS)}")
    if "hdf5" in formats and stretch.every:
        raise ExportFailed(
            "an HDF5 file holds every sample as it was delivered, so there is none of one row every "
            f"{stretch.every:g} s; export CSV, Excel or Parquet, or leave out --every"
        )
    request = RunRequest(
        run_file=run_file.absolute(), formats=tuple(f for f in FORMATS if f in formats), stretch=stretch
    )
    end = f"Nothing was written, and {run_file} is as it was"
    return _placed(lambda work: Request(folder=work, run=request), target_dir, run_file.stem, end)


def export_results(rows: Sequence[Row], target: Path, about: dict[str, str]) -> Path:
    """Make one table of results (`labrig.exports.results`); its format follows from the file's ending.

    Raises `ExportFailed`, and leaves what was there.
    """
    form = TABLES.get(target.suffix.lower())
    if form is None:
        raise ExportFailed(f"{target}: the ending says the format: {_listed(tuple(TABLES))}")
    request = ResultsRequest(name=target.name, format=form, rows=tuple(rows), about=about)
    made = _placed(
        lambda work: Request(folder=work, results=request), target.parent, target.stem, "Nothing was written"
    )
    return made[0]


def _placed(request: Callable[[Path], Request], target_dir: Path, stem: str, end: str) -> list[Path]:
    """What the child wrote, moved to its place."""
    try:
        target_dir.mkdir(parents=True, exist_ok=True)
        _clear(target_dir, f".{stem}-")
        with tempfile.TemporaryDirectory(prefix=f".{stem}-", suffix=PART, dir=target_dir) as work:
            names = _made(request(Path(work)), end)
            placed = [place(Path(work) / name, target_dir / name) for name in names]
    except OSError as error:
        raise ExportFailed(f"{target_dir}: the export could not be written ({error.strerror or error})") from error
    _sync(target_dir)
    return placed


def place(part: Path, target: Path, replace: Replace = os.replace) -> Path:
    """Move a finished file to its place, or beside it where the place is held by another program; returns where."""
    for number in range(1, _ALTERNATIVES + 1):
        chosen = target if number == 1 else target.with_name(f"{target.stem} ({number}){target.suffix}")
        try:
            replace(part, chosen)
        except PermissionError:
            if number == _ALTERNATIVES:
                raise
        else:
            return chosen
    raise AssertionError("the last alternative either was taken or raised")


def _clear(folder: Path, prefix: str) -> None:
    """Remove what an export that was killed left behind: hidden, unfinished, and untouched for an hour."""
    for part in folder.glob(f"{prefix}*{PART}"):
        newest = max(one.stat().st_mtime for one in (part, *part.glob("*")))
        if time.time() - newest > _ABANDONED:
            shutil.rmtree(part, ignore_errors=True)


def _made(request: Request, end: str) -> list[str]:
    # HDF5 loads no filter plug-ins then, wherever HDF5_PLUGIN_PATH may point.
    environment = os.environ | {"HDF5_PLUGIN_PRELOAD": "::", "PYTHONIOENCODING": "utf-8"}
    child = subprocess.run(
        [sys.executable, "-m", "labrig.exports"],
        env=environment,
        input=request.model_dump_json(),
        capture_output=True,
        encoding="utf-8",
        check=False,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # of Windows only, where a desktop calls
    )
    if child.returncode != 0:
        raise ExportFailed(f"the export failed: {_reason(child.returncode, child.stdout, child.stderr)}. {end}")
    names: list[str] = json.loads(child.stdout)
    return names


def _reason(code: int, answer: str, said: str) -> str:
    """What the child answered; else how it ended, and the last that was heard of it."""
    if answer.startswith('{"error"'):
        return str(json.loads(answer)["error"])
    if code < 0:
        return f"its process was ended by {signal.Signals(-code).name}"
    lines = said.strip().splitlines()
    return lines[-1] if lines else f"its process ended with code {code}"


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _sync(folder: Path) -> None:
    if sys.platform == "win32":
        return
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
