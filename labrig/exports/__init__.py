"""CSV and HDF5 files from a run file, made by a child process; docs/exports.md describes every column.

The child writes into a folder of its own, reads back and compares; only files that passed are moved to where they
belong. So a disk that fills up or a library that crashes leaves neither half a file nor a dead caller.
"""

from labrig.exports.export import ExportFailed, Format, export

__all__ = ["ExportFailed", "Format", "export"]
