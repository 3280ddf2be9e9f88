"""``labrig analyse``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from labrig.errors import LabrigError
from labrig.filing import FiledRun, file_again
from labrig.shown import analysis_as_json


def analyse(run_files: list[Path], *, as_json: bool) -> int:
    """Analyse each run anew and file the result beside the earlier ones; 1 where one has no result."""
    filed: list[FiledRun] = []
    failed: dict[str, str] = {}
    for path in run_files:
        try:
            filed.append(file_again(path))
        except LabrigError as error:
            failed[str(path)] = str(error)
    failed |= {str(run.path): run.not_analysed for run in filed if run.not_analysed}
    if as_json:
        analyses = {str(run.path): analysis_as_json(run.analysis) for run in filed if not run.not_analysed}
        print(json.dumps({"analysed": analyses, "failed": failed}, indent=2))
        return 1 if failed else 0
    for run in filed:
        if run.analysis is not None and not run.not_analysed:
            print(
                f"{run.path}: {run.analysis.name} version {run.analysis.version}, {run.analysis.validity.value}; filed"
            )
    for name, why in failed.items():
        print(f"labrig: {name}: not analysed: {why}", file=sys.stderr)
    return 1 if failed else 0
