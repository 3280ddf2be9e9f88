"""Searches over a large catalogue, beside the same questions as bare SQL.

Run it as ``python benchmarks/catalogue.py`` (``--coupons`` sets the size, ``--keep FOLDER`` keeps the catalogue for
the next time). It fills a catalogue with coupons of a thousand lots, a run on every fourth of them and a result of
each, and asks each question many times: once through `labrig.catalogue`, with connection, rows and frozen answers, and
once as one statement on an open connection of Python's `sqlite3` that fetches ids alone.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from labrig.catalogue import Catalogue, Filter, open_catalogue
from labrig.model import Condition, Outcome, Validity
from labrig.units import cm_per_min_per_psi

FAMILIES: Final = ("anisotropic PSU", "foam PU", "stretched PE", "stretched PP")
OPERATORS: Final = ("Ada", "Bo", "Chi", "Dov", "Eva")
LOTS: Final = 1000
RUN_ON: Final = 4
LIMIT: Final = 50
BEGIN: Final = datetime(2016, 1, 1, tzinfo=UTC)


def main() -> None:
    """Fill, ask, print a line a question."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--coupons", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data: Path = asked.keep or Path(folder)
        catalogue = open_catalogue(data)
        if not catalogue.coupons(limit=1):
            began = time.perf_counter()
            fill(catalogue.path, asked.coupons)
            print(f"filled {asked.coupons} coupons in {time.perf_counter() - began:.0f} s", flush=True)
        print(f"{catalogue.path.stat().st_size / 1e6:.0f} MB")
        with closing(sqlite3.connect(f"file:{catalogue.path}?mode=ro", uri=True)) as bare:
            for name, ask, statement, values in questions(catalogue, asked.coupons):
                ours = timed(ask, asked.times)
                report(name, ours, timed(partial(_fetched, bare, statement, values), asked.times))


def _fetched(bare: sqlite3.Connection, statement: str, values: tuple[Any, ...]) -> list[Any]:
    return bare.execute(statement, values).fetchall()


