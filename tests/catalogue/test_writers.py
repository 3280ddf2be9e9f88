"""Several writers at once, a kill in the middle, a full disk: what was acknowledged is there, and the rest is whole."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from labrig.catalogue import CouponEntry, Filter, check, open_catalogue, rebuild
from labrig.catalogue.database import Database
from labrig.errors import CatalogueError
from tests.catalogue.lab import rows

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def entering(data: Path, name: str, count: int, *more: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.catalogue.entering", str(data), name, str(count), *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str], lines: int = -1) -> list[str]:
    """What it prints, to its end or so many lines."""
    assert process.stdout is not None
    found: list[str] = []
    for line in process.stdout:
        found.append(line.strip())
        if len(found) == lines:
            break
    return found


def test_two_processes_may_enter_at_once(tmp_path: Path) -> None:
    store = open_catalogue(tmp_path).store

    with entering(tmp_path, "A", 8) as one, entering(tmp_path, "B", 8) as other:
        acknowledged = {*said(one), *said(other)}

    assert acknowledged == {f"{name}-{number}" for name in "AB" for number in range(8)}
    assert {row.id for row in open_catalogue(tmp_path).coupons()} == acknowledged
    assert check(tmp_path) == ()
    before = rows(store)
    assert rebuild(tmp_path).different == {}
    assert rows(store) == before


@pytest.mark.parametrize("after", [1, 4, 9])
def test_a_kill_costs_nothing_that_was_acknowledged(tmp_path: Path, after: int) -> None:
    open_catalogue(tmp_path)

    with entering(tmp_path, "A", 1000) as process:
        acknowledged = said(process, after)
        process.kill()
        acknowledged += said(process)

    catalogue = open_catalogue(tmp_path)
    there = {row.id for row in catalogue.coupons(Filter(text="A"), limit=1000)}
    assert set(acknowledged) <= there
    assert len(there) <= len(acknowledged) + 1
    assert catalogue.store.enter([CouponEntry(id="B-1")], by="B") == len(there) + 1
    assert check(tmp_path) == ()
    assert rebuild(tmp_path).different == {}


@pytest.mark.skipif(sys.platform == "win32", reason="a limit on the size of files is POSIX's")
@pytest.mark.parametrize("room", ["ledger", "database"])
def test_a_full_disk_leaves_the_catalogue_as_it_was(tmp_path: Path, room: str) -> None:
    """The ledger is the smaller file here and the log of the database the larger: one of both meets its end first."""
    with entering(tmp_path, "A", 6) as process:
        first = said(process)
    ledger = tmp_path / "entries.jsonl"
    most = ledger.stat().st_size + 700 if room == "ledger" else 200_000
    before = rows(open_catalogue(tmp_path).store)

    with entering(tmp_path, "B", 400, str(most)) as process:
        *entered, words = said(process)

    assert "disk" in words or "too large" in words
    catalogue = open_catalogue(tmp_path)
    there = {row.id for row in catalogue.coupons(limit=1000)}
    assert {*first, *entered} <= there
    assert len(there) <= len(first) + len(entered) + 1
    assert before.keys() == rows(catalogue.store).keys()
    assert check(tmp_path) == ()
    assert catalogue.store.enter([CouponEntry(id="C-1")], by="C") == len(there) + 1


def test_a_writer_that_does_not_end_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    open_catalogue(tmp_path)
    database = Database(tmp_path)

    with (
        database.locked(),
        pytest.raises(CatalogueError, match="another program has been writing"),
        Database(tmp_path).locked(wait=0.05),
    ):
        pass


def test_readers_are_served_while_somebody_writes(tmp_path: Path) -> None:
    catalogue = open_catalogue(tmp_path)
    catalogue.store.enter([CouponEntry(id="C-1")], by="Ada")

    with catalogue.store.writing() as session:
        session.flush()
        assert [row.id for row in catalogue.coupons()] == ["C-1"]
