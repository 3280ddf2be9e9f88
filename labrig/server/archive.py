"""The runs of a folder, as papers; and what an earlier server left unfinished."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from labrig.errors import RecordingError, RigError
from labrig.recording import RunFile, recover
from labrig.shown import analysis_as_json
from labrig.wire.documents import RunPaper

log = logging.getLogger(__name__)
LEFT_OPEN: Final = ("-wal", "-reserve", "-journal")
"""What stands beside a run file while it is being written, and afterwards where that was cut off."""


class Archive:
    """Reads run files; the newest first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def newest(self, most: int, without: Path | None) -> tuple[RunPaper, ...]:
        """``without``: the file of the run that is going on."""
        paths = [path for path in self._paths() if path != without]
        papers = (self._read(path) for path in paths[:most])
        return tuple(paper for paper in papers if paper is not None)

    def one(self, run: str) -> RunPaper:
        """Raises `RigError` where no file holds that run."""
        for path in self._paths():
            if run[:8] in path.name:
                paper = self._read(path)
                if paper is not None and paper.run == run:
                    return paper
        raise RigError(f"no run {run} lies in {self._folder}")

    def recover_all(self) -> Iterator[str]:
        """Close what a killed server or a power cut left open; what happened to each, in words."""
        for path in self._paths():
            if not any(path.with_name(path.name + left).exists() for left in LEFT_OPEN):
                continue
            try:
                recovery = recover(path)
                if not recovery.changed:
                    continue
                samples = sum(total.samples for total in recovery.end.totals.values())
                outcome = recovery.end.outcome.value
                yield f"The run {path.stem} was cut off. {samples} samples were recovered; it is {outcome}."
            except RecordingError as error:
                log.warning("%s could not be recovered: %s", path.name, error)

    def _paths(self) -> list[Path]:
        return sorted(self._folder.glob("*.labrig"), reverse=True)

    def _read(self, path: Path) -> RunPaper | None:
        try:
            stat = path.stat()
            return _paper(path, stat.st_mtime_ns, stat.st_size)
        except (RecordingError, OSError) as error:
            log.info("%s is left out of the list: %s", path.name, error)
            return None


@lru_cache(maxsize=2000)
def _paper(path: Path, changed: int, size: int) -> RunPaper:
    """A finished run; read again only when its file is another."""
    del changed, size
    with RunFile(path) as run:
        header, analyses = run.header, run.analyses
        newest: dict[str, Any] | None = analysis_as_json(analyses[-1].analysis) if analyses else None
        return RunPaper(
            run=header.run_id,
            file=str(path),
            method=header.method,
            protocol=header.protocol,
            coupon=header.coupon.id,
            lot=header.coupon.lot,
            operator=header.operator,
            orientation=header.mounting.orientation.value,
            attended=False,
            started_utc=header.started_utc,
            started=header.started_ns,
            outcome=run.outcome.value,
            reason=run.reason,
            filed=True,
            analysis=newest,
            not_analysed="" if analyses else f"no analysis lies in its file, of a run that was {run.outcome.value}",
        )
