"""What is known of the runs that are over, without any process."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from labrig.server.children import ChildFailed
from labrig.server.finished import Finished
from labrig.wire.documents import RunPaper


def paper(number: int) -> RunPaper:
    return RunPaper(
        run=f"r{number}",
        file=f"{number}.labrig",
        method="quick 1",
        protocol="water-permeability",
        coupon="T-1",
        lot="",
        operator="tester",
        orientation="skin-up",
        attended=False,
        started_utc="2026-01-01T00:00:00+00:00",
        started=number,
        outcome="completed",
    )


def test_runs_that_end_together_are_analysed_one_after_the_other() -> None:
    busy, together = threading.Lock(), threading.Event()
    waited: list[bool] = []

    def analyse(path: Path) -> dict[str, Any]:
        waited.append(busy.acquire(blocking=False))
        together.wait(0.02)
        busy.release()
        return {"not_analysed": path.name}

    finished = Finished(lambda: None, analyse)
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(finished.file, map(paper, range(5))))

    assert waited == [True] * 5
    assert finished.last is not None
    assert finished.last.run == "r4"
    assert {finished.as_known(paper(number)).not_analysed for number in range(5)} == {f"{n}.labrig" for n in range(5)}


def test_a_filing_that_breaks_off_leaves_the_next_one_its_turn() -> None:
    def analyse(path: Path) -> dict[str, Any]:
        if path.name == "1.labrig":
            raise ChildFailed("labrig.filing broke off")
        return {}

    finished = Finished(lambda: None, analyse)
    finished.file(paper(1))
    finished.file(paper(2))

    assert "labrig analyse 1.labrig" in finished.as_known(paper(1)).not_analysed
    assert finished.as_known(paper(2)).filed
