"""``labrig recover``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from labrig.errors import LabrigError
from labrig.recording import recover as close_file


def recover(run_files: list[Path], *, as_json: bool) -> int:
    """Recover each file; one that cannot be does not stop the next. 0 if all are whole now."""
    found: dict[str, dict[str, object]] = {}
    failed: dict[str, str] = {}
    for path in run_files:
        try:
            recovery = close_file(path)
        except LabrigError as error:
            failed[str(path)] = str(error)
            continue
        samples = {source: totals.samples for source, totals in recovery.end.totals.items()}
        found[str(path)] = {
            "changed": recovery.changed,
            "outcome": recovery.end.outcome.value,
            "samples": samples,
            "damaged": list(recovery.end.damaged),
        }
    if as_json:
        print(json.dumps({"recovered": found, "failed": failed}, indent=2))
        return 1 if failed else 0
    for name, facts in found.items():
        done = "recovered" if facts["changed"] else "was whole already"
        print(f"{name}: {done}; {facts['outcome']}; samples {facts['samples']}")
        for damage in facts["damaged"] if isinstance(facts["damaged"], list) else ():
            print(f"    damaged: {damage}")
    for name, why in failed.items():
        print(f"labrig: {name}: {why}", file=sys.stderr)
    return 1 if failed else 0
