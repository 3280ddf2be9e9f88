"""The server's housekeeping, twice a second: attendance, vessels about to be full or empty, disk, clock and load."""

from __future__ import annotations

import threading
from typing import Final, TextIO

from labrig.clock import SECOND, Job, WallClock, monotonic, spawn
from labrig.model import Outcome
from labrig.outlook import TRAPPED_SECONDS
from labrig.server.front import Front
from labrig.states import RigState

LOOK: Final = 0.5
BACKLOG: Final = 1.0
"""Seconds of unwritten data that are worth a warning."""
HANGS: Final = 4.0
"""Seconds without a look of the guardian: longer than making safe may take."""
LATE: Final = 0.25
"""Seconds by which the guardian may be late before people are told."""


ENDING: Final = 660.0
"""Seconds that a server may take to end in order: it files its last run first."""


class Heartbeat:
    """A context: from `guards` on a line now and then tells the supervisor that this process is awake and guards.

    From `ends` on it tells that this process is awake and ends in order, for as long as that may take.
    """

    def __init__(self, to: TextIO) -> None:
        self._to, self._over = to, threading.Event()
        self._front: Front | None = None
        self._until = 0
        self._job: Job | None = None

    def __enter__(self) -> Heartbeat:
        return self

    def guards(self, front: Front) -> None:
        """The guardian looks."""
        self._front = front
        self._job = spawn("heartbeat", self._run)

    def ends(self) -> None:
        """The guardian will not look any more."""
        self._until, self._front = monotonic() + round(ENDING * SECOND), None

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._job is not None:
            self._job.join(LOOK)  # a supervisor that is frozen does not take the line, and must not hold up the end

    def _run(self) -> None:
        while not self._over.wait(LOOK):
            front = self._front
            if not self._sound(front):
                continue
            try:
                print(file=self._to, flush=True)
            except (OSError, ValueError):
                if front is not None:
                    front.warn("supervisor", "the supervisor is gone: nobody restarts this server if it ends")
                return

    def _sound(self, front: Front | None) -> bool:
        if front is None:
            return monotonic() < self._until
        return (monotonic() - front.station.guardian.rounds.looked) / SECOND <= HANGS


class Keeper:
    """A context: looks while it lasts."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._over = threading.Event()
        self._seen = monotonic()
        self._slow = False
        self._latest = LATE
        self._safe_since = monotonic()
        self._trapped = False
        self._wall = WallClock(front.station.clock)
        self._job: Job | None = None

    def __enter__(self) -> Keeper:
        self._job = spawn("keeper", self._run)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._job is not None:
            self._job.join()

    def _run(self) -> None:
        while not self._over.wait(LOOK):
            self._attendance()
            self._outlook()
            self._disk()
            self._vent()
            self._clock()
            self._load()
            self._front.watchers.changed()

    def _attendance(self) -> None:
        """Stop an attended run in order that no desktop watches for longer than the rig file allows."""
        front = self._front
        absence = front.station.config.file.safety.absence
        if not front.conduct.attended or front.watchers.attending:
            self._seen = monotonic()
        elif (monotonic() - self._seen) / SECOND > absence:
            front.station.guardian.stop(
                Outcome.ABORTED, f"nobody has attended the run for {absence:g} s; attended methods stop then"
            )

    def _disk(self) -> None:
        """Tell of a slow disk; the recorder itself stops a run while there is still room."""
        waiting = self._front.conduct.backlog
        words = f"the disk is slow: {waiting:.0f} s of data wait in memory" if waiting > BACKLOG else ""
        if words or self._slow:
            self._front.warn("disk", words)
        self._slow = bool(words)

    def _vent(self) -> None:
        """Tell of pressure that does not go, once the rig has been safe for long enough to know."""
        station = self._front.station
        if station.guardian.state in {RigState.RUNNING, RigState.HOLD}:
            self._safe_since = monotonic()
        known = (monotonic() - self._safe_since) / SECOND > TRAPPED_SECONDS
        words = station.trapped() if known else ""
        if bool(words) != self._trapped or words:
            self._front.warn("pressure", words)
        self._trapped = bool(words)

    def _clock(self) -> None:
        """Tell of a clock that was set; also in the run's record."""
        step = self._wall.step()
        if step:
            self._front.warn("clock", self._front.station.clock_set(step))

    def _load(self) -> None:
        """Tell of an overloaded computer, once for each new record."""
        worst = self._front.station.guardian.rounds.lateness.worst
        if worst > self._latest:
            self._latest = worst
            words = f"this computer is overloaded: the guardian looked {1e3 * worst:.0f} ms late; end other programs"
            self._front.warn("load", words)

    def _outlook(self) -> None:
        for coming in self._front.station.forecasts():
            if coming.stops:
                self._front.station.guardian.stop(Outcome.FAILED, f"{coming.words}: stopped before it happens")
