"""The verbs of a protocol. Every one of them ends when the run ends."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Final, Literal, Protocol

import numpy as np

from labrig.analysis.steady import Steadiness
from labrig.clock import SECOND
from labrig.errors import RigError
from labrig.link import Link
from labrig.model import Asked, Floats, Marked, Noted, Span, StepEntered, StepLeft
from labrig.reflex import Reflex

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

    def __init__(self, link: Link) -> None:
        self._link = link
        self._path: tuple[str, ...] = ()
        self._asked = 0

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """A named step; steps nest. A held run waits here, and in every other wait."""
        self._link.wait(0.0)
        outer, self._path = self._path, (*self._path, name)
        path = " / ".join(self._path)
        self._link.publish(StepEntered(self._link.now(), path))
        try:
            yield
        finally:
            self._link.publish(StepLeft(self._link.now(), path))
            self._path = outer

    def has(self, role: str) -> bool:
        """Whether this rig fills a role."""
        return role in self._link.roles

    def open(self, role: str) -> None:
        """Open the valve of that role."""
        self._link.command(self._named(role), "open")

    def close(self, role: str) -> None:
        """Close the valve of that role."""
        self._link.command(self._named(role), "close")

    def set(self, role: str, target: float) -> None:
        """Command a set-point, SI; raises `RigError` outside its limits."""
        self._link.command(self._named(role), "set", target)

    def wait(self, seconds: float) -> Span:
        """Let time pass; returns the stretch that did."""
        start = self._link.now()
        self._link.wait(seconds)
        return Span("wait", start, self._link.now())

    def wait_steady(self, *criteria: Criterion, window: float, patience: float) -> Span:
        """Wait until all criteria hold over one window of at least ``window`` seconds; returns that window.

        A window that still drifts gives up its oldest quarter; one that is merely too short grows. After ``patience``
        seconds the last window is returned with the attribute ``steady`` 0 and the reason in ``unsteady``: the
        analysis judges what that means. A hold begins the window anew, and its time counts neither way.
        """
        entered = start = now = self._link.now()
        while True:
            judgeable = min(start + window * SECOND, entered + patience * SECOND)
            before = now
            held = self._link.wait(max(LOOK, (judgeable - now) / SECOND))
            now = self._link.now()
            if held:
                entered, start = entered + now - before, now
            unmet: list[tuple[Criterion, str]] = []
            if now - start >= window * SECOND:
                judged = [(criterion, self._judge(criterion, start, now)) for criterion in criteria]
                unmet = [(criterion, verdict.words) for criterion, verdict in judged if not verdict.met]
                if not unmet:
                    return Span("steady", start, now, {"steady": 1.0})
            if now - entered >= patience * SECOND:
                why = "; ".join(words for _, words in unmet) or f"no window of {window:g} s within {patience:g} s"
                return Span("steady", start, now, {"steady": 0.0, "unsteady": why})
            if any(not criterion.wants_more for criterion, _ in unmet):
                start += round((now - start) * SHED)

    def until(
        self,
        role: str,
        *,
        patience: float,
        above: float = math.inf,
        below: float = -math.inf,
        then: Sequence[tuple[Literal["open", "close", "set"], str, float]] = (),
    ) -> Span:
        """Wait until a channel leaves ``below`` to ``above`` (SI); the rig then does ``then`` at once, by itself.

        The condition is judged on raw samples, two of three; the steps are verb, role and value (for ``set``). The
        span's attribute ``met`` is 0 where ``patience`` seconds passed without it.
        """
        start = self._link.now()
        steps = tuple((verb, self._named(output), value) for verb, output, value in then)
        reflex = Reflex(f"until {role}", self._named(role), below, above, steps)
        met = self._link.until(reflex, patience)
        return Span("until", start, met or self._link.now(), {"met": float(met > 0)})

    def mark(self, kind: str, span: Span, **attributes: float | str) -> Span:
        """Mark a stretch of the run for the analysis; attributes are SI numbers and words."""
        marked = replace(span, kind=kind, attributes={**span.attributes, **attributes})
        self._link.publish(Marked(self._link.now(), marked))
        return marked

    def measure(self, role: str, over: Span) -> float:
        """Mean of a channel over a span, SI; raises `RigError` where it has no usable sample there."""
        trace = self._link.trace(self._named(role), over.start, over.end)
        weight = trace.n.sum()
        if not weight:
            raise RigError(f"{role} has no usable sample in that span")
        return float(np.nansum(trace.mean * trace.n) / weight)

    def ask(self, text: str, *choices: str) -> str:
        """Ask the operator; returns one of the choices (``OK`` where none are given)."""
        self._asked += 1
        return self._link.ask(Asked(self._link.now(), f"q{self._asked}", text, choices or ("OK",)))

    def note(self, text: str) -> None:
        """Write a remark into the run."""
        self._link.publish(Noted(self._link.now(), text))

    def _judge(self, criterion: Criterion, start: int, now: int) -> Steadiness:
        trace = self._link.trace(self._named(criterion.channel), start, now)
        return criterion.judge((trace.times - start) / SECOND, trace.mean)

    def _named(self, role: str) -> str:
        roles = self._link.roles
        if role not in roles:
            raise RigError(f"this rig has nothing in the role {role!r}; it fills {', '.join(roles)}")
        return roles[role]
