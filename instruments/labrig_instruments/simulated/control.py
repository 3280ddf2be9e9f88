"""The client's side of the control port: asks a simulated rig what is really so. For tests and ``labrig validate``."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

from labrig.errors import InstrumentError, LinkLost

PATIENCE: Final = 5.0
"""Seconds that an answer may take."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What is really so at one moment."""

    time: float
    """Plant seconds."""
    monotonic: int
    """The machine's monotonic clock, ns."""
    values: Mapping[str, float]
    """SI, by the plant's names."""


class Control:
    """A connection to the control port at ``host:port``. Raises `LinkLost` when the simulated rig is gone."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        try:
            self._socket = socket.create_connection((host, int(port)), PATIENCE)
        except OSError as error:
            raise LinkLost(f"control port {address}: no simulated rig answers there ({error})") from error
        self._address = address
        self._lines = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._lines.close()
        self._socket.close()

    def time(self) -> tuple[float, int]:
        """Plant seconds, and the machine's monotonic clock (ns) at the same moment."""
        answer = self.ask(op="time")
        return float(answer["time"]), int(answer["monotonic"])

    def truth(self) -> Truth:
        answer = self.ask(op="truth")
        return Truth(float(answer["time"]), int(answer["monotonic"]), answer["truth"])

    def permeance(self, start: float, end: float) -> float:
        """The membrane's true permeance between two plant times, m/s/Pa."""
        return float(self.ask(op="permeance", start=start, end=end))

    def outputs(self) -> Mapping[str, float]:
        """What each output was last commanded, by address: a coil's 0 or 1, or volts."""
        return {str(address): float(raw) for address, raw in self.ask(op="outputs").items()}

    def commands(self, since: int) -> list[tuple[int, str, float]]:
        """What was commanded since then: monotonic ns of the plant's machine, address, raw value; oldest first."""
        answer = self.ask(op="commands", since=since)
        return [(int(time), str(address), float(raw)) for time, address, raw in answer]

    def counters(self) -> Mapping[str, int]:
        """How often each RPC of the NI server was called."""
        return {str(name): int(count) for name, count in self.ask(op="counters").items()}

    def set_fault(self, fault: str, **parameters: object) -> None:
        """Let something go wrong from now on: see `labrig_instruments.simulated.faults`."""
        self.ask(op="set fault", fault={"fault": fault, **parameters})

    def clear_fault(self, fault: str, key: str = "") -> str:
        """Let it be sound again; for a balance, where it answers now."""
        return str(self.ask(op="clear fault", fault=fault, key=key))

    def clear_faults(self) -> None:
        """Let everything be sound again."""
        self.ask(op="clear faults")

    def faults(self) -> list[dict[str, Any]]:
        """Everything that is wrong, as it was set."""
        return list(self.ask(op="list faults"))

    def empty_beaker(self) -> None:
        """Pour the permeate away, as an operator does."""
        self.ask(op="empty beaker")

    def refill_vessel(self) -> None:
        """Fill the feed vessel to its first level, as an operator does."""
        self.ask(op="refill vessel")

    def ask(self, **request: object) -> Any:  # noqa: ANN401 - each op has an answer of its own shape
        """One request and its answer; raises `InstrumentError` for one that is refused."""
        try:
            self._socket.sendall(json.dumps(request).encode() + b"\n")
            line = self._lines.readline()
        except OSError as error:
            raise LinkLost(f"control port {self._address}: the simulated rig does not answer ({error})") from error
        if not line:
            raise LinkLost(f"control port {self._address}: the simulated rig has hung up")
        answer = json.loads(line)
        if "error" in answer:
            raise InstrumentError(f"control port {self._address}: {request} was refused: {answer['error']}")
        return answer["ok"]
