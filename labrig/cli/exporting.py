"""``labrig export``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Literal

from labrig.errors import LabrigError
from labrig.exports import export as write


def export(run_files: list[Path], to: Path | None, *, csv: bool, hdf5: bool, as_json: bool) -> int:
    """Export each file; one that fails does not stop the next. 0 if all were written."""
    wanted: tuple[tuple[Literal["csv", "hdf5"], bool], ...] = (("csv", csv), ("hdf5", hdf5))
    formats = {name for name, asked in wanted if asked}
    written: dict[str, list[str]] = {}
    failed: dict[str, str] = {}
    for path in run_files:
        try:
            written[str(path)] = [str(made) for made in write(path, to or path.parent, formats)]
        except LabrigError as error:
            failed[str(path)] = str(error)
    if as_json:
        print(json.dumps({"written": written, "failed": failed}, indent=2))
    else:
        for made in written.values():
            print("\n".join(made))
        for path_text, why in failed.items():
            print(f"labrig: {path_text}: {why}", file=sys.stderr)
    return 1 if failed else 0
