"""Starts the simulated rig as a process of its own and knows where it answers."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final

from labrig.clock import spawn
from labrig.errors import InstrumentError

START: Final = 120.0
"""Seconds that it may take to answer while it lives; two, where nothing else keeps the processor busy."""
END: Final = 5.0


class SimulatedRig:
    """``with SimulatedRig(...) as rig: rig.endpoints``; the process ends with the block, or when this process dies."""

    def __init__(self, rig_file: Path, membrane: str, seed: int) -> None:
        self._command = [
            *(sys.executable, "-m", "labrig.cli", "sim", str(rig_file)),
            *("--membrane", membrane, "--seed", str(seed), "--follow"),
        ]
        self._process: subprocess.Popen[bytes] | None = None
        self.endpoints: Mapping[str, str] = {}
        self.control = ""

    def __enter__(self) -> SimulatedRig:
        # A terminal sends Ctrl-C to its whole foreground group; the run must find its rig alive to make it safe.
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        line = self._first_line()
        if not line:
            self._end()
            raise InstrumentError(
                f"the simulated rig did not start within {START:g} s; its messages stand above. Nothing was run."
            )
        document = json.loads(line)
        self.endpoints = {"ni": document["ni"], **document["serial"]}
        self.control = document["control"]
        return self

    @property
    def lifeline(self) -> int:
        """Descriptor of the pipe that keeps the rig alive; a child that inherits it keeps it alive too."""
        assert self._process is not None
        assert self._process.stdin is not None
        return self._process.stdin.fileno()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _first_line(self) -> bytes:
        """The announcement; empty where none came in time."""
        assert self._process is not None
        assert self._process.stdout is not None
        output, lines = self._process.stdout, list[bytes]()
        came = threading.Event()

        def read() -> None:
            lines.append(output.readline())
            came.set()

        reader = spawn("simulated rig's announcement", read)
        if not came.wait(START):
            self._process.kill()
        reader.join()
        return lines[0]

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        try:
            process.wait(END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
