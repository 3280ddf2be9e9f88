"""Every search is driven by an index that has the rows in the order asked for, so that it ends at its limit."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from labrig.catalogue import Catalogue, Filter, open_catalogue
from labrig.model import Condition, Outcome

SEARCHES: dict[str, Callable[[Catalogue], object]] = {
    "everything": lambda lab: lab.coupons(),
    "text": lambda lab: lab.coupons(Filter(text="psu")),
    "text in a lot": lambda lab: lab.coupons(Filter(text="psu", lot="L-4")),
    "lot": lambda lab: lab.coupons(Filter(lot="L-4")),
    "sheet": lambda lab: lab.coupons(Filter(lot="L-4", sheet="S-1")),
    "family": lambda lab: lab.coupons(Filter(family="PSU")),
    "condition": lambda lab: lab.coupons(Filter(condition=Condition.BROKEN)),
    "operator": lambda lab: lab.coupons(Filter(operator="Ada")),
    "family and operator": lambda lab: lab.coupons(Filter(family="PSU", operator="Ada")),
    "outcome": lambda lab: lab.runs(Filter(outcome=Outcome.TRIPPED)),
    "method": lambda lab: lab.runs(Filter(method="quick-permeability")),
    "coupon's runs": lambda lab: lab.runs(Filter(coupon="C-17")),
}
SORTED = {"coupon's runs"}
"""The runs of one coupon are few."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    return open_catalogue(tmp_path_factory.mktemp("lab"))


@contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    """What is asked of the database meanwhile."""
    asked: list[tuple[str, Any]] = []

    def note(*told: Any) -> None:  # noqa: ANN401 - SQLAlchemy's: connection, cursor, statement, values, context, many
        if told[2].lstrip().startswith("SELECT"):
            asked.append((told[2], told[3]))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@pytest.mark.parametrize("search", SEARCHES)
def test_no_search_goes_through_a_table_or_sorts_it(lab: Catalogue, search: str) -> None:
    with statements() as asked:
        SEARCHES[search](lab)
    with closing(sqlite3.connect(Path(lab.path))) as connection:
        plans = [
            row[3]
            for statement, values in asked
            for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)
        ]

    assert plans
    through = [line for line in plans if line.startswith("SCAN") and "INDEX" not in line and "subquery" not in line]
    assert [line for line in through if line != "SCAN CONSTANT ROW"] == []
    assert [line for line in plans if "TEMP B-TREE" in line] == [] or search in SORTED
