"""Runs of this server that are over: each is filed by a child, and what became of that is remembered."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from labrig.server import children
from labrig.wire.documents import RunPaper

KEPT: Final = 200


class Finished:
    """By file; the newest is ``last``. A run that is ``filed`` has an analysis in its file, or words why not."""

    def __init__(
        self, changed: Callable[[], None], analyse: Callable[[Path], dict[str, Any]] = children.file_run
    ) -> None:
        """``analyse`` raises `children.ChildFailed`."""
        self._changed, self._analyse = changed, analyse
        self._turn = threading.Lock()
        """One run after the other: on a small computer many analyses at once would take the rig's processor."""
        self._papers: dict[str, RunPaper] = {}
        self.last: RunPaper | None = None

    def file(self, paper: RunPaper) -> None:
        """Have a run analysed; returns when that is over. The paper is known from the beginning."""
        self._know(paper)
        try:
            with self._turn:
                answer = self._analyse(Path(paper.file))
        except children.ChildFailed as error:
            words = f"{error}. The run's file is whole; analyse it again with: labrig analyse {paper.file}"
            answer = {"not_analysed": words}
        self._know(paper.model_copy(update={"filed": True, **answer}))

    def as_known(self, paper: RunPaper) -> RunPaper:
        """A run of the folder, with what is known only here of its filing: that it goes on, or why it failed."""
        known = self._papers.get(paper.file)
        if known is None or paper.analysis is not None:
            return paper
        return paper.model_copy(update={"filed": known.filed, "not_analysed": known.not_analysed})

    def _know(self, paper: RunPaper) -> None:
        papers = {**self._papers, paper.file: paper}
        for old in tuple(papers)[:-KEPT]:
            del papers[old]
        self._papers = papers
        if self.last is None or self.last.started <= paper.started:
            self.last = paper
        self._changed()
