"""The guardian: a hundred times a second it looks whether the rig may go on as it does, and it alone decides.

It trips on guard channels (limits, NaN, open loop, silence) and latches; it holds a run whose measurement channels are
silent; it stops a run whose protocol is silent; it pets the hardware watchdog at the end of a complete, fresh cycle.
Making safe comes first, telling comes afterwards.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Final

import numpy as np

from labrig.clock import SECOND, Clock, Job, Lateness, spawn
from labrig.ending import Tenure
from labrig.errors import RigError
from labrig.model import Block, Channel, Event, Faulted, Outcome, Quality, StateChanged
from labrig.outputs import DEADLINE, Outputs
from labrig.roles import Watchdog
from labrig.safety import Breach, Interlock, Watch
from labrig.states import Cause, RigState, StateMachine
from labrig.watchdogs import Watchdogs

log = logging.getLogger(__name__)
CYCLE: Final = 0.01
"""Seconds between two looks."""
HOLD_AFTER: Final = 2.0
"""Seconds without a usable sample of a channel that the protocol needs, after which the run is held."""
COMING_BACK: Final = 5.0
"""Seconds within which guard channels must speak again when a watchdog was armed anew."""
WAITING: Final = 0.1
SETTLED: Final = DEADLINE + 1.0
"""Seconds within which whoever ends a run has made the rig safe."""
_UNUSABLE: Final = np.uint8(Quality.MISSING | Quality.OPEN_LOOP)


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
    ) -> None:
        """``holds``: whether somebody can resume a held run; otherwise what would hold a run stops it."""
        self._interlocks, self._holds = tuple(interlocks), holds
        self._outputs, self._clock, self._publish, self._watchdogs = outputs, clock, publish, Watchdogs(watchdogs)
        self._machine = StateMachine()
        self._watch = Watch(interlocks, channels, self._broken)
        self._fresh: dict[str, int] = {interlock.channel: clock.now() for interlock in interlocks}
        self._breaches: dict[str, Breach] = {}
        self._tenure: Tenure | None = None
        self._trip_reason = ""
        self._lock = threading.Lock()
        self._stops = self._securing = 0
        self.lateness = Lateness()
        self.looked = clock.now()
        """When it last looked; an old time means that it hangs."""
        self._unheard = set(self._fresh)
        self.heard = threading.Event()
        """Set once every guard channel has delivered a sample: before that nobody knows whether a run may begin."""
        self._wake = threading.Event()
        self._over = threading.Event()
        self._thread: Job | None = None

    @property
    def state(self) -> RigState:
        return self._machine.state

    @property
    def standing(self) -> str:
        """Which interlocks are broken now, in words; empty when none is."""
        return "; ".join(breach.reason for breach in tuple(self._breaches.values()))

    @property
    def trip_reason(self) -> str:
        """Why the rig is tripped; empty while it is not."""
        return self._trip_reason

    def __call__(self, item: Block | Event) -> None:
        """A sink: takes note of guard channels; a lost vote wakes the guardian at once."""
        if isinstance(item, Block) and len(item):
            for name in item.channels:
                if name in self._fresh:
                    self._fresh[name] = int(item.times[-1])
                    self._unheard.discard(name)
            self._watch(item)
            if not self._unheard:
                self.heard.set()
            if self._tenure is not None:
                _note_usable(self._tenure.needed, item)

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
        self._fresh = dict.fromkeys(self._fresh, self._clock.now())
        if not self._clock.virtual:
            self._thread = spawn("guardian", self._run)

    def close(self) -> None:
        """Stop whatever runs, leave every output safe, end the thread."""
        self.stop(Outcome.ABORTED, "the rig was closed")
        self._over.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            log.info("guardian: %s", self.lateness)
        self._secure(None, "")

    def begin(self, silence: float, needed: Sequence[str] = (), *, asked: int | None = None) -> Tenure:
        """Hand the rig to a run that needs these channels; raises `RigError` where it is not safe or not sound.

        ``asked``: what `stops` was when the run was asked for.
        """
        tenure = Tenure(silence, [name for name in needed if name not in self._fresh], self._clock)
        with self._lock:
            if self._breaches:
                raise RigError(f"cannot start: {self.standing}. Nothing was started.")
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
            self._trip_reason = reason
            self._secure(Cause.TRIP, reason)
            if tenure is not None and ended:
                tenure.settled.set()

    def reset(self, by: str) -> None:
        """Release a trip; raises `RigError` while its cause stands, or while an output cannot be made safe."""
        if self._machine.state is not RigState.TRIPPED:
            self._move(Cause.RESET, "")  # raises, and says what to do
        self._rearm()
        if self._breaches:
            raise RigError(f"cannot reset: {self.standing}. The rig stays tripped.")
        with self._nothing_begins() as tenure:
            if tenure is not None:
                raise RigError("cannot reset: the run is still ending; try again when it has. The rig stays tripped.")
            failures = self._outputs.make_safe(anew=True)
            if failures:
                raise RigError(f"cannot reset: {'; '.join(failures)} The rig stays tripped.")
            self._trip_reason = ""
            self._move(Cause.RESET, f"reset by {by}")

    def hold(self, reason: str) -> None:
        """Keep the run where it is: its verbs wait. Raises `RigError` without a run."""
        self._move(Cause.HOLD, reason)
        if self._tenure is not None:
            self._tenure.held.set()

    def resume(self, by: str) -> None:
        """Let a held run go on; raises `RigError` where none is held."""
        self._move(Cause.RESUME, f"resumed by {by}")
        if self._tenure is not None:
            self._tenure.renew()
            self._tenure.needed.update(dict.fromkeys(self._tenure.needed, self._clock.now()))
            self._tenure.held.clear()

    def cycle(self) -> None:
        """One look; public for virtual time and for tests."""
        now = self.looked = self._clock.now()
        self._judge_silence(now)
        if self._breaches and self._machine.state is not RigState.TRIPPED:
            self.trip(self.standing)
        tenure = self._tenure
        if tenure is not None and not tenure.held.is_set() and tenure.silent_for() > 0:
            why = "the protocol has given no sign of life for longer than its method allows"
            self._end(tenure, Outcome.FAILED, why)
        if tenure is not None and self._machine.state is RigState.RUNNING:
            self._judge_measurements(tenure, now)
        self._pet(now)

    def _run(self) -> None:
        due = self._clock.now()
        while not self._over.is_set():
            woken = self._wake.wait(max(0.0, (due - self._clock.now()) / SECOND))
            self._wake.clear()
            if not woken:
                self.lateness.add((self._clock.now() - due) / SECOND)
            due = self._clock.now() + round(CYCLE * SECOND)
            try:
                self.cycle()
            except Exception as error:
                log.exception("the guardian failed")
                self.trip(f"the guardian failed ({type(error).__name__}: {error}); restart the server")
                return  # unpetted, the hardware watchdog makes sure of it

    def _judge_silence(self, now: int) -> None:
        for interlock in self._interlocks:
            silence = (now - self._fresh[interlock.channel]) / SECOND
            standing = self._breaches.get(interlock.name)
            if silence > interlock.stale_after:
                reason = f"{interlock.name}: {interlock.channel} has been silent for {silence:.1f} s"
                self._breaches[interlock.name] = Breach(interlock, now, reason)
            elif standing is not None and self._fresh[interlock.channel] > standing.time + SECOND:
                del self._breaches[interlock.name]

    def _judge_measurements(self, tenure: Tenure, now: int) -> None:
        silent = [name for name, seen in tenure.needed.items() if (now - seen) / SECOND > HOLD_AFTER]
        if not silent:
            return
        words = f"{', '.join(silent)}: no valid value for {HOLD_AFTER:g} s"
        if not self._holds:
            self._end(tenure, Outcome.FAILED, words)
        else:
            with suppress(RigError):  # the run ended between the question and this
                self.hold(f"{words}; mend it and resume, or stop")

    def _broken(self, breach: Breach) -> None:
        self._breaches[breach.interlock.name] = breach
        if self._clock.virtual:
            self.trip(breach.reason)
        else:
            self._wake.set()

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

    def _pet(self, now: int) -> None:
        fresh = all((now - self._fresh[i.channel]) / SECOND <= i.stale_after for i in self._interlocks)
        if not fresh:
            return
        for watchdog, what in self._watchdogs.pet():
            self._learn(watchdog, what)

    def _learn(self, watchdog: str, what: str) -> None:
        """A trip; where something else tripped the rig already, such as the silence after a freeze, one more reason."""
        reason = f"{watchdog}: {what}"
        if self._machine.state is not RigState.TRIPPED:
            self.trip(reason)
        elif reason not in self._trip_reason:
            self._trip_reason += f"; {reason}"
            self._publish(Faulted(self._clock.now(), watchdog, what, "DEV-13"))

    def _rearm(self) -> None:
        """Watchdogs guard again; raises `RigError` where one does not, or where no guard channel speaks afterwards.

        A device that had to be reset for it takes its other tasks along, which pollers then open anew.
        """
        if not self._watchdogs.rearm():
            return
        since, channels = self._clock.now(), set(self._fresh)
        for _ in range(round(COMING_BACK / WAITING)):
            channels = {name for name in channels if self._fresh[name] <= since}
            if not channels and not self._breaches:
                return
            self._clock.wait(WAITING, self._over)
        if channels:
            raise RigError(f"cannot reset: {', '.join(sorted(channels))} silent. The rig stays tripped.")

    def _move(self, cause: Cause, reason: str) -> None:
        self._tell(*self._machine.move(cause), reason)

    def _tell(self, before: RigState, after: RigState, reason: str) -> None:
        if before is not after:
            self._publish(StateChanged(self._clock.now(), before.value, after.value, reason))


def _note_usable(needed: dict[str, int], block: Block) -> None:
    """Remember when each needed channel last had a value."""
    for column, name in enumerate(block.channels):
        if name in needed:
            usable = np.flatnonzero((block.quality[:, column] & _UNUSABLE) == 0)
            if len(usable):
                needed[name] = int(block.times[usable[-1]])
