"""What every test is held to: no unexpected warning, no Qt complaint, no thread and no process left behind.

Each guard is a fixture that every test gets. A guard that finds something fails the test and clears up after it, so
that the next test starts clean. `tests/test_guards.py` shows each of them catching what it is there to catch.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

GRACE = 2.0  # seconds in which a thread or process that is about to end may do so
MARK = f"LABRIG_TESTED_BY={os.getpid()}"
BARE: set[int] = set()  # processes that have no environment, and so no mark, for good
KERNEL_THREAD = 0x00200000  # PF_KTHREAD of linux/sched.h

hypothesis.settings.register_profile("desk", deadline=None)  # a busy machine is no reason to fail
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True)  # what passes here passes again
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "desk")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """In several processes, tests that share a rig of real processes stay in one, so that the rig is made once."""
    from xdist.scheduler import LoadFileScheduling

    class ByRig(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            folder = file.rpartition("/")[0]
            return folder if folder in {"tests/server", "tests/line"} else file

    return ByRig(config, log)


@pytest.fixture(autouse=True)
def no_unexpected_log(request: pytest.FixtureRequest) -> Iterator[None]:
    """A record at WARNING or above fails the test, unless `@pytest.mark.expected_logs("labrig.bus")` allows it."""
    kept = KeepRecords()
    logging.getLogger().addHandler(kept)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(kept)
    allowed = allowed_loggers(request)
    unexpected = [record for record in kept.records if not any(is_under(record.name, name) for name in allowed)]
    if unexpected:
        lines = [f"  {record.levelname} {record.name}: {record.getMessage()}" for record in unexpected]
        pytest.fail("the test logged what it did not announce:\n" + "\n".join(lines), pytrace=False)


class KeepRecords(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


def allowed_loggers(request: pytest.FixtureRequest) -> list[str]:
    return [name for mark in request.node.iter_markers("expected_logs") for name in mark.args or [""]]


def is_under(logger: str, parent: str) -> bool:
    return not parent or logger == parent or logger.startswith(f"{parent}.")


@pytest.fixture(autouse=True)
def qt_messages_are_logs(no_unexpected_log: None) -> Iterator[None]:
    """What Qt would print goes to the logger `qt`, where the log guard sees it. Tests without Qt never load it."""
    if "PySide6.QtCore" not in sys.modules:
        yield
        return
    from PySide6.QtCore import QtMsgType, qInstallMessageHandler

    levels = {
        QtMsgType.QtWarningMsg: logging.WARNING,
        QtMsgType.QtCriticalMsg: logging.ERROR,
        QtMsgType.QtFatalMsg: logging.CRITICAL,
    }
    log = logging.getLogger("qt")
    previous = qInstallMessageHandler(lambda kind, _place, text: log.log(levels.get(kind, logging.DEBUG), "%s", text))
    try:
        yield
    finally:
        qInstallMessageHandler(previous)


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + GRACE
    foreign = threading._DummyThread  # noqa: SLF001  (not started by Python, which cannot tell when such a one ends)
    started = [t for t in threading.enumerate() if t not in before and not isinstance(t, foreign)]
    for thread in started:
        thread.join(max(0.0, deadline - time.monotonic()))
    left = [thread.name for thread in started if thread.is_alive()]
    if left:
        pytest.fail(f"the test left threads running: {', '.join(left)}", pytrace=False)


@pytest.fixture(autouse=True)
def no_process_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Children are found by descent; those that outlived their parent, in whatever session, by a mark."""
    if not Path("/proc/self/stat").exists():
        yield
        return
    monkeypatch.setenv(*MARK.split("="))
    before = set(our_processes())
    yield
    deadline = time.monotonic() + GRACE
    while (left := {pid: line for pid, line in our_processes().items() if pid not in before}) and (
        time.monotonic() < deadline
    ):
        threading.Event().wait(0.02)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    if left:
        lines = [f"  {pid}: {line}" for pid, line in left.items()]
        pytest.fail("the test left processes running (now killed):\n" + "\n".join(lines), pytrace=False)


def our_processes() -> dict[int, str]:
    """The living processes that this one started, directly or not, with their command lines."""
    parents = living_processes()
    family = {os.getpid()}
    while grown := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= grown
    ours = family | {pid for pid in parents.keys() - family if has_mark(pid)}
    lines = {pid: (read(pid, "cmdline") or b"?").replace(b"\0", b" ").decode() for pid in ours - {os.getpid()}}
    return {pid: line for pid, line in lines.items() if "multiprocessing.resource_tracker" not in line}


def living_processes() -> dict[int, int]:
    """Every process that runs, with its parent; threads of the kernel are not among them."""
    found = {}
    for pid in [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]:
        state, parent, _, _, _, _, flags, *_ = (read(pid, "stat") or b") X 0 0 0 0 0 0").rpartition(b")")[2].split()
        if state not in {b"Z", b"X"} and not int(flags) & KERNEL_THREAD:
            found[pid] = int(parent)
    return found


def has_mark(pid: int) -> bool:
    """A process in the middle of `exec` has no environment for a moment: look again, until it has or never will."""
    deadline = time.monotonic() + 0.1
    while (environment := read(pid, "environ")) == b"" and pid not in BARE and time.monotonic() < deadline:
        threading.Event().wait(0.002)
    if environment == b"":
        BARE.add(pid)
    return environment is not None and MARK.encode() in environment.split(b"\0")


def read(pid: int, what: str) -> bytes | None:
    """What /proc says of a process; None when it has ended or is somebody else's."""
    try:
        return Path(f"/proc/{pid}/{what}").read_bytes()
    except OSError:
        return None
