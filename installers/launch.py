"""From a clone on a bare machine to a running labrig: `python3 installers/launch.py [test [pytest arguments]]`.

Needs Python 3.11 or later and nothing else. The syntax stays old enough that an older Python can read this file and
be told so; everything newer stands in the modules beside it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from environment import Environment

OLDEST_PYTHON = (3, 11)
ROOT = Path(__file__).resolve().parent.parent

# The finite job that runs where no desktop can: a permeability run on the simulated rig.
JOB = ["labrig.cli", "run", "--rig=bench-25", "--method=quick-permeability", "--membrane=example-v", "--coupon=DEMO-1"]
DESKTOP = ["labrig_ui"]
TESTS = ["pytest"]

USAGE = """\
python3 installers/launch.py                   set labrig up, then open it (without a screen: a run in the terminal)
python3 installers/launch.py test [ARGUMENTS]  set labrig up, then run its tests; pytest takes the ARGUMENTS

Settings by environment variable:
  LABRIG_VENV=FOLDER  where the Python environment is made (default: .venv in the clone)
  LABRIG_NO_UV=1      install with pip alone, without the uv accelerator
"""


def main(arguments: list[str]) -> int:
    if sys.version_info < OLDEST_PYTHON:
        return refuse_old_python()
    from environment import Environment
    from system import Trouble

    if arguments and arguments[0] != "test":
        asked = arguments[0] in {"-h", "--help"}
        print(USAGE, end="", file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 2
    try:
        environment = Environment.of_clone(ROOT)
        return run_tests(environment, arguments[1:]) if arguments else run_labrig(environment)
    except Trouble as trouble:
        print(f"\nlabrig: {trouble}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nlabrig: stopped by you. The same command starts again from a clean state.", file=sys.stderr)
        return 130


def refuse_old_python() -> int:
    found = ".".join(str(part) for part in sys.version_info[:3])
    needed = ".".join(str(part) for part in OLDEST_PYTHON)
    print(
        f"labrig needs Python {needed} or later; this is Python {found} ({sys.executable}).\n"
        "Nothing was changed. Install a newer Python and start again with it, for example:"
        " python3.12 installers/launch.py",
        file=sys.stderr,
    )
    return 1


def run_labrig(environment: Environment) -> int:
    from system import QT_LIBRARIES, WINDOW_LIBRARIES, Trouble, lacking_libraries, say, supply

    opens_windows = has_desktop() and has_screen()
    libraries = QT_LIBRARIES | WINDOW_LIBRARIES if opens_windows else QT_LIBRARIES
    if opens_windows or not environment.is_ready("run"):
        try:
            supply(lambda: environment.lacks("run") + lacking_libraries(libraries))
        except Trouble as trouble:
            if opens_windows or environment.lacks("run"):
                raise
            say(f"{trouble}\nThe run in the terminal uses none of them and goes on.")
    environment.prepare("run")
    return hand_over(environment.python, DESKTOP if opens_windows else JOB)


def run_tests(environment: Environment, arguments: list[str]) -> int:
    from system import QT_LIBRARIES, lacking_libraries, supply

    supply(lambda: environment.lacks("dev") + lacking_libraries(QT_LIBRARIES))
    environment.prepare("dev")
    if sys.platform.startswith("linux") and not has_screen():
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.chdir(ROOT)
    return hand_over(environment.python, TESTS + arguments)


def has_desktop() -> bool:
    return (ROOT / "ui" / "labrig_ui" / "__main__.py").is_file()


def has_screen() -> bool:
    """On Linux a display must be named; elsewhere there is one."""
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def hand_over(python: Path, module_and_arguments: list[str]) -> int:
    """Let the program take this process's place, so that its exit code and a Ctrl-C are its own."""
    command = [str(python), "-m", *module_and_arguments]
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "posix":
        os.execv(command[0], command)
    child = subprocess.Popen(command)  # Windows cannot replace a process: wait, and leave Ctrl-C to the program
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            continue


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
