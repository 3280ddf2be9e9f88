"""Links between pages, and mentions of pages in the code, lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, named, without_blocks

SOURCES = ("labrig", "instruments", "protocols", "ui", "installers", "benchmarks")


def anchors(page: Path) -> set[str]:
    """Names of a page's headings, as they are made for links."""
    headings = re.findall(r"^#+ (.*)$", without_blocks(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_to_a_file_and_a_heading_that_exist(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", without_blocks(page)):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), target
        assert found.is_relative_to(ROOT), target
        assert not anchor or anchor in anchors(found), target


def test_every_page_that_the_code_names_exists() -> None:
    missing = {
        f"{named(source)}: {page}"
        for folder in SOURCES
        for source in (ROOT / folder).rglob("*.py")
        for page in re.findall(r"\bdocs/[\w/.-]*\w", source.read_text(encoding="utf-8"))
        if not any(
            path == ROOT / page or path.name.startswith(Path(page).name) for path in (ROOT / page).parent.glob("*")
        )
    }

    assert missing == set()


def test_every_page_of_the_documentation_can_be_reached_from_the_readme() -> None:
    reached, left = set(), [ROOT / "README.md"]
    while left:
        page = left.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        for target in re.findall(r"\]\(([^)\s#]+)", without_blocks(page)):
            if "://" not in target:
                found = (page.parent / target).resolve()
                left += found.parent.glob("*.md") if found.name == "README.md" and found.parent != ROOT else [found]

    assert {named(page) for page in PAGES if page not in reached} == set()
