"""The pages of this repository, and what stands in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDERS: Final = (".", "docs", "docs/adr", "instruments", "protocols", "ui", "benchmarks")
PAGES: Final = tuple(sorted(page for folder in FOLDERS for page in (ROOT / folder).glob("*.md")))


def text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def named(page: Path) -> str:
    """A page's path in the repository, for the name of a test."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text(page), re.MULTILINE | re.DOTALL)


def without_blocks(page: Path) -> str:
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def spans(page: Path) -> list[str]:
    """What stands in backticks within the lines."""
    return re.findall(r"`([^`\n]+)`", without_blocks(page))


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table whose first column names keys."""

    keys: tuple[str, ...]
    default: str
    """The last column."""


def rows(page: str, heading: str) -> list[Row]:
    """Rows of every table that stands under a heading, to the next heading of any level."""
    found = re.search(rf"^#+ {re.escape(heading)}.*?\n(.*?)(?=^#|\Z)", text(page), re.MULTILINE | re.DOTALL)
    assert found is not None, f"{page} has no heading {heading!r}"
    cells = [
        [cell.strip() for cell in line.strip("| ").split("|")] for line in found[1].splitlines() if line[:1] == "|"
    ]
    return [Row(tuple(re.findall(r"`(\w+)`", cell[0])), cell[-1]) for cell in cells if cell[0].startswith("`")]
