"""The Python environment in the clone: made, filled from the hash lock, and stamped when it is whole."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from system import Lack, Trouble, say

STAMP = "labrig-stamp.json"
MAKING = "labrig-making"  # stands in an environment that labrig began, so that a half-made one is known as its own
HOLDS = {"run": ("run", "dev"), "dev": ("dev",)}  # the sets of packages that contain a set


@dataclass(frozen=True)
class Environment:
    """One virtual environment. A stamp, written last and removed first, says that it is whole."""

    root: Path
    folder: Path

    @classmethod
    def of_clone(cls, root: Path) -> Environment:
        return cls(root, root / (os.environ.get("LABRIG_VENV") or ".venv"))

    @property
    def python(self) -> Path:
        return self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def lock(self, packages: str) -> Path:
        return self.root / "installers" / "requirements" / f"{packages}.txt"

    def prepare(self, packages: str) -> None:
        """Make the environment hold the set of packages (`run` or `dev`); free of charge when it already does."""
        if self.is_ready(packages):
            return
        with one_at_a_time(self.folder):
            if not self.is_ready(packages):  # another start may have made it while this one waited
                self._make(packages)

    def lacks(self, packages: str) -> list[Lack]:
        """Debian and Ubuntu keep a part of Python's own `venv` in a package of its own."""
        importlib.invalidate_caches()
        if importlib.util.find_spec("ensurepip") or self.is_ready(packages):
            return []
        return [Lack("Python's module ensurepip", f"python{sys.version_info.major}.{sys.version_info.minor}-venv")]

    def is_ready(self, packages: str) -> bool:
        stamp = self._stamp()
        return stamp.get("fingerprint") == self._fingerprint() and stamp.get("packages") in HOLDS[packages]

    def _stamp(self) -> dict[str, str]:
        try:
            stamp = json.loads((self.folder / STAMP).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return stamp if isinstance(stamp, dict) and self.python.exists() else {}

    def _fingerprint(self) -> str:
        digest = hashlib.sha256(f"{self.root} {self._kind()}".encode())
        for source in (self.lock("run"), self.lock("dev"), self.root / "pyproject.toml"):
            digest.update(source.read_bytes())
        return digest.hexdigest()

    @staticmethod
    def _kind() -> str:
        """What a compiled package depends on. Not `sys.version`: a security update of Python changes nothing here."""
        return f"{sys.implementation.cache_tag} {platform.system()} {platform.machine()}"

    def _make(self, packages: str) -> None:
        stamp = self._stamp()
        if stamp.get("packages") == "dev":
            packages = "dev"  # a run after a change must not leave the tests without their tools
        (self.folder / STAMP).unlink(missing_ok=True)
        if stamp.get("kind") != self._kind() or stamp.get("root") != str(self.root) or not self._answers():
            self._make_empty()
        say(f"installing the packages of installers/requirements/{packages}.txt into {self.folder}")
        self._install(packages)
        self.write_stamp(packages)
        say("the environment is ready")

    def write_stamp(self, packages: str) -> None:
        stamp = {"fingerprint": self._fingerprint(), "packages": packages, "kind": self._kind(), "root": str(self.root)}
        (self.folder / STAMP).write_text(json.dumps(stamp), encoding="utf-8")

    def _answers(self) -> bool:
        try:
            return subprocess.run([self.python, "-c", "import pip"], capture_output=True, check=False).returncode == 0
        except OSError:
            return False

    def _make_empty(self) -> None:
        self.remove()
        say(f"making a Python environment in {self.folder}")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / MAKING).touch()
        except OSError as error:
            raise Trouble(f"it cannot write {self.folder}: {error}. Clone labrig into a folder of your own.") from error
        base = str(getattr(sys, "_base_executable", sys.executable))  # not the python of the environment being remade
        if subprocess.run([base, "-m", "venv", str(self.folder)], check=False).returncode:
            raise Trouble(f"Python could not make the environment {self.folder}; it says why above.")

    def remove(self) -> None:
        """Remove what an earlier start left; a folder that is no environment is somebody's data and stays."""
        if not self.folder.exists() or not any(self.folder.iterdir()):
            return
        if not ((self.folder / "pyvenv.cfg").is_file() or (self.folder / MAKING).is_file()):
            raise Trouble(
                f"{self.folder} is not a Python environment, and labrig did not touch it."
                " Move it away, or name another folder in LABRIG_VENV."
            )
        say(f"removing {self.folder}: it is unfinished, or was made elsewhere or by another Python")
        try:
            shutil.rmtree(self.folder)
        except OSError as error:
            raise Trouble(f"it could not remove {self.folder}: {error}. Close what uses it, then start.") from error

    def _install(self, packages: str) -> None:
        wheels = ["--require-hashes", "--only-binary", ":all:", "-r", str(self.lock(packages))]
        if not (self._wants_uv() and self._install_with_uv(packages, wheels)) and not self._pip_install(wheels):
            raise Trouble(NO_PACKAGES)
        if not self._pip_install(["--no-build-isolation", "--no-deps", "--quiet", "-e", str(self.root)]):
            raise Trouble("pip could not install labrig itself from this clone; it says why above.")

    def _wants_uv(self) -> bool:
        """Whether uv sees what pip sees: where pip's own settings name an index, uv would not look there."""
        if os.environ.get("LABRIG_NO_UV", "0") not in {"", "0"}:
            return False
        settings = subprocess.run([*self._pip(), "config", "list"], capture_output=True, text=True, check=False).stdout
        names = {line.split("=")[0].rpartition(".")[2] for line in settings.splitlines()}
        return not names & {"index-url", "no-index"}

    def _install_with_uv(self, packages: str, wheels: list[str]) -> bool:
        only_uv = self.folder / "labrig-uv.txt"
        only_uv.write_text(requirement("uv", self.lock(packages).read_text(encoding="utf-8")), encoding="utf-8")
        if not self._pip_install(["--require-hashes", "--only-binary", ":all:", "--quiet", "-r", str(only_uv)]):
            raise Trouble(NO_PACKAGES)
        uv = self.folder / ("Scripts/uv.exe" if os.name == "nt" else "bin/uv")
        quietly = [] if sys.stderr.isatty() else ["--quiet"]
        command = [str(uv), "pip", "install", *quietly, "--python", str(self.python), *wheels]
        if subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode == 0:
            return True
        say("uv could not install the packages (it says why above); trying pip")
        return False

    def _pip(self) -> list[str]:
        return [str(self.python), "-m", "pip", "--disable-pip-version-check", "--no-input"]

    def _pip_install(self, arguments: list[str]) -> bool:
        command = [*self._pip(), "install", *arguments]
        return subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode == 0


