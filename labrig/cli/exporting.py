"""``labrig export``."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection
from pathlib import Path

from labrig.cli.selecting import Selected
from labrig.errors import ConfigError, LabrigError, UnitError
from labrig.exports import FORMATS, Format, Stretch, export_results, rows_of
from labrig.exports import export as write
from labrig.units import parse


def stretch_of(start: str, end: str, every: str, *, first: bool) -> Stretch:
    """The options as a stretch; raises `ConfigError` for what is no time, and `RecordingError` for no stretch."""
    return Stretch(_seconds("--from", start), _seconds("--to", end), _seconds("--every", every) or 0.0, first)


def formats_of(stretch: Stretch, **asked: bool) -> tuple[Format, ...]:
    """What was asked for; else CSV, and HDF5 where every sample is wanted."""
    chosen = tuple(form for form in FORMATS if asked[form])
    return chosen or (("csv",) if stretch.every else ("csv", "hdf5"))


def export(
    selected: Selected,
    formats: Collection[Format],
    stretch: Stretch,
    into: Path | None,
    results: Path | None,
    *,
    as_json: bool,
) -> int:
    """Export each run; one that fails does not stop the next. 0 if all were written."""
    written: dict[str, list[str]] = {}
    failed: dict[str, str] = {}
    if results is not None:
        written, failed = _results(selected, results)
    for path in selected.paths if results is None else ():
        try:
            written[str(path)] = [str(made) for made in write(path, into or path.parent, formats, stretch)]
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


def _results(selected: Selected, target: Path) -> tuple[dict[str, list[str]], dict[str, str]]:
    """One table of all results; a run that cannot be read is told, in the file as well."""
    rows, failed = [], dict[str, str]()
    for path in selected.paths:
        try:
            rows += rows_of([path], selected.coupon)
        except LabrigError as error:
            failed[str(path)] = str(error)
    about = {"file": "made by labrig from run files", "runs": str(len(selected.paths) - len(failed))}
    about |= {f"missing {Path(name).name}": why for name, why in failed.items()}
    made = export_results(rows, target, about)
    return {"results": [str(made)]}, failed


def _seconds(option: str, text: str) -> float | None:
    try:
        return parse(text, "time") if text else None
    except UnitError as error:
        raise ConfigError(option, "", str(error), text) from error
