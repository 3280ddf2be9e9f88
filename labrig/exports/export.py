"""The parent's side of an export: start the child, then put its files in place."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final, Literal, get_args

from labrig.errors import RecordingError

Format = Literal["csv", "hdf5"]
Replace = Callable[[Path, Path], object]

_ALTERNATIVES: Final = 50


class ExportFailed(RecordingError):
    """An export could not be made; the run file is as it was."""


def export(run_file: Path, target_dir: Path, formats: Collection[Format] = ("csv", "hdf5")) -> list[Path]:
    """Make the files of these formats from a closed or recovered run file; returns where they are.

    A file of the same name is replaced; one that another program keeps open (Excel does) is left, and the new one gets
    a number in parentheses. Raises `ExportFailed` with the reason, and leaves nothing behind then.
    """
    if not formats:
        raise ExportFailed("no export format was asked for; there are csv and hdf5")
    unknown = set(formats) - set(get_args(Format))
    if unknown:
        raise ExportFailed(f"unknown export formats {', '.join(sorted(unknown))}; known are csv and hdf5")
    try:
        target_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{run_file.stem}-", suffix=".part", dir=target_dir) as work:
            names = _made(run_file, Path(work), formats)
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


def _made(run_file: Path, work: Path, formats: Collection[Format]) -> list[str]:
    command = [sys.executable, "-m", "labrig.exports", str(run_file.absolute()), str(work), *sorted(set(formats))]
    # HDF5 loads no filter plug-ins then, wherever HDF5_PLUGIN_PATH may point.
    environment = os.environ | {"HDF5_PLUGIN_PRELOAD": "::", "PYTHONIOENCODING": "utf-8"}
    child = subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # of Windows only, where a desktop calls
    )
    if child.returncode != 0:
        raise ExportFailed(
            f"{run_file}: the export failed: {_reason(child.returncode, child.stderr)}. Nothing was written, and the "
            "run file is as it was"
        )
    names: list[str] = json.loads(child.stdout)
    return names


def _reason(code: int, said: str) -> str:
    if code < 0:
        return f"its process was ended by {signal.Signals(-code).name}"
    lines = said.strip().splitlines()
    return lines[-1] if lines else f"its process ended with code {code}"


def _sync(folder: Path) -> None:
    if sys.platform == "win32":
        return
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
