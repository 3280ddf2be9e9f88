"""The one command, as somebody types it: usage, exit codes, Ctrl-C, and an old Python told so."""

from __future__ import annotations

import ast
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import environment
import launch

INSTALLERS = Path(launch.__file__).parent
POSIX_ONLY = pytest.mark.skipif(os.name == "nt", reason="the stand-in for Python is a shell script")


@pytest.fixture
def clone(tmp_path: Path) -> Callable[[str], Path]:
    """Make a clone whose environment is ready and whose Python is the given shell script."""

    def make(python: str) -> Path:
        for name in ("launch.py", "system.py", "environment.py", "requirements"):
            source, target = INSTALLERS / name, tmp_path / "installers" / name
            target.parent.mkdir(exist_ok=True)
            (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
        shutil.copy(INSTALLERS.parent / "pyproject.toml", tmp_path)
        made = environment.Environment(tmp_path, tmp_path / ".venv")
        made.python.parent.mkdir(parents=True)
        made.python.write_text(f"#!/bin/sh\n{python}\n")
        made.python.chmod(0o755)
        made.write_stamp("dev")
        return tmp_path

    return make


def undisturbed() -> dict[str, str]:
    """This environment without what labrig or Qt would take as a setting."""
    ours = ("LABRIG_", "QT_", "DISPLAY", "WAYLAND_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def start(clone: Path, *arguments: str, **settings: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(clone / "installers" / "launch.py"), *arguments],
        env=undisturbed() | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def start_with(stand_in: str, clone: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Start, with something about the machine replaced by a line of Python."""
    program = f"import environment, launch, system; {stand_in}; raise SystemExit(launch.main({list(arguments)!r}))"
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=clone / "installers",
        env=undisturbed() | settings,
        capture_output=True,
        text=True,
        check=False,
    )


NO_QT = "system.QT_LIBRARIES = {'libnobody.so.1': 'libnobody1'}; system.shutil.which = lambda name: None"


def test_an_older_python_can_read_the_file_that_refuses_it() -> None:
    source = (INSTALLERS / "launch.py").read_text(encoding="utf-8")

    tree = ast.parse(source, feature_version=(3, 7))

    early = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    modules = {node.module if isinstance(node, ast.ImportFrom) else node.names[0].name for node in early}
    assert modules == {"__future__", "os", "subprocess", "sys", "pathlib", "typing"}


def test_an_older_python_is_refused_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    code = launch.refuse_old_python()

    said = capsys.readouterr().err
    assert code == 1
    assert "needs Python 3.11 or later" in said
    assert "Nothing was changed" in said


@POSIX_ONLY
def test_without_a_word_the_job_runs_in_the_terminal(clone: Callable[[str], Path]) -> None:
    with start(clone('echo "$@"')) as labrig:
        out, err = labrig.communicate()

    assert out.split()[:3] == ["-m", "labrig.cli", "run"]
    assert (labrig.returncode, err) == (0, "")


@POSIX_ONLY
def test_tests_run_in_the_clone_without_a_screen_and_take_the_arguments(clone: Callable[[str], Path]) -> None:
    root = clone('pwd; echo "$QT_QPA_PLATFORM $@"')
    with start(root, "test", "-k", "two words") as labrig:
        out, _ = labrig.communicate()

    assert out.splitlines() == [str(root), "offscreen -m pytest -k two words"]


@POSIX_ONLY
def test_with_a_screen_qt_is_left_to_choose(clone: Callable[[str], Path]) -> None:
    with start(clone('echo "platform=$QT_QPA_PLATFORM"'), "test", WAYLAND_DISPLAY="wayland-0") as labrig:
        out, _ = labrig.communicate()

    assert out == "platform=\n"


@POSIX_ONLY
def test_once_there_is_a_desktop_a_screen_shows_it(clone: Callable[[str], Path]) -> None:
    root = clone('echo "$@"')
    desktop = root / "ui" / "labrig_ui" / "__main__.py"
    desktop.parent.mkdir(parents=True)
    desktop.touch()
    shown = start_with("system.WINDOW_LIBRARIES.clear()", root, DISPLAY=":0")
    with start(root) as unseen:
        out, _ = unseen.communicate()

    assert shown.stdout == "-m labrig_ui\n"
    assert out.split()[1] == "labrig.cli"


@POSIX_ONLY
def test_the_exit_code_is_the_programs_own(clone: Callable[[str], Path]) -> None:
    with start(clone("exit 7")) as labrig:
        pass

    assert labrig.returncode == 7


@pytest.fixture
def heeds_ctrl_c() -> Iterator[None]:
    """Whoever started these tests in the background had them ignore Ctrl-C, and so would each program they start."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@POSIX_ONLY
@pytest.mark.usefixtures("heeds_ctrl_c")
def test_ctrl_c_reaches_the_program_and_nothing_else(clone: Callable[[str], Path]) -> None:
    with start(clone("trap 'echo tidied; exit 42' INT; echo started; while :; do sleep 0.1; done")) as labrig:
        assert labrig.stdout is not None
        assert labrig.stdout.readline() == "started\n"
        labrig.send_signal(signal.SIGINT)
        out, err = labrig.communicate(timeout=20)

    assert (labrig.returncode, out, err) == (42, "tidied\n", "")


@POSIX_ONLY
def test_a_word_that_is_not_known_is_answered_with_the_usage(clone: Callable[[str], Path]) -> None:
    with start(clone("echo ran"), "tset") as labrig:
        out, err = labrig.communicate()

    assert labrig.returncode == 2
    assert out == ""
    assert "python3 installers/launch.py test" in err


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere Qt brings its libraries")
def test_without_qts_libraries_the_terminal_job_still_runs_and_says_what_is_missing(
    clone: Callable[[str], Path],
) -> None:
    root = clone('echo "$@"')
    (root / ".venv" / environment.STAMP).unlink()

    done = start_with(f"{NO_QT}; environment.Environment.prepare = lambda self, packages: None", root)

    assert "this machine lacks libnobody.so.1" in done.stdout
    assert "-m labrig.cli run" in done.stdout
    assert done.returncode == 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere Qt brings its libraries")
def test_without_qts_libraries_the_tests_do_not_start(clone: Callable[[str], Path]) -> None:
    done = start_with(NO_QT, clone("echo ran"), "test")

    assert (done.returncode, done.stdout) == (1, "")
    assert "this machine lacks libnobody.so.1" in done.stderr
