"""One SQLite file per run: the recorder that writes it, the reader, and what checks and recovers it.

A run file (``.labrig``) is whole by itself once it is closed or recovered; docs/run-file.md describes its tables.
"""

from labrig.recording.analyses import add_analysis
from labrig.recording.memory import MemoryRun
from labrig.recording.reader import RunFile
from labrig.recording.recorder import Recorder
from labrig.recording.records import End, FiledAnalysis, Recovery, Totals, Verification
from labrig.recording.recovery import recover

__all__ = [
    "End",
    "FiledAnalysis",
    "MemoryRun",
    "Recorder",
    "Recovery",
    "RunFile",
    "Totals",
    "Verification",
    "add_analysis",
    "recover",
]
