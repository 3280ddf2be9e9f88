"""What the full procedure does beside its plateaus: it asks, checks, and says what stays in doubt."""

from __future__ import annotations

import pytest

from labrig.config import find_rig, load_rig
from labrig.header import Order
from labrig.methods import load_method
from labrig.model import Analysis, Asked, Coupon, Outcome, Validity
from labrig.plant import Disturbance, load_membrane
from labrig.rehearsal import Rehearsal, rehearse
from labrig.units import cm_per_min_per_psi, psi, um

SHORT = {
    "soak": "1 s",
    "no_flow": "10 s",
    "pressures": ["10 psi", "20 psi", "30 psi"],
    "descending": ["10 psi"],
    "compaction_patience": "20 s",
    "compaction_window": "10 s",
}


def run(
    rig: str = "bench-25",
    membrane: str = "example-v",
    method: str = "full-permeability",
    answers: dict[str, str] | None = None,
    wrong: Disturbance | None = None,
    **changes: object,
) -> tuple[Rehearsal, Analysis | None]:
    chosen = load_method(method, {**(SHORT if method == "full-permeability" else {}), **changes})
    done = rehearse(
        chosen.protocol,
        Order(chosen.facts, Coupon("C"), "test"),
        load_rig(find_rig(rig)),
        load_membrane(membrane),
        seed=4,
        answers=answers,
        disturbances=[(0.0, wrong)] if wrong else (),
    )
    return done, chosen.protocol.analyse(done.run) if done.run.spans("plateau") else None


def analysis_of(**asked: object) -> Analysis:
    _, analysis = run(**asked)  # type: ignore[arg-type]  # handed on as they came
    assert analysis is not None
    return analysis


def test_it_asks_for_wetting_and_purge_and_leaves_nothing_out() -> None:
    done, analysis = run()

    questions = [event.text for event in done.run.events if isinstance(event, Asked)]
    assert [question.split()[0] for question in questions] == ["Soak", "Tilt"]
    assert analysis is not None
    assert not any("step skipped" in reason for reason in analysis.reasons)
    assert {span.kind for kind in KINDS for span in done.run.spans(kind)} == set(KINDS)


KINDS = ("zero", "no flow", "wetting", "purge", "wetting check", "compaction", "plateau", "static head")


def test_a_wetting_that_was_not_confirmed_and_bubbles_that_still_came_are_told() -> None:
    analysis = analysis_of(answers={"Soak": "Not done", "Tilt": "Yes"})

    assert analysis.validity is not Validity.VALID
    assert "wetting: the operator did not confirm it" in analysis.reasons
    assert "purge: bubbles still came after 3 purges" in analysis.reasons


def test_a_flush_goes_on_until_the_balance_has_its_water() -> None:
    done, _ = run(wetting="alcohol", flush="100 mL", compaction_patience="3 min")

    (flush,) = [span for span in done.run.spans("wetting") if span.attributes["how"] == "flush"]
    mass = done.run.series("permeate_mass", flush).values
    assert mass[-1] - mass[0] == pytest.approx(0.1, abs=0.01)  # to within half a second of its flow


@pytest.mark.parametrize(("answer", "outcome"), [("Stop", Outcome.FAILED), ("Go on", Outcome.COMPLETED)])
def test_a_zero_that_is_too_large_is_put_before_the_operator(answer: str, outcome: Outcome) -> None:
    shifted = Disturbance(zero_shifts={"cDAQ1Mod1/ai0": 1 * psi})

    done, _ = run(answers={"With both sides vented": answer}, wrong=shifted)

    assert done.outcome is outcome
    assert ("the operator stopped" in done.reason) == (answer == "Stop")


def test_the_same_run_is_given_at_20_and_at_25_degrees() -> None:
    at_20, at_25 = (
        analysis_of(method="quick-permeability", reference=reference).results[0] for reference in ("20 °C", "25 °C")
    )

    assert (at_20.symbol, at_25.symbol) == ("p20", "p25")
    assert at_25.value / at_20.value == pytest.approx(1.1254, abs=1e-4)  # μ(20 °C)/μ(25 °C), IAPWS


def test_flow_by_the_meter_gives_the_same_as_by_the_balance_within_both_uncertainties() -> None:
    weighed, metered = (
        analysis_of(method="quick-permeability", flow=flow).results[0] for flow in ("balance", "flow meter")
    )

    assert metered.definition["flow"] == "flow meter"
    assert any("flow meter" in line.source for line in metered.budget)
    assert metered.value == pytest.approx(weighed.value, abs=(weighed.U**2 + metered.U**2) ** 0.5)


def test_a_known_pore_size_gives_k_per_radius_for_information() -> None:
    """Example V: 4 cm/min/psi and 0.2 µm make 4e7 cm/min/psi for each metre of radius."""
    p, *_, k = analysis_of(method="quick-permeability", mean_pore="0.2 µm").results

    assert k.symbol == "K"
    assert k.value == pytest.approx(p.value / (0.1 * um))
    assert k.value / cm_per_min_per_psi == pytest.approx(4e7, rel=0.1)
    assert "for information" in k.name


@pytest.mark.parametrize(
    ("rig", "membrane", "method", "words"),
    [
        ("bench-25", "psed", "quick-permeability", "steps of the balance|was not steady"),
        ("bench-13", "psed", "quick-permeability", "steps of the balance|was not steady"),
        ("bench-47", "example-viii", "quick-permeability", "is beyond the blank run"),
        ("bench-25-coarse", "example-vii", "quick-permeability-coarse", "flow meter and balance disagree"),
    ],
)
def test_a_rig_that_does_not_suit_a_membrane_says_so_and_gives_no_valid_result(
    rig: str, membrane: str, method: str, words: str
) -> None:
    analysis = analysis_of(rig=rig, membrane=membrane, method=method)

    reasons = [reason for reason in analysis.reasons if "step skipped" not in reason]
    assert analysis.validity is Validity.INVALID, (analysis.results[0].value / cm_per_min_per_psi, analysis.reasons)
    assert any(word in reason for word in words.split("|") for reason in reasons), reasons