def questions(
    catalogue: Catalogue, coupons: int
) -> Iterator[tuple[str, Callable[[], Sequence[Any]], str, tuple[Any, ...]]]:
    """Name, the question through labrig, and as a statement with its values."""
    number = coupons // 3
    id_, barcode, lot = f"C-{number:07d}", f"{number:010d}", f"L-{number % LOTS:04d}"
    middle = (BEGIN + timedelta(days=1500)).date()
    newest = f"ORDER BY touched DESC, number DESC LIMIT {LIMIT}"
    of_run = "SELECT DISTINCT coupon FROM (SELECT coupon FROM run WHERE {} ORDER BY started DESC LIMIT 50)"
    of_result = "SELECT run FROM result WHERE newest AND symbol = 'p25' AND {} LIMIT 50"
    words = "SELECT rowid FROM coupon_words WHERE coupon_words MATCH ? ORDER BY rowid DESC LIMIT 50"
    low, high = 3.0 * cm_per_min_per_psi, 5.0 * cm_per_min_per_psi

    def found(**wanted: Any) -> Callable[[], Sequence[Any]]:  # noqa: ANN401 - fields of a Filter
        return lambda: catalogue.coupons(Filter(**wanted), limit=LIMIT)

    def results(**wanted: Any) -> Callable[[], Sequence[Any]]:  # noqa: ANN401 - as above
        return lambda: catalogue.results(Filter(**wanted), limit=LIMIT)

    yield "id", lambda: [catalogue.coupon(id_)], "SELECT id FROM coupon WHERE id = ?", (id_,)
    yield "barcode, scanned", found(text=barcode), "SELECT id FROM coupon WHERE barcode = ?", (barcode,)
    yield "text: beginning of an id", found(text=id_[:7]), words, (f'"{id_[:7]}"*',)
    yield "text: one letter", found(text="p"), words, ('"p"*',)
    yield "text: in a lot", found(text="c", lot=lot), words, (f'"c"* AND lot : "{lot}"',)
    yield "lot", found(lot=lot), f"SELECT id FROM coupon WHERE lot = ? {newest}", (lot,)
    yield "family", found(family=FAMILIES[1]), f"SELECT id FROM coupon WHERE family = ? {newest}", (FAMILIES[1],)
    yield (
        "condition, rare",
        found(condition=Condition.BROKEN),
        f"SELECT id FROM coupon WHERE condition = ? {newest}",
        ("broken",),
    )
    yield "operator", found(operator="Chi"), of_run.format("operator = ?"), ("Chi",)
    yield "outcome", found(outcome=Outcome.TRIPPED), of_run.format("outcome = ?"), ("tripped",)
    yield "day", found(since=middle, until=middle), of_run.format("started BETWEEN ? AND ?"), (
        f"{middle}T", f"{middle + timedelta(days=1)}T",
    )  # fmt: skip
    yield (
        "family and operator",
        found(family=FAMILIES[2], operator="Eva"),
        (
            "SELECT run.coupon FROM run JOIN coupon ON coupon.id = run.coupon WHERE operator = ? AND family = ? "
            "ORDER BY started DESC LIMIT 50"
        ),
        ("Eva", FAMILIES[2]),
    )
    yield (
        "results, wide range",
        results(symbol="p25", low=low, high=high),
        (of_result.format("+value BETWEEN ? AND ? ORDER BY started DESC")),
        (low, high),
    )
    yield (
        "results, narrow range",
        results(symbol="p25", low=low, high=low * 1.0001),
        (of_result.format("value BETWEEN ? AND ? ORDER BY started DESC")),
        (low, low * 1.0001),
    )
    yield (
        "coupons by range and validity",
        found(symbol="p25", low=low, validity=Validity.INVALID),
        (
            "SELECT result.run FROM result JOIN analysis ON analysis.run = result.run AND number = analysis "
            "WHERE result.newest AND symbol = 'p25' AND +value >= ? AND validity = 'invalid' "
            "ORDER BY started DESC LIMIT 50"
        ),
        (low,),
    )
    yield (
        "nothing fits: a family and another's lot",
        found(family=FAMILIES[0], lot="L-0001", operator="Ada"),
        (
            "SELECT run.coupon FROM coupon JOIN run ON coupon.id = run.coupon "
            "WHERE lot = ? AND family = ? AND operator = ?"
        ),
        ("L-0001", FAMILIES[0], "Ada"),
    )
    yield (
        "run by the beginning of its id",
        lambda: [catalogue.run(run_id(number // RUN_ON * RUN_ON)[:8])],
        ("SELECT id FROM run WHERE id >= ? LIMIT 2"),
        (run_id(number // RUN_ON * RUN_ON)[:8],),
    )


def timed(ask: Callable[[], Sequence[Any]], times: int) -> tuple[list[float], list[float], int]:
    """Seconds of the clock and of the processor, of each time but the first, and how many rows came."""
    rows = ask()
    waited, worked = [], []
    for _ in range(times):
        began, busy = time.perf_counter(), time.process_time()
        ask()
        waited.append(time.perf_counter() - began)
        worked.append(time.process_time() - busy)
    return waited, worked, len(rows)


def report(name: str, ours: tuple[list[float], list[float], int], bare: tuple[list[float], list[float], int]) -> None:
    """One line: labrig's median and 95th percentile, processor's and clock's, and how many times the bare statement."""
    (waited, most), (worked, _) = (_median_and_p95(seconds) for seconds in ours[:2])
    beside = statistics.median(bare[1])
    print(
        f"{name:42} {worked:7.2f} ms of processor, {waited:7.2f} ms (p95 {most:7.2f}); bare {beside * 1e3:7.3f} ms; "
        f"ratio {worked / (beside * 1e3):7.1f}; {ours[2]} rows",
        flush=True,
    )


def _median_and_p95(seconds: Sequence[float]) -> tuple[float, float]:
    """In milliseconds."""
    return statistics.median(seconds) * 1e3, sorted(seconds)[round(0.95 * (len(seconds) - 1))] * 1e3


def run_id(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-000000000000"


def fill(path: Path, coupons: int) -> None:
    """Rows as filing and entries would make them, straight into the tables."""
    draw = random.Random(1)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA synchronous = OFF")
        later = _made_later(connection)
        connection.executemany(
            "INSERT INTO lot VALUES (?, ?, '', '', '')", [(f"L-{n:04d}", family(n)) for n in range(LOTS)]
        )
        sheets = [(f"L-{n:04d}", f"S-{m}", "") for n in range(LOTS) for m in range(10)]
        connection.executemany("INSERT INTO sheet VALUES (?, ?, ?)", sheets)
        connection.executemany("INSERT INTO operator VALUES (?, '', '')", [(name,) for name in OPERATORS])
        connection.execute("INSERT INTO method VALUES ('quick-permeability', '1', 'water-permeability')")
        insert = "INSERT INTO coupon ({}) VALUES ({})"
        names = ("id", "lot", "sheet", "family", "barcode", "condition", "condition_by", "geometry", "note", "touched")
        rows = (coupon(n, coupons) for n in range(coupons))
        connection.executemany(insert.format(", ".join(names), ", ".join("?" * len(names))), rows)
        runs = range(0, coupons, RUN_ON)
        connection.executemany(f"INSERT INTO run VALUES ({', '.join('?' * 18)})", (run(n, coupons, draw) for n in runs))
        connection.executemany(
            "INSERT INTO mounting VALUES (?, 'cell-25', 'skin-up', 'open', 0.0205, 5e-5)", ((run_id(n),) for n in runs)
        )
        connection.executemany(
            "INSERT INTO analysis VALUES (?, 1, 'permeability', '1', ?, ?, '[]', 1)",
            ((run_id(n), moment(n, coupons), "invalid" if n % 400 == 0 else "valid") for n in runs),
        )
        values = (draw.lognormvariate(1.0, 0.8) * cm_per_min_per_psi for _ in runs)
        connection.executemany(
            "INSERT INTO result VALUES (?, 1, 0, 'p25', 'water permeability', ?, 1e-10, 20.0, 2.1, 'cm/min/psi', ?, "
            "'[]', 1, ?)",
            ((run_id(n), value, DEFINITION, moment(n, coupons)) for n, value in zip(runs, values, strict=False)),
        )
        for statement in later:
            connection.execute(statement)
        connection.execute("INSERT INTO coupon_words (coupon_words) VALUES ('rebuild')")
        connection.execute("PRAGMA analysis_limit = 1000")
        connection.execute("ANALYZE")


def _made_later(connection: sqlite3.Connection) -> list[str]:
    """Takes indexes and triggers away; the statements that make them again once the rows are there, which is faster."""
    made = "SELECT type, name, sql FROM sqlite_schema WHERE type IN ('index', 'trigger') AND sql IS NOT NULL"
    found = connection.execute(made).fetchall()
    for kind, name, _ in found:
        connection.execute(f"DROP {kind} {name}")
    return [str(sql) for _, _, sql in found]


DEFINITION: Final = json.dumps({"reference temperature": "25 °C", "area": "exposed"})


def family(lot: int) -> str:
    return FAMILIES[lot % len(FAMILIES)]


def moment(number: int, coupons: int) -> str:
    """Ten years, in order of the coupons."""
    second = 315_360_000 * number // coupons
    return (BEGIN + timedelta(seconds=second)).isoformat(timespec="microseconds")


def coupon(number: int, coupons: int) -> tuple[object, ...]:
    lot = number % LOTS
    thickness = [1e-4 + number % 100 * 1e-7 for _ in range(3)]
    geometry = json.dumps({"shape": "disc", "direction": None, "position": "", "edge": "open", "thickness": thickness})
    ran = number % RUN_ON == 0
    condition = "broken" if number % 10_007 == 0 else "wetted" if ran else "fresh"
    place = (f"L-{lot:04d}", f"S-{number // LOTS % 10}", family(lot))
    return (
        f"C-{number:07d}", *place, f"{number:010d}", condition, run_id(number) if ran else "", geometry, "",
        moment(number, coupons),
    )  # fmt: skip


def run(number: int, coupons: int, draw: random.Random) -> tuple[object, ...]:
    began = moment(number, coupons)
    outcome = "tripped" if draw.random() < 0.01 else "completed"
    parameters = json.dumps({"pressures": ["10 psi", "20 psi", "30 psi"], "zero": "5 s", "patience": "300 s"})
    method = ("quick-permeability", "1", "water-permeability")
    file = f"{began[:10]}_{number}.labrig"
    return (
        run_id(number), f"C-{number:07d}", *method, parameters, draw.choice(OPERATORS), "bench-25", False, began, began,
        outcome, "", "wetted", "{}", "0.1.0", file, 7,
    )  # fmt: skip


if __name__ == "__main__":
    main()
