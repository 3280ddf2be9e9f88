"""The child process of an export: ``python -m labrig.exports``, with a `Request` as JSON on standard input.

It writes into the folder, which is its own, and prints the names of the files as JSON; on failure an object whose
``error`` says why.
"""

from __future__ import annotations

import errno
import json
import os
import sys
from pathlib import Path

from labrig.errors import LabrigError
from labrig.exports.files import checksums
from labrig.exports.request import Request, ResultsRequest, RunRequest
from labrig.recording import RunFile

DISK_FULL = "the disk is full; make room on it, or write to another folder with --into"


def main() -> int:
    """Write the files; 0 when all of them were read back and are the same."""
    try:
        request = Request.model_validate_json(sys.stdin.buffer.read())
        written = _run(request.run, request.folder) if request.run else []
        if request.results:
            written.append(_results(request.results, request.folder))
    except (LabrigError, OSError, RuntimeError) as error:  # h5py raises RuntimeError too
        text = DISK_FULL if _is_full(error) else " ".join(str(error).split())
        sys.stdout.write(json.dumps({"error": text}))
        return 1
    sys.stdout.write(json.dumps([one.name for one in written]))
    return 0


def _run(request: RunRequest, folder: Path) -> list[Path]:
    """Each library is loaded where its format is asked for."""
    stretch, stem = request.stretch, request.run_file.stem + request.stretch.suffix
    written: list[Path] = []
    with RunFile(request.run_file) as run:
        if "csv" in request.formats:
            from labrig.exports.run_csv import write_csv

            written += write_csv(run, folder, stem, stretch)
        if "hdf5" in request.formats:
            from labrig.exports.run_hdf5 import write_hdf5

            written.append(write_hdf5(run, folder, stem, stretch))
        if "excel" in request.formats:
            from labrig.exports.run_excel import write_excel

            written.append(write_excel(run, folder, stem, stretch))
        if "parquet" in request.formats:
            from labrig.exports.run_parquet import write_parquet

            written += write_parquet(run, folder, stem, stretch)
    return [*written, checksums(written, folder, stem)]


def _results(request: ResultsRequest, folder: Path) -> Path:
    from labrig.exports.results import table

    path, whole = folder / request.name, table(request.rows)
    if request.format == "csv":
        from labrig.exports.run_csv import write_table as write
    elif request.format == "excel":
        from labrig.exports.run_excel import write_table as write
    else:
        from labrig.exports.run_parquet import write_table as write
    return write(whole, path, request.about)


def _is_full(error: BaseException) -> bool:
    """HDF5 has the system's number only in its words."""
    words = (os.strerror(errno.ENOSPC), f"errno = {errno.ENOSPC}")
    return getattr(error, "errno", None) == errno.ENOSPC or any(each in str(error) for each in words)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Not sys.exit: after a full disk HDF5 crashes while it closes its files.
    os._exit(code)
