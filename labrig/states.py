"""The states of a rig and the table of what leads from one to the next.

```
            start                 hold
   SAFE ───────────► RUNNING ◄──────────► HOLD
    ▲ ▲                 │       resume      │
    │ │ finished        │ stop              │ stop
    │ └──────────── STOPPING ◄──────────────┘
    │ reset
  TRIPPED ◄──── trip, from anywhere; latched until a person resets it
```
"""

from __future__ import annotations

import threading
from enum import StrEnum
from typing import Final

from labrig.errors import RigError


class RigState(StrEnum):
    """What the rig is doing. SAFE, STOPPING and TRIPPED have every output in its safe state."""

    SAFE = "safe"
    RUNNING = "running"
    HOLD = "hold"
    STOPPING = "stopping"
    TRIPPED = "tripped"


class Cause(StrEnum):
    """What may move a rig from one state to another."""

    START = "start"
    HOLD = "hold"
    RESUME = "resume"
    STOP = "stop"
    FINISHED = "finished"
    TRIP = "trip"
    RESET = "reset"


_S, _C = RigState, Cause
TRANSITIONS: Final = {
    (_S.SAFE, _C.START): _S.RUNNING,
    (_S.SAFE, _C.STOP): _S.SAFE,
    (_S.SAFE, _C.TRIP): _S.TRIPPED,
    (_S.RUNNING, _C.HOLD): _S.HOLD,
    (_S.RUNNING, _C.STOP): _S.STOPPING,
    (_S.RUNNING, _C.TRIP): _S.TRIPPED,
    (_S.HOLD, _C.HOLD): _S.HOLD,
    (_S.HOLD, _C.RESUME): _S.RUNNING,
    (_S.HOLD, _C.STOP): _S.STOPPING,
    (_S.HOLD, _C.TRIP): _S.TRIPPED,
    (_S.STOPPING, _C.STOP): _S.STOPPING,
    (_S.STOPPING, _C.FINISHED): _S.SAFE,
    (_S.STOPPING, _C.TRIP): _S.TRIPPED,
    (_S.TRIPPED, _C.STOP): _S.TRIPPED,
    (_S.TRIPPED, _C.TRIP): _S.TRIPPED,
    (_S.TRIPPED, _C.FINISHED): _S.TRIPPED,
    (_S.TRIPPED, _C.RESET): _S.SAFE,
}
"""What is not in the table is refused. Stop and trip are in it from every state."""


class StateMachine:
    """Where the rig stands. Any thread may move it; each move is one step of the table or is refused."""

    def __init__(self) -> None:
        self._state = RigState.SAFE
        self._lock = threading.Lock()

    @property
    def state(self) -> RigState:
        return self._state

    def move(self, cause: Cause) -> tuple[RigState, RigState]:
        """States before and after; raises `RigError` where the table has no such move."""
        with self._lock:
            before = self._state
            after = TRANSITIONS.get((before, cause))
            if after is None:
                raise RigError(f"cannot {cause.value}: the rig is {before.value}. {_ADVICE[before]}")
            self._state = after
            return before, after


_ADVICE: Final = {
    RigState.SAFE: "Nothing is running.",
    RigState.RUNNING: "A run is going on; wait for its end or stop it.",
    RigState.HOLD: "A run is held; resume or stop it.",
    RigState.STOPPING: "The run is ending; try again when it has.",
    RigState.TRIPPED: "Remove the cause of the trip and reset it first.",
}
