"""``labrig analyse``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console

from labrig.cli.comparing import Difference, differences
from labrig.cli.selecting import Selected
from labrig.errors import LabrigError
from labrig.filing import FiledRun, file_again
from labrig.model import Analysis
from labrig.recording import RunFile
from labrig.shown import analysis_as_json


def analyse(selected: Selected, protocol: str, *, as_json: bool) -> int:
    """Analyse each run anew and file the result beside the earlier ones; 1 where one has no result."""
    filed: list[tuple[FiledRun, Analysis | None]] = []
    failed: dict[str, str] = {}
    for path in selected.paths:
        try:
            before = _newest(path)
            run = file_again(path, str(Path(protocol).absolute()) if protocol.endswith(".py") else protocol)
        except LabrigError as error:
            failed[str(path)] = str(error)
            continue
        if run.not_analysed:
            failed[str(path)] = run.not_analysed
        else:
            filed.append((run, before))
    if as_json:
        print(json.dumps(_document(filed, failed), indent=2, default=str))
        return 1 if failed else 0
    console = Console(highlight=False)
    for run, before in filed:
        _show(console, run, before)
    for name, why in failed.items():
        print(f"labrig: {name}: not analysed: {why}", file=sys.stderr)
    return 1 if failed else 0


def _newest(path: Path) -> Analysis | None:
    with RunFile(path) as run:
        filed = run.analyses
    return filed[-1].analysis if filed else None


def _document(filed: list[tuple[FiledRun, Analysis | None]], failed: dict[str, str]) -> dict[str, Any]:
    found: dict[str, list[dict[str, str]]] = {
        str(run.path): [] if run.analysis is None or before is None else
        [{"what": one.what, "before": one.before, "after": one.after} for one in differences(before, run.analysis)]
        for run, before in filed
    }  # fmt: skip
    analyses = {str(run.path): analysis_as_json(run.analysis) for run, _ in filed}
    return {"analysed": analyses, "differences": found, "failed": failed}


def _show(console: Console, run: FiledRun, before: Analysis | None) -> None:
    after = run.analysis
    if after is None:
        return
    console.print(f"{run.path}", soft_wrap=True, markup=False)
    console.print(f"  {after.name} version {after.version}, {after.validity.value}; filed")
    if before is None:
        console.print("  the first analysis of this run")
        return
    found = differences(before, after)
    console.print(f"  beside version {before.version}: {'what differs:' if found else 'every number is the same'}")
    for one in found:
        console.print(f"    {_words(one)}", markup=False, soft_wrap=True)


def _words(one: Difference) -> str:
    return f"{one.what}: {one.before or '–'} -> {one.after or '–'}"
