"""The guardian: a hundred times a second it looks whether the rig may go on as it does, and it alone decides.

It trips on guard channels (limits, NaN, open loop, silence) and latches; it holds a run whose measurement channels are
silent; it stops a run whose protocol is silent; it pets the hardware watchdog at the end of a complete, fresh cycle.
Making safe comes first, telling comes afterwards.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import MappingProxyType
from typing import Final

from labrig.clock import Clock
from labrig.ending import Tenure
from labrig.errors import RigError
from labrig.guards import Guards
from labrig.model import Block, Channel, Event, Faulted, Outcome, StateChanged
from labrig.outputs import DEADLINE, Outputs
from labrig.roles import Watchdog
from labrig.rounds import Rounds
from labrig.safety import Breach, Interlock
from labrig.states import Cause, RigState, StateMachine
from labrig.watchdogs import Watchdogs

HOLD_AFTER: Final = 2.0
"""Seconds without a usable sample of a channel that the protocol needs, after which the run is held."""
COMING_BACK: Final = 8.0
"""Seconds within which guard channels must speak again when a watchdog was armed anew."""
WAITING: Final = 0.1
SETTLED: Final = DEADLINE + 1.0
"""Seconds within which whoever ends a run has made the rig safe."""


class Guardian:
    """Decides. Any thread may ask it to stop, trip or hold; each is idempotent."""

    def __init__(
        self,
        *,
        interlocks: Sequence[Interlock],
        channels: Mapping[str, Channel],
        outputs: Outputs,
        clock: Clock,
        publish: Callable[[Event], None],
        watchdogs: Sequence[Watchdog] = (),
        holds: bool = True,
        frozen: Mapping[str, float] = MappingProxyType({}),
    ) -> None:
        """``holds``: whether somebody can resume a held run, else it is stopped; ``frozen``: patience by channel, s."""
        self._outputs, self._clock, self._publish, self._holds = outputs, clock, publish, holds
        self._watchdogs = Watchdogs(watchdogs, clock.now, self._learn)
        self._machine = StateMachine()
        self.guards = Guards(interlocks, channels, clock.now, self._broken, frozen)
        self.rounds = Rounds("guardian", self.cycle, self._failed, clock)
        self._tenure: Tenure | None = None
        self._trip_reason = ""
        self._lock, self._resetting = threading.Lock(), threading.Lock()
        self._stops = self._securing = 0

    @property
    def state(self) -> RigState:
        return self._machine.state

    @property
    def trip_reason(self) -> str:
        """Why the rig is tripped; empty while it is not."""
        return self._trip_reason

    def __call__(self, item: Block | Event) -> None:
        """A sink: takes note of guard channels; a lost vote wakes the guardian at once."""
        self.guards(item)
        if self._tenure is not None and isinstance(item, Block):
            self._tenure.notice(item)

    @property
    def stops(self) -> int:
        """How often the rig was stopped or tripped: what was asked for before a stop must not begin after it."""
        return self._stops

    def start(self) -> None:
        """Begin to look; every output is made safe first, because labrig does not know who commanded it before.

        A hardware watchdog that is found expired is a trip: the last labrig died or hung.
        """
        self._trip_reason = self._watchdogs.found_expired()
        self._secure(Cause.TRIP if self._trip_reason else None, self._trip_reason)
        self.guards.listen()
        if not self._clock.virtual:
            self._watchdogs.start()
            self.rounds.start()

    def close(self) -> None:
        """Stop whatever runs, leave every output safe, end the thread."""
        self.stop(Outcome.ABORTED, "the rig was closed")
        self.rounds.close()
        self._watchdogs.close()
        self._secure(None, "")

    def begin(self, silence: float, needed: Sequence[str] = (), *, asked: int | None = None) -> Tenure:
        """Hand the rig to a run that needs these channels; raises `RigError` where it is not safe or not sound.

        ``asked``: what `stops` was when the run was asked for.
        """
        tenure = Tenure(silence, [name for name in needed if name not in self.guards], self._clock)
        with self._lock:
            if self.guards.standing:
                raise RigError(f"cannot start: {self.guards.standing}. Nothing was started.")
            if self._securing or asked not in {None, self._stops}:
                raise RigError("cannot start: the rig was stopped in the meantime. Nothing was started.")
            before, after = self._machine.move(Cause.START)
            self._tenure = tenure
        self._tell(before, after, "")
        return tenure

    def end(self, tenure: Tenure, outcome: Outcome, reason: str) -> None:
        """A run's protocol says that it is over: outputs safe at once. `finish` follows when its process is gone."""
        if not self._end(tenure, outcome, reason):
            tenure.settled.wait(SETTLED)

    def finish(self, tenure: Tenure, outcome: Outcome, reason: str) -> None:
        """A run is over, however it ended: outputs safe, rig free for the next; raises `RigError` for an old run."""
        if self._tenure is not tenure:
            raise RigError("that run is over")
        self.end(tenure, outcome, reason)
        with self._lock:
            self._tenure = None
        self._move(Cause.FINISHED, tenure.ending.reason)

    def stop(self, outcome: Outcome, reason: str) -> None:
        """Stop the run, if there is one, and make every output safe in any case. Needs nobody's consent."""
        with self._nothing_begins() as tenure:
            if tenure is None:
                self._secure(None, "")
            elif not self._end(tenure, outcome, reason):
                self._secure(None, "")
                tenure.settled.wait(SETTLED)

    def trip(self, reason: str) -> None:
        """Make everything safe and latch until a person resets it."""
        if self._machine.state is RigState.TRIPPED:
            return
        with self._nothing_begins() as tenure:
            ended = tenure is not None and tenure.ending.end(Outcome.TRIPPED, reason)
            self._trip_reason = self._trip_reason or reason
            self._secure(Cause.TRIP, reason)
            if tenure is not None and ended:
                tenure.settled.set()

    def reset(self, by: str) -> None:
        """Release a trip for good; raises `RigError` while its cause stands, or while the rig cannot be guarded."""
        if self._machine.state is not RigState.TRIPPED:
            self._move(Cause.RESET, "")  # raises, and says what to do
        if not self._resetting.acquire(blocking=False):
            raise RigError("cannot reset: somebody else is doing so; see what comes of it")
        try:
            with self._nothing_begins() as tenure:
                if tenure is not None:
                    raise RigError(_not_reset("the run is still ending; try again when it has"))
                self._make_sound()
                self._trip_reason = ""
                self._move(Cause.RESET, f"reset by {by}")
        finally:
            self._resetting.release()

    def hold(self, reason: str) -> None:
        """Keep the run where it is: its verbs wait. Raises `RigError` without a run."""
        self._move(Cause.HOLD, reason)
        if self._tenure is not None:
            self._tenure.held.set()

    def resume(self, by: str) -> None:
        """Let a held run go on; raises `RigError` where none is held, and where it would be held again at once."""
        tenure = self._tenure
        if tenure is not None and tenure.held.is_set() and (why := tenure.unfit(HOLD_AFTER, self.guards.frozen)):
            raise RigError(f"cannot resume: {why}; mend it first, or stop")
        self._move(Cause.RESUME, f"resumed by {by}")
        if tenure is not None:
            tenure.go_on()

    def cycle(self) -> None:
        """One look; public for virtual time and for tests."""
        now = self._clock.now()
        self.guards.judge_silence(now)
        standing = self.guards.standing
        if standing and self._machine.state is not RigState.TRIPPED:
            self.trip(standing)
        tenure = self._tenure
        if tenure is not None and not tenure.held.is_set() and tenure.silent_for() > 0:
            why = "the protocol has given no sign of life for longer than its method allows"
            self._end(tenure, Outcome.FAILED, why)
        if tenure is not None and self._machine.state is RigState.RUNNING:
            self._judge_measurements(tenure)
        if self.guards.fresh(now):
            self._watchdogs.pet()

    def _failed(self, error: Exception) -> None:
        """The looks have ended; unpetted, the hardware watchdog makes sure of it."""
        self.trip(f"the guardian failed ({type(error).__name__}: {error}); restart the server")

    def _judge_measurements(self, tenure: Tenure) -> None:
        words = tenure.unfit(HOLD_AFTER, self.guards.frozen)
        if not words:
            return
        if not self._holds:
            self._end(tenure, Outcome.FAILED, words)
        else:
            with suppress(RigError):  # the run ended between the question and this
                self.hold(f"{words}; mend it and resume, or stop")

    def _broken(self, breach: Breach) -> None:
        if self._clock.virtual:
            self.trip(breach.reason)
        else:
            self.rounds.wake()

    @contextmanager
    def _nothing_begins(self) -> Iterator[Tenure | None]:
        """The present run, while the rig is made safe: one that was asked for before does not begin meanwhile."""
        with self._lock:
            self._stops, self._securing = self._stops + 1, self._securing + 1
            tenure = self._tenure
        try:
            yield tenure
        finally:
            with self._lock:
                self._securing -= 1

    def _end(self, tenure: Tenure, outcome: Outcome, reason: str) -> bool:
        """Outputs safe, then the state; False where the run had ended before."""
        if not tenure.ending.end(outcome, reason):
            return False
        self._secure(Cause.STOP, reason)
        tenure.settled.set()
        return True

    def _secure(self, cause: Cause | None, reason: str) -> None:
        """Outputs safe, then the state, then the telling. An output that cannot be made safe is a trip."""
        failures = self._outputs.make_safe()
        if failures:
            words = f"not made safe: {'; '.join(failures)}"
            cause, reason = Cause.TRIP, f"{reason}; {words}" if reason else words
            self._trip_reason = reason
        if cause is not None:
            self._move(cause, reason)
        for failure in failures:
            self._publish(Faulted(self._clock.now(), "outputs", f"not made safe: {failure}", "DEV-09"))

    def _learn(self, watchdog: str, what: str) -> None:
        """A trip; where something else tripped the rig already, such as the silence after a freeze, one more reason."""
        reason = f"{watchdog}: {what}"
        if self._machine.state is not RigState.TRIPPED:
            self.trip(reason)
        elif reason not in self._trip_reason:
            self._trip_reason += f"; {reason}"
            self._publish(Faulted(self._clock.now(), watchdog, what, "DEV-13"))

    def _make_sound(self) -> None:
        """Watchdogs guard, outputs are safe, guard channels speak and stay within their limits; else `RigError`.

        A device that had to be reset so that its watchdog guards again takes its other tasks along, which pollers then
        open anew. Its watchdog is petted meanwhile: nothing is commanded, and it would run out before they are back.
        """
        since = self._clock.now()
        renewed = self._watchdogs.rearm()
        if self.guards.standing and not renewed:
            raise RigError(_not_reset(self.guards.standing))
        failures = self._outputs.make_safe(anew=True)
        if failures:
            raise RigError(_not_reset("; ".join(failures)))
        lost = self._waited_for_guards(since) if renewed else ""
        trouble = lost or self.guards.standing or self._watchdogs.trouble()
        if trouble:
            raise RigError(_not_reset(trouble))

    def _waited_for_guards(self, since: int) -> str:
        """Which guard channels are not back since then, in words; empty as soon as all are."""
        lost: tuple[str, ...] = ()
        for _ in range(round(COMING_BACK / WAITING)):
            lost = self.guards.not_back(since)
            if not lost and not self.guards.standing:
                return ""
            self._watchdogs.pet()
            self._clock.wait(WAITING, self.rounds.over)
        return f"{', '.join(lost)} silent" if lost else ""

    def _move(self, cause: Cause, reason: str) -> None:
        self._tell(*self._machine.move(cause), reason)

    def _tell(self, before: RigState, after: RigState, reason: str) -> None:
        if before is not after:
            self._publish(StateChanged(self._clock.now(), before.value, after.value, reason))


def _not_reset(why: str) -> str:
    return f"cannot reset: {why.removesuffix('.')}. The rig stays tripped."
