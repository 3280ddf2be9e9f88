"""The rig's states: no way round the table, whatever is asked in whatever order."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from labrig.ending import Tenure
from labrig.errors import LabrigError
from labrig.guardian import Guardian
from labrig.model import Event, Outcome, StateChanged
from labrig.outputs import Outputs
from labrig.safety import Interlock
from labrig.states import TRANSITIONS, Cause, RigState
from tests.core.some import PRESSURE, ManualClock, block
from tests.core.test_outputs import Valves

LIMIT = Interlock("over-pressure", "p", high=5e5, stale_after=2.0)


def test_stop_and_trip_are_possible_from_every_state() -> None:
    for state in RigState:
        assert (state, Cause.STOP) in TRANSITIONS
        assert TRANSITIONS[state, Cause.TRIP] is RigState.TRIPPED


def test_only_a_reset_leads_out_of_a_trip() -> None:
    ways_out = {cause for (state, cause), after in TRANSITIONS.items() if state is RigState.TRIPPED is not after}

    assert ways_out == {Cause.RESET}


class ARigInUse(RuleBasedStateMachine):
    """Clients, protocols and sensors do whatever they like to a guardian."""

    def __init__(self) -> None:
        super().__init__()
        self.clock, self.events = ManualClock(), list[Event]()
        self.valve = Valves("feed")
        self.outputs = Outputs(
            {"feed": self.valve.outputs[0]},
            {"feed": self.valve},
            publish=self.events.append,
            now=self.clock.now,
            parallel=False,
        )
        self.guardian = Guardian(
            interlocks=[LIMIT],
            channels={"p": PRESSURE},
            outputs=self.outputs,
            clock=self.clock,
            publish=self.events.append,
        )
        self.tenures: list[Tenure] = []
        self.pressure(1.0)

    @rule()
    def start(self) -> None:
        self._try(lambda: self.tenures.append(self.guardian.begin(5.0)))

    @rule(index=st.integers(0, 5))
    def open_the_valve(self, index: int) -> None:
        """Any protocol that ever ran may try, also one that ended long ago."""
        if self.tenures:
            self._try(lambda: self.outputs.open("feed", self.tenures[index % len(self.tenures)].permit))

    @rule()
    def protocol_ends(self) -> None:
        if self.tenures:
            self._try(lambda: self.guardian.finish(self.tenures[-1], Outcome.COMPLETED, ""))

    @rule()
    def stop(self) -> None:
        self.guardian.stop(Outcome.ABORTED, "stopped")

        assert not self.valve.state

    @rule()
    def hold(self) -> None:
        self._try(lambda: self.guardian.hold("held"))

    @rule()
    def resume(self) -> None:
        self._try(lambda: self.guardian.resume("somebody"))

    @rule()
    def reset(self) -> None:
        self._try(lambda: self.guardian.reset("somebody"))

    @rule(volts=st.sampled_from([1.0, 4.0, 9.0, float("nan")]))
    def pressure(self, volts: float) -> None:
        self.guardian(block([volts] * 4, start=self.clock.now(), step=1000))

    @rule(seconds=st.sampled_from([0.01, 1.5, 3.0, 6.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.time += round(seconds * 1e9)
        self.guardian.cycle()

    @invariant()
    def nothing_is_open_unless_a_run_is_going_on(self) -> None:
        if self.guardian.state not in {RigState.RUNNING, RigState.HOLD}:
            assert not self.valve.state

    @invariant()
    def every_move_stands_in_the_table(self) -> None:
        moves = {(str(before), str(after)) for (before, _), after in TRANSITIONS.items()}
        for event in self.events:
            if isinstance(event, StateChanged):
                assert (event.before, event.after) in moves

    @invariant()
    def a_trip_has_a_reason(self) -> None:
        assert (self.guardian.state is RigState.TRIPPED) == bool(self.guardian.trip_reason)

    def _try(self, verb: Callable[[], object]) -> None:
        with contextlib.suppress(LabrigError):
            verb()


ARigInUse.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestARigInUse = ARigInUse.TestCase
