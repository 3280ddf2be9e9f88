"""Child processes of the server: what imports protocols or analyses stays out of it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from labrig.endpoint import Endpoint
from labrig.errors import LabrigError
from labrig.server import priority

DESCRIBE_SECONDS: Final = 120.0
"""An order takes a few seconds of processor time to rehearse, on a crowded machine many times that to pass."""
FILING_SECONDS: Final = 600.0


class ChildFailed(LabrigError):
    """A child process could not do what it was asked; the message says what it said."""


def describe(request: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON; the caller validates it
    """Ask `labrig.describing`; raises `ChildFailed` with its words."""
    return _asked("labrig.describing", request, DESCRIBE_SECONDS, priority.go_as_others)


def file_run(path: Path) -> dict[str, Any]:
    """Analyse a finished run and bring it into the catalogue (`labrig.filing`); raises `ChildFailed`.

    The answer has the analysis in its file, or ``not_analysed``, and ``not_catalogued``: fields of a `RunPaper`.
    """
    answer: dict[str, Any] = _asked("labrig.filing", {"run": str(path)}, FILING_SECONDS, priority.go_last)
    return answer


def start_runner(endpoint: Endpoint, run: str, log: Path) -> subprocess.Popen[bytes]:
    """A runner for that run; what it prints goes to ``log``. Raises `OSError` where it cannot be started.

    Its standard input stays open as long as this process lives: a protocol that hears nothing else hears its end. A
    session of its own keeps the terminal's Ctrl-C from it; the server decides what that means.
    """
    with log.open("ab") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "labrig.runner"],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    priority.go_as_others(child)
    assert child.stdin is not None
    with suppress(OSError):  # it has ended already, which whoever waits for it learns
        child.stdin.write(json.dumps({"endpoint": endpoint.model_dump(), "run": run}).encode() + b"\n")
        child.stdin.flush()
    return child


def explained(code: int) -> str:
    """A process's exit code in words."""
    if code < 0:
        return f"it was killed by {signal.Signals(-code).name}"
    return f"exit code {code}"


def _asked(
    module: str, request: dict[str, Any], seconds: float, rank: Callable[[subprocess.Popen[bytes]], None]
) -> Any:  # noqa: ANN401 - JSON
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-m", module], stdin=pipe, stdout=pipe, stderr=pipe) as child:
        rank(child)
        try:
            out, words = child.communicate(json.dumps(request).encode(), timeout=seconds)
        except subprocess.TimeoutExpired:
            child.kill()
            why = "a protocol that never ends, or an overloaded computer; end other programs and try again"
            raise ChildFailed(f"{module} did not answer within {seconds:g} s: {why}") from None
    try:
        document = json.loads(out)
    except ValueError:
        last = words.decode(errors="replace").strip().rpartition("\n")[2]
        raise ChildFailed(f"{module} broke off ({explained(child.returncode)}){last and f': {last}'}") from None
    if "error" in document:
        raise ChildFailed(document["error"])
    return document["answer"]