NO_PACKAGES = (
    "it could not install its packages; the lines above say why.\n"
    "Most often the network is down, or this network reaches Python packages only through a proxy or a mirror:\n"
    "set HTTPS_PROXY, or PIP_INDEX_URL to the mirror. The same command then starts again from a clean state.\n"
    "If the lines above speak of a hash that differs, do not go on: a package is not the one that was tested."
)


def requirement(name: str, lock: str) -> str:
    """The lines of one package, with its hashes, out of a lock."""
    taken: list[str] = []
    for line in lock.splitlines():
        if line.startswith(f"{name}==") or (taken and line.startswith(" ")):
            taken.append(line)
        elif taken:
            break
    if not taken:
        raise Trouble(f"the lock does not name {name}. Is the clone complete?")
    return "\n".join(taken) + "\n"


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Hold the environment's lock file; the system frees it when this process ends, however it ends."""
    path = folder.with_name(f"{folder.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.open("a+b")
    except OSError as error:
        raise Trouble(f"it cannot write to {path.parent}: {error}. Clone labrig into a folder of your own.") from error
    with handle:
        _hold(handle)
        yield


if sys.platform == "win32":
    import msvcrt

    def _hold(handle: IO[bytes]) -> None:
        while True:
            try:
                handle.seek(0)
                msvcrt.locking(handle.fileno(), msvcrt.LK_LOCK, 1)  # gives up after ten tries, a second apart
            except OSError:
                say("waiting for another start of labrig to finish setting up")
            else:
                return

else:
    import fcntl

    def _hold(handle: IO[bytes]) -> None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another start of labrig to finish setting up")
            fcntl.flock(handle, fcntl.LOCK_EX)
