"""Results that are filed in the run file they came from."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from labrig.errors import RecordingError
from labrig.model import Analysis
from labrig.recording import codec, schema
from labrig.recording.opening import explained, open_to_add
from labrig.recording.schema import TROUBLE
from labrig.recording.table import end_record, ignored


def add_analysis(path: Path, analysis: Analysis, *, now: datetime | None = None, wait: float = 5.0) -> int:
    """Add an analysis to a finished run file, beside those that are there; returns its number in the file.

    It stands outside the hash of the run's data. Raises `RecordingError` for a file without an end, and for one that
    another program holds for longer than ``wait`` seconds.
    """
    connection = open_to_add(path, wait)
    try:
        if end_record(connection, ignored) is None:
            raise RecordingError(f"{path}: the recording was cut off; recover the file first, then add results to it")
        connection.execute("BEGIN IMMEDIATE")
        (number,) = connection.execute("SELECT ifnull(max(id), 0) + 1 FROM analysis").fetchone()
        utc = (now or datetime.now(UTC)).isoformat(timespec="milliseconds")
        cells = schema.storable((number, analysis.name, analysis.version, utc, codec.to_json(analysis)))
        connection.execute(schema.insert("analysis"), (*cells, schema.crc(cells)))
        connection.execute("COMMIT")
    except TROUBLE as error:
        raise explained(path, error) from error
    finally:
        connection.close()
    return int(number)
