"""The manual: it is built without a warning, opens without a network, has every page, and its words are in use."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import sys
from pathlib import Path

import pytest

from labrig.analysis import water
from labrig.units import LMH_per_bar, celsius, cm_per_min_per_psi, mPas
from labrig_ui.theme import STATES
from labrig_ui.words import STATE_WORDS
from tests.docs.pages import PAGES, ROOT, blocks, named, text, without_blocks

THEORY = "docs/theory.md"
LARGEST = 200_000
"""Bytes of a picture."""


@pytest.fixture(scope="module")
def manual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `python docs/build.py FOLDER` makes; any warning fails it."""
    folder = tmp_path_factory.mktemp("manual")
    command = (sys.executable, str(ROOT / "docs" / "build.py"), str(folder))
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_manual_is_built_with_every_page_and_without_a_warning(manual: Path) -> None:
    made = {page.relative_to(manual).with_suffix("").as_posix() for page in manual.rglob("*.html")}
    expected = {named(page).removesuffix(".md") for page in PAGES if not named(page).startswith("benchmarks")}

    assert expected - made == set()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_manual_opens_without_a_network(manual: Path) -> None:
    loaded = {
        address
        for page in manual.rglob("*.html")
        for address in re.findall(
            r"<(?:script|link|img|iframe)[^>]*?(?:src|href)=\"(https?:[^\"]+)", page.read_text("utf-8")
        )
    }

    assert loaded == set()
    assert (manual / "docs" / "index.html").is_file()
    assert "docs/index.html" in (manual / "index.html").read_text("utf-8")


def test_pictures_are_small_and_all_of_them_are_shown() -> None:
    shown = {
        (page.parent / target).resolve()
        for page in PAGES
        for target in re.findall(r"!\[[^]]*\]\(([^)]+)\)", page.read_text("utf-8"))
    }
    pictures = set((ROOT / "docs" / "images").iterdir())

    assert pictures == shown
    assert {path.name for path in pictures if path.stat().st_size > LARGEST} == set()


def test_a_program_of_the_theory_prints_what_stands_below_it() -> None:
    (program,) = blocks(THEORY, "python")
    shown = text(THEORY).partition(program)[2].partition("```text\n")[2].partition("```")[0]
    said = io.StringIO()

    with contextlib.redirect_stdout(said):
        exec(compile(program, THEORY, "exec", dont_inherit=True), {"__name__": "example"})

    assert said.getvalue() == shown


def test_the_table_of_water_is_that_of_the_formulas() -> None:
    table = re.findall(r"^\| (\d+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", text(THEORY), re.MULTILINE)

    assert len(table) >= 5
    for degrees, viscosity, ratio, density in table:
        kelvin = celsius(float(degrees))
        assert float(viscosity) == pytest.approx(water.viscosity(kelvin) / mPas, abs=6e-5)
        assert float(ratio) == pytest.approx(water.viscosity(kelvin) / water.viscosity(celsius(25)), abs=6e-5)
        assert float(density) == pytest.approx(water.density(kelvin), abs=6e-3)


def test_the_theory_converts_a_permeability_as_the_code_does() -> None:
    found = dict(re.findall(r"^\| ([\d.]+(?:·10⁻⁸)?) \| (m/s/Pa|L/m²/h/bar) \|$", text(THEORY), re.MULTILINE))
    by_unit = {unit: number for number, unit in found.items()}

    assert float(by_unit["m/s/Pa"].removesuffix("·10⁻⁸")) * 1e-8 == pytest.approx(cm_per_min_per_psi, rel=2e-5)
    assert float(by_unit["L/m²/h/bar"]) == pytest.approx(cm_per_min_per_psi / LMH_per_bar, rel=1e-5)


def test_the_first_day_explains_every_state_that_the_border_can_show() -> None:
    section = text("docs/first-day.md").partition("## What the border says")[2].partition("\n## ")[0]
    states = re.findall(r"^\| [a-z]+ \| ([A-Z ]+) \|", section, re.MULTILINE)

    assert set(states) == {STATE_WORDS[state] for state, _, _ in STATES}


def test_every_word_of_the_glossary_is_used_elsewhere() -> None:
    words = re.findall(r"^\| ([^|]+) \|", text("docs/glossary.md").replace("| word |", ""), re.MULTILINE)
    terms = {term.strip() for cell in words if not cell.startswith("-") for term in cell.split(",")}
    others = "\n".join(without_blocks(page) for page in PAGES if page.name != "glossary.md").lower()

    assert len(terms) > 30
    assert {term for term in terms if term.lower() not in others} == set()
