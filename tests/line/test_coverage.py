"""How often the stated uncertainty holds: simulated rigs of one design, each with errors of its own, in virtual time.

True is the plant's permeance at 25 °C over the marked plateaus. A stated 95 % is held to 90 % of many runs, and no run
may lie beyond twice its uncertainty.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable

import pytest

from tests.line.lines import Case, Judged, on_the_twin

pytestmark = pytest.mark.slow
EXAMPLE_V = Case("bench-25", "example-v", ("10 psi", "20 psi", "30 psi"))
OTHERS = (
    Case("bench-47", "example-i", ("10 psi", "20 psi", "30 psi")),
    Case("bench-47", "example-ii", ("10 psi", "20 psi", "30 psi")),
    Case("bench-25", "example-iii", ("10 psi", "20 psi", "30 psi")),
    Case("bench-25-coarse", "example-iv", ("2 psi", "4 psi", "6 psi")),
    Case("bench-47", "example-vi", ("10 psi", "20 psi", "30 psi")),
    Case("bench-47-tight", "example-vii", ("3 psi", "6 psi", "9 psi")),
    Case("bench-13", "example-viii", ("10 psi", "20 psi", "30 psi")),
    Case("bench-47-tight", "psed", ("40 psi", "60 psi", "80 psi")),
    Case("bench-47-tight", "foam-500nm", ("5 psi", "10 psi", "20 psi")),
    Case("bench-47-tight", "film-100nm", ("10 psi", "20 psi", "30 psi")),
)


def runs(case: Case, seeds: range) -> list[Judged]:
    return [on_the_twin(case, seed).judged for seed in seeds]


def words(found: list[Judged]) -> str:
    bias = statistics.fmean(one.error for one in found)
    stated = statistics.fmean(one.result.U / one.result.value for one in found)
    within = sum(one.over_U <= 1 for one in found)
    furthest = max(one.over_U for one in found)
    return f"{within} of {len(found)} within U, furthest {furthest:.2f} U, bias {bias:+.2%}, U {stated:.2%}"


@pytest.mark.timeout(400)  # a hundred runs: fifteen seconds on an idle machine, minutes on a crowded one
def test_example_v_lies_within_its_uncertainty_in_nine_of_ten_rigs(
    record_property: Callable[[str, object], None],
) -> None:
    found = runs(EXAMPLE_V, range(100))

    record_property("coverage", words(found))
    assert sum(one.over_U <= 1 for one in found) >= 90, words(found)
    assert max(one.over_U for one in found) < 2, words(found)
    assert statistics.fmean(one.result.U / one.result.value for one in found) < 0.03  # to be wide is no way to be right


@pytest.fixture(scope="module")
def others() -> dict[Case, list[Judged]]:
    """Ten membranes on a dozen rigs each, as they are asked for."""
    return {}


@pytest.mark.parametrize("case", OTHERS, ids=lambda case: f"{case.membrane} on {case.rig}")
def test_each_other_membrane_is_never_beyond_twice_its_uncertainty(
    case: Case, others: dict[Case, list[Judged]]
) -> None:
    others[case] = found = runs(case, range(12))

    assert max(one.over_U for one in found) < 2, words(found)
    assert abs(statistics.fmean(one.error for one in found)) < found[0].result.U / found[0].result.value, words(found)


def test_the_other_membranes_together_lie_within_their_uncertainties_in_nine_of_ten_rigs(
    others: dict[Case, list[Judged]],
) -> None:
    """A dozen runs of one membrane say little of a proportion; those that ran before this test say more together."""
    found = [one for case in OTHERS for one in others.get(case, ())] or runs(OTHERS[0], range(12))

    assert sum(one.over_U <= 1 for one in found) >= 0.9 * len(found), words(found)
