"""``labrig catalogue``: where it is, whether it is right, made anew, who changed what."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

from labrig.catalogue import check, open_catalogue, rebuild
from labrig.catalogue.database import FILE
from labrig.cli.finding import local, plain_table, show_table
from labrig.cli.ordering import data_folder
from labrig.cli.specimens import change_words
from labrig.recording.codec import dumps


def show_path(data: Path | None) -> int:
    """Print the path of the database."""
    print(data_folder(data) / FILE)
    return 0


def check_it(data: Path | None, *, as_json: bool) -> int:
    """Print every fault; 1 where there is one."""
    folder = data_folder(data)
    faults = check(folder) if (folder / FILE).exists() else ()
    if as_json:
        print(dumps({"faults": list(faults)}))
    elif faults:
        print("\n".join(faults))
    else:
        there = (folder / FILE).exists()
        print("The catalogue is whole." if there else f"{folder} has no catalogue yet; its first use makes one.")
    return 1 if faults else 0


def rebuild_it(data: Path | None, *, drop_missing: bool, as_json: bool) -> int:
    """Rebuild and tell; 1 where a run file could not be read."""
    rebuilt = rebuild(data_folder(data), drop_missing=drop_missing)
    if as_json:
        print(dumps(asdict(rebuilt)))
    else:
        print(f"The catalogue was made anew from {rebuilt.runs} runs and {rebuilt.entries} entries.")
        for table, rows in rebuilt.different.items():
            print(f"{table}: {rows} rows are new, gone or other ones than before")
    for name, why in rebuilt.failed.items():
        print(f"labrig: {name} is not in it: {why}", file=sys.stderr)
    return 1 if rebuilt.failed else 0


def show_changes(data: Path | None, coupon: str, lot: str, limit: int, *, as_json: bool) -> int:
    """Print what people entered."""
    kind, subject = ("coupon", coupon) if coupon else ("lot", lot) if lot else ("", "")
    rows = open_catalogue(data_folder(data)).changes(kind, subject, limit=limit)
    if as_json:
        print(dumps([asdict(row) for row in rows]))
        return 0
    table = plain_table("entry", "when", "by", "of", "what")
    for row in rows:
        table.add_row(str(row.entry), local(row.utc), row.by, f"{row.kind} {row.subject}", change_words(row))
    show_table(table, len(rows), limit, "changes")
    return 0
