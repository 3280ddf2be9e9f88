"""Every command and option of labrig that a page mentions exists; those that take no real time are run as shown."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from labrig.cli.app import app
from tests.docs.pages import PAGES, ROOT, blocks, named, spans, text

ALL: Any = typer.main.get_command(app)  # click's classes, of which typer has a copy without types
AT_ONCE = ("check", "rehearse", "--help", "--version")
"""Commands that need neither a rig nor a server, nor time."""
NOT_OURS = {"--upgrade-package NAME", "--upgrade", "--user", "--ci"}
"""Options of other programs, in CONTRIBUTING.md."""


def typed(page: Path) -> list[str]:
    """Command lines of labrig in blocks and within the text, without comments."""
    written = page.read_text(encoding="utf-8")
    fenced = "".join(re.findall(r"^```.*?\n(.*?)^```$", written, re.MULTILINE | re.DOTALL))
    lines = re.findall(r"^(?:\$ )?(labrig [^:\n]*)$", fenced, re.MULTILINE)
    inline = [span for span in spans(page) if span.startswith("labrig ")]
    return [line.partition(" #")[0].strip() for line in (*lines, *inline)]


def options(command: Any) -> set[str]:  # noqa: ANN401 - as above
    return {option for parameter in command.params for option in parameter.opts} | {"--help"}


def options_of(words: list[str]) -> set[str]:
    """What the command of that line takes; `COMMAND` stands for any."""
    name = next((word for word in words[1:] if not word.startswith("-")), None)
    if name is None or name.isupper():
        return options(ALL)
    assert name in ALL.commands, f"labrig has no command {name}"
    command = ALL.commands[name]
    if not hasattr(command, "commands"):
        return options(command)
    inner = next((word for word in words[words.index(name) + 1 :] if not word.startswith("-")), None)
    if inner is None or inner.isupper():
        return options(command)
    assert inner in command.commands, f"labrig {name} has no command {inner}"
    return options(command.commands[inner])


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_command_line_is_one_that_labrig_takes(page: Path) -> None:
    for line in typed(page):
        words = shlex.split(line)
        known = options_of(words)
        unknown = [word for word in words if word.startswith("--") and word.partition("=")[0] not in known]
        assert unknown == [], line


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_option_in_the_text_is_one_of_labrigs(page: Path) -> None:
    inner = [command for group in ALL.commands.values() for command in getattr(group, "commands", {}).values()]
    known = options(ALL).union(*(options(command) for command in (*ALL.commands.values(), *inner)))
    mentioned = {span for span in spans(page) if span.startswith("--")} - NOT_OURS

    assert {span for span in mentioned if re.split(r"[ =]", span)[0] not in known} == set()


def shown() -> list[tuple[str, str]]:
    """Page and command line of what follows a ``$`` in console blocks, and can be run at once."""
    found = []
    for page in PAGES:
        for block in blocks(named(page), "console"):
            lines = re.findall(r"^\$ labrig (.*)$", block, re.MULTILINE)
            found += [(named(page), line.partition(" #")[0].strip()) for line in lines if line.startswith(AT_ONCE)]
    return found


@pytest.mark.parametrize(("page", "line"), shown())
def test_a_command_that_is_shown_does_what_it_is_shown_for(page: str, line: str) -> None:
    done = CliRunner().invoke(app, shlex.split(line))

    assert done.exit_code == 0, done.output


def test_every_command_is_explained() -> None:
    explained = set(re.findall(r"^\| `labrig (\w+)", text("docs/cli.md"), re.MULTILINE))

    assert explained == set(ALL.commands)


def test_the_readme_names_the_two_commands_that_the_installer_takes() -> None:
    readme = text("README.md")

    assert (ROOT / "installers" / "launch.py").is_file()
    assert re.search(r"^python3 installers/launch\.py\b(?! test)", readme, re.MULTILINE)
    assert re.search(r"^python3 installers/launch\.py test\b", readme, re.MULTILINE)
