"""A Bronkhorst EL-FLOW as its serial line sees it. What the plant has of it (``flow``, ``temperature``) is the plant's.

A flow that the plant does not have is its own: it follows the set-point, through a valve into the open.
"""

from __future__ import annotations

import math
from typing import Annotated, Final, Literal

from pydantic import Field

from labrig.quantities import Flow
from labrig.units import L_per_min, celsius
from labrig_instruments.simulated.propar import BYTE, FLOAT, INTEGER, TEXT, Message, MessageReader, Value, obeyed, sent
from labrig_instruments.simulated.terminal import Terminal

MOST: Final = 1.31
"""Of the capacity: where the reading ends."""
LAG: Final = 0.3
AMBIENT: Final = celsius(23)
LOCAL: Final = 0x80
"""The node that an instrument answers to at its own port, besides its number on the bus."""


class Bronkhorst:
    """One instrument at node 3."""

    kept = b"\r\n\x10\x02\x03:"

    def __init__(
        self,
        terminal: Terminal,
        *,
        baud: int = 38400,
        serial_number: str = "M6212345A",
        node: Annotated[int, Field(ge=1, le=127)] = 3,
        kind_of: Literal["controller", "meter"] = "controller",
        capacity: Annotated[Flow, Field(gt=0)] = 10 * L_per_min,
    ) -> None:
        self.baud, self.serial_number, self._node, self._terminal = baud, serial_number, node, terminal
        self._controller, self._capacity = kind_of == "controller", capacity / L_per_min
        self._setpoint, self._mode = 0.0, 0.0
        self._flow, self._at = 0.0, 0.0
        self._reader = MessageReader()
        self._values = self._parameters()

    def exchange(self, received: bytes, now: float) -> bytes:
        goal = self._setpoint if self._controller else 0.0
        self._flow = goal + (self._flow - goal) * math.exp(-max(0.0, now - self._at) / LAG)
        self._at = now
        return b"".join(
            sent(Message(message.sequence, message.node, answer))
            for message in self._reader.feed(received)
            if message.node in {self._node, LOCAL} and (answer := obeyed(message.data, self._values))
        )

    def due(self) -> float | None:
        return None

    def _measure(self) -> float:
        """Normal litres a minute."""
        flow = self._flow
        if self._terminal.has("flow") or self._terminal.overloaded:
            flow = self._terminal.measure("flow", 0.0) / L_per_min
        return min(flow, MOST * self._capacity)

    def _temperature(self) -> float:
        warmth = self._terminal.measure("temperature", AMBIENT)
        return (AMBIENT if math.isinf(warmth) else warmth) - celsius(0)

    def _set(self, flow: float) -> bool:
        allowed = self._controller and 0 <= flow <= self._capacity
        if allowed and self._mode in {0.0, 18.0}:
            self._setpoint = flow
        return allowed

    def _set_mode(self, mode: float) -> bool:
        self._mode = mode
        return True

    def _parameters(self) -> dict[tuple[int, int], Value]:
        share = 32000 / self._capacity
        return {
            (0, 0): Value(TEXT, lambda: "7SNM6212345A"),
            (1, 0): Value(INTEGER, lambda: self._measure() * share),
            (1, 1): Value(INTEGER, lambda: self._setpoint * share, lambda steps: self._set(steps / share)),
            (1, 4): Value(BYTE, lambda: self._mode, self._set_mode),
            (1, 13): Value(FLOAT, lambda: self._capacity),
            (1, 17): Value(TEXT, lambda: "N2"),
            (1, 31): Value(TEXT, lambda: "ln/min"),
            (33, 0): Value(FLOAT, self._measure),
            (33, 3): Value(FLOAT, lambda: self._setpoint, self._set),
            (33, 7): Value(FLOAT, self._temperature),
            (113, 1): Value(TEXT, lambda: "DMFC" if self._controller else "DMFM"),
            (113, 2): Value(TEXT, lambda: "F-201CV-10K-AGD" if self._controller else "F-111B-10K-AGD"),
            (113, 3): Value(TEXT, lambda: self.serial_number),
        }
