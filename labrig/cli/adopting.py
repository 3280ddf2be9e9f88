"""``labrig adopt``: what a blank run measured, written into a rig file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from labrig.config import find_rig, load_rig, shipped_rigs
from labrig.errors import ConfigError, RigError
from labrig.model import Validity
from labrig.recording import RunFile
from labrig.tomledit import with_values

RIG_FILE = "rig file"
"""Name of an analysis' table whose rows (table, key, value as TOML) belong into a rig file."""


def adopt(run_file: Path, rig: str) -> int:
    """Write what the newest analysis of the run measured of the rig into its file, whose former text stays as .bak.

    Raises `RigError` where the run has nothing for a rig file, or its analysis is invalid or of another rig, and
    `ConfigError` for a shipped rig file and for one that would not be sound afterwards; nothing is changed then.
    """
    path = find_rig(rig)
    if rig in shipped_rigs():
        raise ConfigError(path, "", "a rig file of your own: copy the shipped one first", rig)
    facts = _facts(run_file, load_rig(path).name)
    text = path.read_text(encoding="utf-8")
    for table, values in facts.items():
        text = with_values(text, table, values, str(path))
    part, kept = path.with_name(f"{path.name}.part.toml"), path.with_name(f"{path.name}.bak")
    try:
        part.write_text(text, encoding="utf-8")
        load_rig(part)
        shutil.copyfile(path, kept)
        os.replace(part, path)  # noqa: PTH105 - the one that is atomic on every system
    finally:
        part.unlink(missing_ok=True)
    for table, values in facts.items():
        for key, value in values.items():
            print(f"[{table}] {key} = {value}")
    print(f"{path} has them now; what it was before is in {kept}")
    return 0


def _facts(run_file: Path, rig: str) -> Mapping[str, Mapping[str, str]]:
    with RunFile(run_file) as run:
        header, filed = run.header, run.analyses
    found = [one.analysis for one in filed if one.analysis.tables.get(RIG_FILE)]
    if not found:
        raise RigError(
            f"{run_file} measured nothing that belongs into a rig file; a blank run does. Nothing was changed"
        )
    newest = found[-1]
    if newest.validity is Validity.INVALID:
        raise RigError(f"{run_file}: its result is invalid ({'; '.join(newest.reasons)}). Nothing was changed")
    if header.rig != rig:
        raise RigError(f"{run_file} was made on {header.rig}, and this file is of {rig}. Nothing was changed")
    facts: dict[str, dict[str, str]] = {}
    for row in newest.tables[RIG_FILE]:
        facts.setdefault(str(row["table"]), {})[str(row["key"])] = str(row["value"])
    return facts
