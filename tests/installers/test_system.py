"""What the system lacks is installed where this account may, and otherwise named in one command."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from system import QT_LIBRARIES, WINDOW_LIBRARIES, Lack, Trouble, lacking_libraries, supply

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Debian packages")

LACKS = [Lack("libEGL.so.1", "libegl1"), Lack("Python's module ensurepip", "python3.11-venv")]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Make a machine that has only the given programs; each writes down how it was called."""

    def make(user: int, **programs: str) -> Path:
        calls = tmp_path / "calls"
        monkeypatch.setattr(os, "geteuid", lambda: user)
        monkeypatch.setenv("PATH", str(tmp_path))
        (tmp_path / "env").write_text('#!/bin/sh\nshift\nexec "$@"\n')
        for name, body in programs.items():
            (tmp_path / name.replace("_", "-")).write_text(f'#!/bin/sh\necho "{name} $*" >> {calls}\n{body}\n')
        for program in tmp_path.iterdir():
            program.chmod(0o755)
        return calls

    return make


def found_once(lacks: list[Lack]) -> Callable[[], list[Lack]]:
    """What a search finds before an installation that helps, and after it."""
    findings = iter([lacks, []])
    return lambda: next(findings)


def test_nothing_lacking_calls_nobody(machine: Callable[..., Path]) -> None:
    calls = machine(0, apt_get="")

    supply(list)

    assert not calls.exists()


def test_root_installs_everything_at_once(machine: Callable[..., Path]) -> None:
    calls = machine(0, apt_get="")

    supply(found_once(LACKS))

    update, install = calls.read_text().splitlines()
    assert update.endswith("update")
    assert install.endswith("install -y --no-install-recommends libegl1 python3.11-venv")


def test_sudo_without_a_password_serves_as_well(machine: Callable[..., Path]) -> None:
    calls = machine(1000, apt_get="", sudo='shift; [ "$1" = true ] || exec "$@"')

    supply(found_once(LACKS))

    assert [line.split()[0] for line in calls.read_text().splitlines()] == [
        "sudo",
        "sudo",
        "apt_get",
        "sudo",
        "apt_get",
    ]


def test_a_user_gets_one_command_for_sudo(machine: Callable[..., Path]) -> None:
    machine(1000, apt_get="", sudo="exit 1")

    with pytest.raises(Trouble) as trouble:
        supply(found_once(LACKS))

    command = str(trouble.value).splitlines()[-1].strip()
    packages = "libegl1 python3.11-venv"
    assert command == f"sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends {packages}'"


def test_a_user_on_a_machine_without_sudo_gets_one_command_for_su(machine: Callable[..., Path]) -> None:
    machine(1000, apt_get="")

    with pytest.raises(Trouble, match=r"\n  su -c 'apt-get update && apt-get install .* libegl1 python3\.11-venv'$"):
        supply(found_once(LACKS))


def test_another_linux_is_told_what_is_missing(machine: Callable[..., Path]) -> None:
    machine(0)

    with pytest.raises(Trouble, match=r"lacks libEGL\.so\.1, Python's module ensurepip"):
        supply(found_once(LACKS))


def test_what_apt_says_when_it_fails_is_shown(machine: Callable[..., Path]) -> None:
    machine(0, apt_get='echo "Temporary failure resolving"; exit 100')

    with pytest.raises(Trouble, match="apt-get update failed; it said:\nTemporary failure resolving"):
        supply(found_once(LACKS))


def test_an_installation_that_does_not_help_is_not_taken_for_one_that_does(machine: Callable[..., Path]) -> None:
    machine(0, apt_get="")

    with pytest.raises(Trouble, match="still lacks libEGL"):
        supply(lambda: LACKS)


def test_a_library_that_no_machine_has_is_found_lacking() -> None:
    assert lacking_libraries({"libnobody.so.1": "libnobody1"}) == [Lack("libnobody.so.1", "libnobody1")]


def test_this_machine_has_what_the_tests_need() -> None:
    assert lacking_libraries(QT_LIBRARIES) == []


def test_every_library_has_one_package() -> None:
    assert len(set((QT_LIBRARIES | WINDOW_LIBRARIES).values())) == len(QT_LIBRARIES) + len(WINDOW_LIBRARIES)
