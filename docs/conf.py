"""How Sphinx makes the manual: `python docs/build.py FOLDER`.

The pages are plain Markdown that a code host shows as it is. Nothing in them is written for Sphinx alone: the
navigation is made of the links that stand in docs/index.md, one group for each of its headings.
"""

from __future__ import annotations

import re
from importlib.metadata import version as version_of
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

INDEX = "docs/index"
DECISIONS = "docs/adr/README"

project = "labrig"
author = "the labrig authors"
release = version = version_of("labrig")
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
root_doc = INDEX
include_patterns = [
    "README.md",
    "docs/**.md",
    "instruments/*.md",
    "protocols/*.md",
    "ui/*.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
]
exclude_patterns = [".*", "build", "labrig", "tests", "*/labrig_*", "installers", "benchmarks"]
nitpicky = True
myst_heading_anchors = 4
myst_links_external_new_tab = False
highlight_language = "text"

html_theme = "furo"
html_title = f"labrig {version}"
html_static_path = ["static"]
html_css_files = ["print.css"]
html_copy_source = False
html_show_sphinx = False


def setup(app: Sphinx) -> None:
    app.connect("source-read", add_navigation)


def add_navigation(_: Sphinx, page: str, source: list[str]) -> None:
    """Put into the index what its links say, and list every decision on the page of the decisions."""
    if page == INDEX:
        source[0] += "".join(f"\n\n{tree}" for tree in trees(source[0]))
    elif page == DECISIONS:
        source[0] += "\n\n```{toctree}\n:glob:\n\n[0-9]*\n```\n"


def trees(index: str) -> list[str]:
    """A hidden table of contents for each heading of the index: the pages linked below it that no earlier one had."""
    had: set[str] = set()
    made = []
    for group in re.split(r"^## ", index, flags=re.MULTILINE)[1:]:
        caption, _, below = group.partition("\n")
        links = [
            (title, page) for title, page in re.findall(r"\[([^]]+)\]\(([^)\s#:]+)\.md\)", below) if page not in had
        ]
        had.update(page for _, page in links)
        if links:
            entries = [f"{title} <{page}>" for title, page in links]
            made.append("\n".join(("```{toctree}", ":hidden:", f":caption: {caption}", "", *entries, "```")))
    return made
