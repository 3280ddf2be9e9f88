"""Installed as ``sitecustomize`` for a rig's processes: each tells which modules it imports, a file a process."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_TOLD = Path(os.environ["LABRIG_IMPORTS"]) / str(os.getpid())


def _tell(event: str, arguments: tuple[object, ...]) -> None:
    if event == "import":
        with _TOLD.open("a", encoding="utf-8") as file:
            file.write(f"{arguments[0]}\n")


sys.addaudithook(_tell)
