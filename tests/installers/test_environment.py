"""The environment in the clone: when it counts as whole, what is made anew, and what is never touched."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import environment
from environment import MAKING, STAMP, Environment
from system import Trouble

INSTALLERS = Path(environment.__file__).parent


@pytest.fixture
def made(tmp_path: Path) -> Environment:
    """A whole environment, as far as its stamp goes, in a clone with two small locks."""
    (tmp_path / "installers" / "requirements").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    fresh = Environment(tmp_path, tmp_path / ".venv")
    for packages in ("run", "dev"):
        fresh.lock(packages).write_text(f"{packages}==1\n")
    fresh.python.parent.mkdir(parents=True)
    fresh.python.touch()
    fresh.write_stamp("run")
    return fresh


def test_a_stamp_makes_the_environment_whole(made: Environment) -> None:
    assert made.is_ready("run")


def test_the_tools_of_the_tests_serve_a_run_but_not_the_other_way_round(made: Environment) -> None:
    assert not made.is_ready("dev")

    made.write_stamp("dev")

    assert made.is_ready("dev")
    assert made.is_ready("run")


@pytest.mark.parametrize(
    "changed", ["installers/requirements/run.txt", "installers/requirements/dev.txt", "pyproject.toml"]
)
def test_another_lock_or_project_needs_another_look(made: Environment, changed: str) -> None:
    (made.root / changed).write_text("something else\n")

    assert not made.is_ready("run")


def test_a_clone_that_moved_needs_another_look(made: Environment) -> None:
    moved = made.root.with_name("moved")
    made.root.rename(moved)

    assert not Environment(moved, moved / ".venv").is_ready("run")


def test_an_environment_whose_python_is_gone_is_not_whole(made: Environment) -> None:
    made.python.unlink()

    assert not made.is_ready("run")


@pytest.mark.parametrize("stamp", ["", "{", "[]", '{"packages": "run"}'])
def test_a_stamp_that_says_nothing_counts_as_none(made: Environment, stamp: str) -> None:
    (made.folder / STAMP).write_text(stamp)

    assert not made.is_ready("run")


@pytest.mark.parametrize("mark", ["pyvenv.cfg", MAKING])
def test_what_an_interrupted_start_left_is_removed(made: Environment, mark: str) -> None:
    (made.folder / mark).touch()

    made.remove()

    assert not made.folder.exists()


def test_a_folder_that_is_no_environment_is_never_removed(tmp_path: Path) -> None:
    results = tmp_path / "results" / "run-1.labrig"
    results.parent.mkdir()
    results.write_text("six hours of work")

    with pytest.raises(Trouble, match="labrig did not touch it"):
        Environment(tmp_path, results.parent).remove()

    assert results.read_text() == "six hours of work"


def test_the_folder_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABRIG_VENV", "elsewhere")

    assert Environment.of_clone(tmp_path).folder == tmp_path / "elsewhere"


def test_a_second_start_waits_for_the_first(tmp_path: Path) -> None:
    second = (
        "import pathlib, environment\n"
        f"with environment.one_at_a_time(pathlib.Path({str(tmp_path / '.venv')!r})): print('its turn')"
    )

    with environment.one_at_a_time(tmp_path / ".venv"):
        waiting = subprocess.Popen([sys.executable, "-c", second], cwd=INSTALLERS, stdout=subprocess.PIPE, text=True)
        assert waiting.stdout is not None
        first_word = waiting.stdout.readline()

    out, _ = waiting.communicate(timeout=30)
    assert "waiting for another start" in first_word
    assert out == "its turn\n"
