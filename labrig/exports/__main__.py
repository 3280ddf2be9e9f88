"""The child process of an export: ``python -m labrig.exports RUN_FILE FOLDER FORMAT...``.

It writes into the folder, which is its own, and prints the names of the files as JSON. On failure it says why in the
last line of its standard error.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from labrig.errors import LabrigError
from labrig.exports.files import checksums
from labrig.exports.run_csv import write_csv
from labrig.recording import RunFile


def main(run_file: str, folder: str, *formats: str) -> int:
    """Write the files; 0 when all of them were read back and are the same."""
    try:
        with RunFile(Path(run_file)) as run:
            written = []
            if "csv" in formats:
                written += write_csv(run, Path(folder))
            if "hdf5" in formats:
                from labrig.exports.run_hdf5 import write_hdf5

                written.append(write_hdf5(run, Path(folder)))
            written.append(checksums(written, Path(folder), run.path.stem))
    except (LabrigError, OSError, RuntimeError) as error:  # h5py raises RuntimeError too
        text = " ".join(str(error).split())
        sys.stderr.write(f"\n{text}\n")
        return 1
    sys.stdout.write(json.dumps([one.name for one in written]))
    return 0


if __name__ == "__main__":
    code = main(*sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # Not sys.exit: after a full disk HDF5 crashes while it closes its files.
    os._exit(code)
