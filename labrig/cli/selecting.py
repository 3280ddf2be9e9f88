"""Which runs a command is about: named ones, or those of the catalogue that options describe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from labrig.catalogue import Catalogue, Filter, open_catalogue
from labrig.cli.ordering import data_folder
from labrig.errors import ConfigError
from labrig.filing import RUNS
from labrig.model import Coupon

MOST: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Selected:
    """Run files, and what the catalogue knows of their coupons where they were found there."""

    paths: tuple[Path, ...]
    catalogue: Catalogue | None = None

    def coupon(self, recorded: Coupon) -> Coupon:
        """As it is known now; as the run's record has it where no catalogue was asked."""
        known = self.catalogue.coupon(recorded.id) if self.catalogue else None
        return known.ordered if known else recorded


def select(data: Path | None, runs: Sequence[str], sought: Filter) -> Selected:
    """Raises `ConfigError` where none is named, and `CatalogueError` for an id that none or several runs have."""
    if runs and sought.narrows:
        raise ConfigError("RUN", "", "either the names of runs, or options such as --lot that say which", list(runs))
    if sought.narrows:
        catalogue = open_catalogue(data_folder(data))
        folder = data_folder(data) / RUNS
        found = tuple(folder / row.file for row in catalogue.runs(sought, limit=MOST))
        if not found:
            raise ConfigError("RUN", "", f"runs that the catalogue of {data_folder(data)} has", "none of that kind")
        return Selected(found, catalogue)
    if not runs:
        raise ConfigError("RUN", "", "the names of runs, or options such as --lot that say which", "neither")
    return Selected(tuple(dict.fromkeys(path for name in runs for path in _named(data, name))))


def _named(data: Path | None, name: str) -> Iterator[Path]:
    """A file, the files of a folder, or the file of the run whose id begins so."""
    path = Path(name)
    if path.is_dir():
        files = sorted(path.glob("*.labrig"))
        if not files:
            raise ConfigError(path, "", "a folder with run files (.labrig)", "none in it")
        yield from files
    elif path.is_file() or path.suffix:
        yield path
    else:
        yield data_folder(data) / RUNS / open_catalogue(data_folder(data)).run(name).file
