"""A plateau is called steady for what the result needs, and each criterion says in words what is missing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig.analysis.steady import Collected, Drift, Near, SlopeError, relative_drift
from labrig.model import Floats
from labrig.units import g, psi

TIMES = np.arange(0, 30, 0.05)
RNG_SEED = 4


def _noise(sigma: float) -> Floats:
    return np.random.default_rng(RNG_SEED).normal(0, sigma, len(TIMES))


def test_a_noisy_but_level_pressure_does_not_drift() -> None:
    """0.01 psi rms of noise at 1 psi is 1 % of every reading and nothing of their trend."""
    verdict = Drift("feed_pressure", 0.01).judge(TIMES, 1 * psi + _noise(0.01 * psi))

    assert verdict.met
    assert verdict.figure < 0.003


def test_a_pressure_that_creeps_by_two_percent_drifts_and_the_words_say_by_how_much() -> None:
    verdict = Drift("feed_pressure", 0.01).judge(TIMES, (10 + 0.2 * TIMES / 30) * psi)

    assert not verdict.met
    assert verdict.figure == pytest.approx(0.02, rel=0.02)
    assert verdict.words == "feed_pressure drifts by 2 %; 1 % is allowed"


def test_a_falling_pressure_drifts_as_much_as_a_rising_one() -> None:
    assert relative_drift(TIMES, 10 - 0.01 * TIMES) == pytest.approx(-0.03, rel=0.02)
    assert not Drift("p", 0.01).judge(TIMES, 10 - 0.01 * TIMES).met


def test_the_error_of_a_slope_shrinks_with_the_window_until_it_is_small_enough() -> None:
    mass = 0.067 * g * TIMES + _noise(0.02 * g)
    criterion = SlopeError("permeate", 0.005)

    short = criterion.judge(TIMES[:100], mass[:100])
    long = criterion.judge(TIMES, mass)

    assert not short.met
    assert long.met
    assert long.figure < short.figure


def test_a_balance_that_nothing_reaches_never_has_a_small_enough_error() -> None:
    verdict = SlopeError("permeate", 0.005).judge(TIMES, np.full_like(TIMES, 0.1))

    assert not verdict.met
    assert verdict.figure == math.inf


def test_a_hundred_times_the_readability_must_be_collected() -> None:
    criterion = Collected("permeate", 100 * 0.01 * g)

    assert not criterion.judge(TIMES, 0.02 * g * TIMES).met
    assert criterion.judge(TIMES, 0.05 * g * TIMES).met


def test_one_wild_reading_at_the_end_is_no_collected_mass() -> None:
    mass = 0.01 * g * TIMES
    mass[-1] = 1.0

    assert not Collected("permeate", 1 * g).judge(TIMES, mass).met


def test_a_vessel_that_was_emptied_collected_nothing() -> None:
    verdict = Collected("permeate", 1 * g).judge(TIMES, 0.1 - 0.01 * g * TIMES)

    assert not verdict.met
    assert verdict.figure < 0


def test_a_droop_of_half_a_psi_at_ten_is_near_enough_and_two_are_not() -> None:
    criterion = Near("feed_pressure", 10 * psi, 0.10)

    assert criterion.judge(TIMES, np.full_like(TIMES, 9.5 * psi)).met
    assert not criterion.judge(TIMES, np.full_like(TIMES, 8.0 * psi)).met


@pytest.mark.parametrize(
    "criterion", [Drift("c", 0.01), SlopeError("c", 0.005), Collected("c", 1.0), Near("c", 1.0, 0.1)]
)
def test_a_channel_without_values_meets_nothing_and_says_so(
    criterion: Drift | SlopeError | Collected | Near,
) -> None:
    verdict = criterion.judge(TIMES, np.full_like(TIMES, math.nan))

    assert not verdict.met
    assert math.isnan(verdict.figure)
    assert "usable values" in verdict.words


def test_missing_values_between_good_ones_change_no_verdict() -> None:
    values = (10 + 0.2 * TIMES / 30) * psi
    gappy = values.copy()
    gappy[100:300] = math.nan

    assert relative_drift(TIMES, gappy) == pytest.approx(relative_drift(TIMES, values), rel=0.02)


@given(st.lists(st.tuples(st.floats(0, 1e4), st.floats(allow_nan=True, allow_infinity=True)), max_size=30))
def test_whatever_the_series_every_criterion_answers(points: list[tuple[float, float]]) -> None:
    times = np.array(sorted(t for t, _ in points))
    values = np.array([np.clip(v, -1e100, 1e100) if not math.isinf(v) else v for _, v in points])

    for criterion in (Drift("c", 0.01), SlopeError("c", 0.005), Collected("c", 1.0), Near("c", 0.0, 0.1)):
        verdict = criterion.judge(times, values)
        assert verdict.met in (True, False)
        assert verdict.words
