"""From run files and ledger alone the same catalogue comes out, row by row, in whatever order things happened."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labrig.catalogue import CouponEntry, Filter, LotEntry, OperatorEntry, Store, check, open_catalogue, rebuild
from labrig.errors import CatalogueError
from labrig.model import Condition, Coupon
from labrig.units import um
from tests.catalogue.lab import analyse, record, rows


def a_week(data: Path) -> Store:
    """People and runs in turn."""
    store = open_catalogue(data).store
    store.enter([LotEntry(name="L-4", family="PSU"), CouponEntry(id="C-1", lot="L-4", sheet="S-1")], by="Ada")
    first = record(data, 1, Coupon("C-1", lot="L-4"))
    store.file_run(first)
    store.file_run(record(data, 2, Coupon("C-2", lot="L-44"), leaves=Condition.FOULED, operator="Bo"))
    store.enter([CouponEntry(id="C-2", lot="L-4", thickness=(99 * um,))], by="Bo", reason="label")
    analyse(first, 4.2, version="2")
    store.file_run(first)
    store.enter(
        [OperatorEntry(name="Bo", full_name="Bo Berg"), CouponEntry(id="C-1", condition=Condition.BROKEN)], by="Bo"
    )
    store.file_run(record(data, 3, Coupon("C-3"), value=None))
    return store


def test_a_rebuilt_catalogue_is_the_same_row_by_row(tmp_path: Path) -> None:
    store = a_week(tmp_path)
    before = rows(store)

    rebuilt = rebuild(tmp_path)

    assert (rebuilt.runs, rebuilt.entries, rebuilt.failed, rebuilt.different) == (3, 3, {}, {})
    assert rows(store) == before
    assert all(before[table] for table in before if table != "attachment")
    assert check(tmp_path) == ()


def test_searches_find_the_same_after_a_rebuild(tmp_path: Path) -> None:
    a_week(tmp_path)
    catalogue = open_catalogue(tmp_path)
    wanted = [Filter(text="c-2"), Filter(family="PSU"), Filter(operator="Bo"), Filter(symbol="p25", low=0.0)]
    before = [catalogue.coupons(one) for one in wanted]

    rebuild(tmp_path)

    assert [catalogue.coupons(one) for one in wanted] == before
    assert all(before)


STEPS: dict[str, Callable[[Store, int], object]] = {
    "lot": lambda store, n: store.enter([LotEntry(name=f"L-{n}", family=f"F{n}")], by="Ada"),
    "coupon": lambda store, n: store.enter([CouponEntry(id=f"C-{n}", lot=f"L-{n % 2}", sheet="S-1")], by="Ada"),
    "no lot": lambda store, n: store.enter([CouponEntry(id=f"C-{n}", lot="", sheet="")], by="Ada"),
    "broken": lambda store, n: store.enter([CouponEntry(id=f"C-{n}", condition=Condition.BROKEN)], by="Ada"),
    "run": lambda store, n: store.file_run(record(store.data, n, Coupon(f"C-{n % 2}", lot=f"L-{n}"), value=None)),
    "analysis": lambda store, n: store.file_run(_analysed(store, n)),
}


def _analysed(store: Store, n: int) -> Path:
    path = record(store.data, n, Coupon(f"C-{n}", lot="L-1"), value=None)
    analyse(path, 4.0)
    return path


@settings(max_examples=8)
@given(st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 2)), max_size=8))
def test_the_order_of_runs_and_entries_leaves_no_trace(steps: list[tuple[str, int]]) -> None:
    with TemporaryDirectory() as folder:
        store = open_catalogue(Path(folder)).store
        recorded: set[int] = set()
        for step, n in steps:
            if step in {"run", "analysis"} and n in recorded:
                continue
            recorded |= {n} if step in {"run", "analysis"} else set()
            STEPS[step](store, n)
        before = rows(store)

        assert rebuild(Path(folder)).different == {}
        assert rows(store) == before


@pytest.mark.fault("STO-11")
def test_a_lost_or_damaged_database_costs_nothing(tmp_path: Path) -> None:
    store = a_week(tmp_path)
    before = rows(store)
    store.database.path.write_bytes(b"\0" * 5000)

    with pytest.raises(CatalogueError, match="labrig catalogue rebuild"):
        open_catalogue(tmp_path)
    rebuild(tmp_path)
    assert rows(store) == before

    store.database.remove()
    assert rows(open_catalogue(tmp_path).store) == before


def test_a_rebuild_does_not_lose_runs_whose_files_are_gone_without_being_told(tmp_path: Path) -> None:
    store = a_week(tmp_path)
    before = rows(store)
    (gone,) = (tmp_path / "runs").glob("*_C-3_*")
    gone.unlink()

    with pytest.raises(CatalogueError, match="1 runs of the catalogue have no file any more"):
        rebuild(tmp_path)
    assert rows(store) == before
    assert "the run's file is gone" in check(tmp_path)[0]

    assert rebuild(tmp_path, drop_missing=True).runs == 2
    assert open_catalogue(tmp_path).coupon("C-3") is None


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda lines: [lines[0].replace(b"L-4", b"L-5"), *lines[1:]], "line 2 does not follow"),
        (lambda lines: [lines[0], lines[2]], "line 2 does not follow"),
        (lambda lines: [lines[0], lines[2], lines[1]], "line 2 does not follow"),
        (lambda lines: [lines[0], b"{}\n", *lines[1:]], "line 2 cannot be read"),
        (lambda lines: [lines[0], lines[1].replace(b"thickness", b"thickn"), lines[2]], "line 2 cannot be read"),
    ],
)
def test_a_line_of_the_ledger_that_was_changed_taken_away_or_put_in_is_found(
    tmp_path: Path, damage: Callable[[list[bytes]], list[bytes]], words: str
) -> None:
    store = a_week(tmp_path)
    before = rows(store)
    lines = store.ledger.path.read_bytes().splitlines(keepends=True)
    store.ledger.path.write_bytes(b"".join(damage(lines)))

    assert words in check(tmp_path)[0]
    with pytest.raises(CatalogueError, match=words):
        rebuild(tmp_path)
    assert rows(store) == before


def test_entries_that_reached_the_ledger_alone_come_in_at_the_next_look(tmp_path: Path) -> None:
    """As after a kill between the ledger and the database."""
    store = a_week(tmp_path)
    with sqlite3.connect(tmp_path / "catalogue.db") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    older = (tmp_path / "catalogue.db").read_bytes()
    store.enter([CouponEntry(id="C-9", lot="L-4")], by="Ada")
    after = rows(store)
    for suffix in ("-wal", "-shm"):
        (tmp_path / f"catalogue.db{suffix}").unlink(missing_ok=True)
    (tmp_path / "catalogue.db").write_bytes(older)

    catalogue = open_catalogue(tmp_path)

    assert catalogue.coupon("C-9") is not None
    assert rows(catalogue.store) == after


def test_an_unfinished_last_line_never_counted_and_is_taken_away(tmp_path: Path) -> None:
    store = a_week(tmp_path)
    with store.ledger.path.open("ab") as file:
        file.write(b'{"labrig":1,"entry":4,')

    assert "the last line was cut off" in check(tmp_path)[0]
    assert open_catalogue(tmp_path).store.enter([CouponEntry(id="C-9")], by="Ada") == 4

    assert check(tmp_path) == ()
    assert json.loads(store.ledger.path.read_text(encoding="utf-8").splitlines()[-1])["entry"] == 4
