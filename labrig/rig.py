"""The verbs of a protocol. Every one of them ends when the run ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Final, Protocol

import numpy as np

from labrig.analysis.steady import Steadiness
from labrig.clock import SECOND, Clock
from labrig.ending import Ending
from labrig.errors import RigError
from labrig.history import History
from labrig.model import Event, Floats, Marked, Noted, Span, StepEntered, StepLeft
from labrig.outputs import Outputs

LOOK: Final = 0.5
"""Seconds between two looks of a wait."""
SHED: Final = 0.25
"""Share of a window that is given up, oldest first, when it still drifts."""


class Criterion(Protocol):
    """One condition of steadiness; see `labrig.analysis.steady`."""

    @property
    def channel(self) -> str:
        """The role or channel that it looks at."""
        ...

    @property
    def wants_more(self) -> bool:
        """What mends it: more data (True), or later data (False)."""
        ...

    def judge(self, times: Floats, values: Floats) -> Steadiness: ...


class Rig:
    """What a scripter holds during a run."""

    def __init__(
        self,
        *,
        outputs: Outputs,
        roles: Mapping[str, str],
        history: History,
        publish: Callable[[Event], None],
        clock: Clock,
        ending: Ending,
    ) -> None:
        self._outputs, self._roles, self._history = outputs, roles, history
        self._publish, self._clock, self._ending = publish, clock, ending
        self._path: tuple[str, ...] = ()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """A named step; steps nest."""
        self._ending.check()
        outer, self._path = self._path, (*self._path, name)
        path = " / ".join(self._path)
        self._publish(StepEntered(self._clock.now(), path))
        try:
            yield
        finally:
            self._publish(StepLeft(self._clock.now(), path))
            self._path = outer

    def has(self, role: str) -> bool:
        """Whether this rig fills a role."""
        return role in self._roles

    def open(self, role: str) -> None:
        """Open the valve of that role."""
        self._outputs.open(self._named(role))

    def close(self, role: str) -> None:
        """Close the valve of that role."""
        self._outputs.close(self._named(role))

    def set(self, role: str, target: float) -> None:
        """Command a set-point, SI; raises `RigError` outside its limits."""
        self._outputs.set(self._named(role), target)

    def wait(self, seconds: float) -> Span:
        """Let time pass; returns the stretch that did."""
        start = self._clock.now()
        self._clock.wait(seconds, self._ending.event)
        self._ending.check()
        return Span("wait", start, self._clock.now())

    def wait_steady(self, *criteria: Criterion, window: float, patience: float) -> Span:
        """Wait until all criteria hold over one window of at least ``window`` seconds; returns that window.

        A window that still drifts gives up its oldest quarter; one that is merely too short grows. After ``patience``
        seconds the last window is returned with the attribute ``steady`` 0 and the reason in ``unsteady``: the
        analysis judges what that means.
        """
        entered = start = self._clock.now()
        while True:
            self.wait(LOOK)
            now = self._clock.now()
            unmet: list[str] = []
            if now - start >= window * SECOND:
                judged = [(criterion, self._judge(criterion, start, now)) for criterion in criteria]
                unmet = [verdict.words for _, verdict in judged if not verdict.met]
                if not unmet:
                    return Span("steady", start, now, {"steady": 1.0})
            if now - entered >= patience * SECOND:
                why = "; ".join(unmet) or f"no window of {window:g} s within {patience:g} s"
                return Span("steady", start, now, {"steady": 0.0, "unsteady": why})
            if unmet and any(not verdict.met and not criterion.wants_more for criterion, verdict in judged):
                start += round((now - start) * SHED)

    def mark(self, kind: str, span: Span, **attributes: float | str) -> Span:
        """Mark a stretch of the run for the analysis; attributes are SI numbers and words."""
        marked = replace(span, kind=kind, attributes={**span.attributes, **attributes})
        self._publish(Marked(self._clock.now(), marked))
        return marked

    def measure(self, role: str, over: Span) -> float:
        """Mean of a channel over a span, SI; raises `RigError` where it has no usable sample there."""
        trace = self._history.trace(self._named(role), over.start, over.end)
        weight = trace.n.sum()
        if not weight:
            raise RigError(f"{role} has no usable sample in that span")
        return float(np.nansum(trace.mean * trace.n) / weight)

    def note(self, text: str) -> None:
        """Write a remark into the run."""
        self._publish(Noted(self._clock.now(), text))

    def _judge(self, criterion: Criterion, start: int, now: int) -> Steadiness:
        trace = self._history.trace(self._named(criterion.channel), start, now)
        return criterion.judge((trace.times - start) / SECOND, trace.mean)

    def _named(self, role: str) -> str:
        if role not in self._roles:
            raise RigError(f"this rig has nothing in the role {role!r}; it fills {', '.join(self._roles)}")
        return self._roles[role]
