"""The locks hold what the product declares, each package by hash, and nothing about where they were made."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import environment

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "installers" / "requirements"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

PIN = re.compile(r"([a-z0-9-]+)==([\w.+!]+)( ; [^\\]+)? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")

BOTH = pytest.mark.parametrize("name", ["run", "dev"])


def text(name: str) -> str:
    return (REQUIREMENTS / f"{name}.txt").read_text(encoding="utf-8")


def pins(name: str) -> dict[str, set[str]]:
    """The versions that a lock allows, by package; two where they differ between Pythons."""
    found: dict[str, set[str]] = {}
    for match in PIN.finditer(text(name)):
        found.setdefault(match[1], set()).add(match[2])
    return found


def setup_requirements() -> list[Requirement]:
    lines = (REQUIREMENTS / "setup.in").read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if not line.startswith("#")]


def direct(name: str) -> list[Requirement]:
    declared = list(PROJECT["project"]["dependencies"])
    if name == "dev":
        declared += PROJECT["project"]["optional-dependencies"]["dev"]
    return [Requirement(line) for line in declared] + setup_requirements()


@BOTH
def test_every_direct_dependency_is_locked_at_a_version_that_it_allows(name: str) -> None:
    locked = pins(name)

    wrong = [
        str(needed)
        for needed in direct(name)
        if not (versions := locked.get(canonicalize_name(needed.name)))
        or not all(needed.specifier.contains(version) for version in versions)
    ]

    assert not wrong, f"not in {name}.txt, or at another version; CONTRIBUTING.md says how the locks are made"


def test_the_build_backend_is_what_the_project_builds_with() -> None:
    backends = {Requirement(line) for line in PROJECT["build-system"]["requires"]}

    assert backends <= set(setup_requirements())


@BOTH
def test_every_line_is_a_pin_or_a_hash_and_every_pin_is_hashed(name: str) -> None:
    lines = text(name).splitlines()

    assert not [line for line in lines if not (PIN.fullmatch(line) or HASH.fullmatch(line))]
    bare = [
        line
        for line, after in zip(lines, [*lines[1:], ""], strict=True)
        if PIN.fullmatch(line) and "--hash" not in after
    ]
    assert not bare


@BOTH
def test_no_lock_says_where_it_was_made(name: str) -> None:
    assert not re.search(r"://|@ |--(?:extra-)?index|--find-links|/home/|/root/|/tmp/|[A-Z]:\\", text(name))


def test_a_run_and_its_tests_use_the_same_versions() -> None:
    run, dev = pins("run"), pins("dev")

    assert run == {name: dev.get(name) for name in run}


def test_one_package_is_cut_out_of_a_lock_with_its_hashes() -> None:
    block = "uv==1.2 \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\n"
    lock = f"click==8 \\\n    --hash=sha256:aa\n{block}wheel==3 \\\n    --hash=sha256:dd\n"

    assert environment.requirement("uv", lock) == block
