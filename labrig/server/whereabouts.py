"""Where a run is: its step, since when, and for how long it was held meanwhile."""

from __future__ import annotations

from labrig.model import Block, Event, StateChanged, StepEntered
from labrig.states import RigState


class Whereabouts:
    """Told every event of a run; times are monotonic ns."""

    def __init__(self) -> None:
        self.step = ""
        self.entered = 0
        self.held = 0
        """Of holds that are over, ns since the step was entered."""
        self._held_since = 0

    def take(self, item: Block | Event) -> bool:
        """Returns whether it tells something new."""
        match item:
            case StepEntered(time=time, path=path):
                self.step, self.entered, self.held = path, time, 0
                self._held_since = time if self._held_since else 0
            case StateChanged(time=time, after=RigState.HOLD.value):
                self._held_since = time
            case StateChanged(time=time, before=RigState.HOLD.value) if self._held_since:
                self.held += time - self._held_since
                self._held_since = 0
            case _:
                return False
        return True
