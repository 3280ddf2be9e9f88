"""A protocol's verbs on the twin of a shipped bench, in virtual time. What is true is asked of the plant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from labrig.analysis.steady import Near
from labrig.clock import SECOND
from labrig.config import find_rig, load_rig
from labrig.errors import AnalysisError, RigError
from labrig.header import MethodFacts, Order
from labrig.model import (
    Analysis,
    Answered,
    Asked,
    Commanded,
    Coupon,
    Noted,
    Outcome,
    RunData,
    Span,
    StateChanged,
    StepEntered,
    StepLeft,
)
from labrig.plant import load_membrane
from labrig.rehearsal import Rehearsal, rehearse
from labrig.rig import Rig
from labrig.units import psi
from labrig_protocols.water import feed_open, vent


@dataclass(frozen=True)
class Script:
    """A protocol made of one function."""

    title: ClassVar[str] = "Script"
    needs: ClassVar[tuple[str, ...]] = ("pressure",)
    skipped: ClassVar[tuple[str, ...]] = ()
    body: Callable[[Rig], None]

    def run(self, rig: Rig) -> None:
        self.body(rig)

    def analyse(self, run: RunData) -> Analysis:
        raise AnalysisError("a script has no result")


BENCH = find_rig("bench-25")


def played(
    body: Callable[[Rig], None], *, needs: tuple[str, ...] = ("pressure",), rig: Path = BENCH, seed: int = 1
) -> Rehearsal:
    facts = MethodFacts("script", "1", "script", "Script", {}, skipped=(), needs=needs)
    order = Order(facts, Coupon("C"), "test")
    return rehearse(Script(body), order, load_rig(rig), load_membrane("example-v"), seed=seed)


def test_steps_nest_and_are_left_in_turn_even_when_something_is_raised() -> None:
    def body(rig: Rig) -> None:
        with rig.step("outer"):
            rig.wait(1.0)
            with rig.step("inner"):
                raise RigError("on purpose")

    done = played(body)

    steps = [(type(e), e.path) for e in done.run.events if isinstance(e, StepEntered | StepLeft)]
    assert steps == [
        (StepEntered, "outer"),
        (StepEntered, "outer / inner"),
        (StepLeft, "outer / inner"),
        (StepLeft, "outer"),
    ]
    assert (done.outcome, done.reason) == (Outcome.FAILED, "on purpose")


def test_a_wait_takes_its_time_to_the_nanosecond_and_returns_the_stretch() -> None:
    spans: list[Span] = []

    played(lambda rig: spans.append(rig.wait(2.75)))

    assert spans[0].end - spans[0].start == 2.75 * SECOND


def test_what_is_measured_is_the_mean_of_what_was_recorded() -> None:
    found: list[tuple[float, Span]] = []

    def body(rig: Rig) -> None:
        span = rig.wait(4.0)
        found.append((rig.measure("feed_pressure", span), span))

    done = played(body)

    value, span = found[0]
    recorded = done.run.series("feed_pressure", span).values
    assert value == pytest.approx(recorded.mean(), abs=3 * recorded.std())


def test_a_role_that_the_rig_does_not_fill_is_named_with_those_that_it_fills() -> None:
    done = played(lambda rig: rig.open("bypass"))

    assert done.outcome is Outcome.FAILED
    assert "'bypass'" in done.reason
    assert "feed, vent, drain" in done.reason


def test_a_rig_says_which_roles_it_fills() -> None:
    said: list[bool] = []

    played(lambda rig: said.extend((rig.has("feed"), rig.has("bypass"))))

    assert said == [True, False]


@pytest.mark.parametrize("target", [-1 * psi, 81 * psi, float("nan"), float("inf")])
def test_a_set_point_outside_its_limits_is_refused_and_never_sent(target: float) -> None:
    done = played(lambda rig: rig.set("pressure", target))

    assert done.outcome is Outcome.FAILED
    assert "nothing was sent" in done.reason
    assert not [e for e in done.run.events if isinstance(e, Commanded) and e.command == "set"]


def test_a_valve_cannot_be_set_and_a_regulator_not_opened() -> None:
    assert "can be opened and closed, not set" in played(lambda rig: rig.set("feed", 1.0)).reason
    assert "can be set, not opened" in played(lambda rig: rig.open("pressure")).reason


def test_a_rig_that_lacks_what_a_protocol_needs_never_starts() -> None:
    with pytest.raises(RigError, match="needs bypass, which the rig bench-25 does not have; nothing was started"):
        played(lambda rig: None, needs=("bypass",))


def test_a_plateau_that_does_not_come_is_returned_as_what_it_is_after_the_patience() -> None:
    spans: list[Span] = []

    def body(rig: Rig) -> None:
        spans.append(rig.wait_steady(Near("feed_pressure", 50 * psi, 0.1), window=3.0, patience=12.0))
        rig.mark("plateau", spans[0], target=50 * psi)

    done = played(body)

    assert spans[0].attributes["steady"] == 0.0
    assert "feed_pressure" in str(spans[0].attributes["unsteady"])
    assert spans[0].end == pytest.approx(12.0 * SECOND, abs=1.0 * SECOND)
    (marked,) = done.run.spans("plateau")
    assert marked.attributes["target"] == 50 * psi
    assert marked.attributes["steady"] == 0.0


def test_a_window_longer_than_the_patience_ends_with_the_patience() -> None:
    spans: list[Span] = []

    played(lambda rig: spans.append(rig.wait_steady(Near("feed_pressure", 0.0, 1.0), window=60.0, patience=5.0)))

    assert spans[0].attributes["steady"] == 0.0
    assert spans[0].end == 5.0 * SECOND


def test_fed_and_vented_the_plant_is_where_the_verbs_say() -> None:
    seen: list[float] = []

    def body(rig: Rig) -> None:
        with feed_open(rig):
            rig.set("pressure", 20 * psi)
            rig.wait(10.0)
            seen.append(rig.measure("feed_pressure", rig.wait(2.0)))
        vent(rig)
        rig.wait(20.0)

    done = played(body)

    assert seen[0] == pytest.approx(20 * psi, rel=0.03)
    truth = done.plant.truth()
    assert (truth["feed_open"], truth["vent_open"]) == (0.0, 1.0)
    assert truth["feed_pressure"] < 1 * psi


def test_whatever_a_protocol_leaves_the_rig_is_made_safe_at_its_end() -> None:
    def body(rig: Rig) -> None:
        rig.close("vent")
        rig.open("feed")
        rig.set("pressure", 30 * psi)
        rig.wait(1.0)

    done = played(body)

    last = {e.output: (e.command, e.value) for e in done.run.events if isinstance(e, Commanded)}
    assert last == {
        "feed_valve": ("made safe", 0.0),
        "vent_valve": ("made safe", 1.0),
        "drain_valve": ("made safe", 0.0),
        "pressure_setpoint": ("made safe", 0.0),
    }
    states = [(e.before, e.after) for e in done.run.events if isinstance(e, StateChanged)]
    assert states == [("safe", "running"), ("running", "stopping"), ("stopping", "safe")]


def test_a_question_is_recorded_with_its_answer_and_by_whom() -> None:
    answers: list[str] = []

    played_run = played(lambda rig: answers.append(rig.ask("Is the beaker empty?", "Yes", "No"))).run

    assert answers == ["Yes"]
    (question,) = [e for e in played_run.events if isinstance(e, Asked)]
    (answer,) = [e for e in played_run.events if isinstance(e, Answered)]
    assert (question.text, question.choices) == ("Is the beaker empty?", ("Yes", "No"))
    assert (answer.question, answer.answer, answer.by) == (question.question, "Yes", "rehearsal")


def test_a_note_is_recorded() -> None:
    done = played(lambda rig: rig.note("Bubbles in the line."))

    assert "Bubbles in the line." in [e.text for e in done.run.events if isinstance(e, Noted)]


def test_a_protocols_own_mistake_is_its_reason_and_ends_no_program() -> None:
    def body(rig: Rig) -> None:
        rig.wait(1.0)
        dict[str, int]()["missing"]

    done = played(body)

    assert done.outcome is Outcome.FAILED
    assert "KeyError" in done.reason
    assert "missing" in done.reason


def test_an_interlock_trips_in_virtual_time_as_well(tmp_path: Path) -> None:
    path = tmp_path / "low.toml"
    path.write_text(BENCH.read_text(encoding="utf-8").replace('high = "85 psi"', 'high = "15 psi"'), encoding="utf-8")

    def body(rig: Rig) -> None:
        with feed_open(rig):
            rig.set("pressure", 30 * psi)
            rig.wait(60.0)
            rig.note("went on")

    done = played(body, rig=path)

    assert done.outcome is Outcome.TRIPPED
    assert done.reason.startswith("over_pressure: feed_pressure 15.")
    assert "went on" not in [e.text for e in done.run.events if isinstance(e, Noted)]
    assert done.plant.truth()["feed_pressure"] < 31 * psi
    assert {done.plant.readback(address) for address in ("cDAQ1Mod3/port0/line0", "cDAQ1Mod4/ao0")} == {0.0}


def test_the_same_seed_makes_the_same_run_and_another_seed_another() -> None:
    def body(rig: Rig) -> None:
        rig.wait(2.0)

    one, again, other = (played(body, seed=seed).run.series("feed_pressure").values for seed in (1, 1, 2))

    assert (one == again).all()
    assert (one != other).any()
