"""What labrig needs from the operating system: Debian packages and the libraries that Qt links."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

# soname: the Debian package that brings it
QT_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libfontconfig.so.1": "libfontconfig1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libxkbcommon.so.0": "libxkbcommon0",
}
WINDOW_LIBRARIES = {
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}


class Trouble(Exception):
    """What happened, what labrig did about it, and what the reader can do."""


def say(text: str) -> None:
    print(f"labrig: {text}", flush=True)


@dataclass(frozen=True)
class Lack:
    """Something that this machine has not, and the Debian package that brings it."""

    what: str
    package: str


def lacking_libraries(libraries: dict[str, str]) -> list[Lack]:
    """The libraries that this machine cannot load; elsewhere than on Linux Qt brings what it needs."""
    if not sys.platform.startswith("linux"):
        return []
    return [Lack(soname, package) for soname, package in libraries.items() if not _loads(soname)]


def _loads(soname: str) -> bool:
    try:
        ctypes.CDLL(soname)
    except OSError:
        return False
    return True


def supply(find: Callable[[], list[Lack]]) -> None:
    """Install what `find` finds lacking, or stop with the one command that brings it."""
    lacks = find()
    if not lacks:
        return
    missing = ", ".join(lack.what for lack in lacks)
    packages = sorted({lack.package for lack in lacks})
    if not shutil.which("apt-get"):
        raise Trouble(
            f"this machine lacks {missing}.\nInstall what holds them with its package manager, then start again."
        )
    if not can_install():
        raise Trouble(
            f"this machine lacks {missing},\nand this account may not install packages."
            f" Run this one command, then start again:\n  {apt_command(packages)}"
        )
    apt_install(packages)
    still = ", ".join(lack.what for lack in find())
    if still:
        raise Trouble(f"it installed {' '.join(packages)}, and this machine still lacks {still}.")


def can_install() -> bool:
    """Whether this account is root, or has a sudo that asks for no password."""
    if os.geteuid() == 0:
        return True
    sudo = shutil.which("sudo")
    return sudo is not None and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0


def apt_command(packages: list[str]) -> str:
    """The one line that a person types to install the packages."""
    install = f"apt-get install -y --no-install-recommends {' '.join(packages)}"
    if shutil.which("sudo"):
        return f"sudo sh -c 'apt-get update && {install}'"
    return f"su -c 'apt-get update && {install}'"


def apt_install(packages: list[str]) -> None:
    say(f"installing the Debian packages {' '.join(packages)}")
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    apt = [*as_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120"]
    for step in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        done = subprocess.run(
            [*apt, *step],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Trouble(
                f"apt-get {step[0]} failed; it said:\n{done.stdout.strip()}\n"
                "Most often the network is down or another program holds apt. Then start again, or run this yourself:\n"
                f"  {apt_command(packages)}"
            )
