"""A process that enters coupons, one after the other: ``python -m tests.catalogue.entering DATA NAME COUNT [BYTES]``.

It prints each id once it is entered. With BYTES no file may grow beyond that size, as on a disk that is full; then it
prints what labrig says of it.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from labrig.catalogue import CouponEntry, open_catalogue
from labrig.errors import CatalogueError


def main(data: Path, name: str, count: int, most: int) -> None:
    store = open_catalogue(data).store
    if most:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
    for number in range(count):
        try:
            store.enter([CouponEntry(id=f"{name}-{number}", lot=f"L-{number % 3}", note="n" * 500)], by=name)
        except CatalogueError as error:
            say(f"! {error}")
            return
        say(f"{name}-{number}")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]) if len(sys.argv) > 4 else 0)
