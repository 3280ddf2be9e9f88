"""Files for other programs from run files, made by a child process; docs/exports.md describes every column.

The child writes into a folder of its own, reads back and compares; only files that passed are moved to where they
belong. So a disk that fills up or a library that crashes leaves neither half a file nor a dead caller.
"""

from labrig.exports.export import ExportFailed, export, export_results
from labrig.exports.request import FORMATS, Format
from labrig.exports.results import rows_of
from labrig.exports.stretch import Stretch

__all__ = ["FORMATS", "ExportFailed", "Format", "Stretch", "export", "export_results", "rows_of"]
