"""Line fits reproduce published regressions, and the error of a series' slope survives filters, steps and drops."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped]  # scipy ships no types

from labrig.analysis.lines import mean_of_series, slope_of_series, through_origin, with_intercept
from labrig.errors import AnalysisError
from labrig.model import Floats

X = np.array([1.0, 2.0, 3.0])
Y = np.array([2.1, 3.9, 6.1])
# The data sets NoInt1 and NoInt2 of the NIST Statistical Reference Datasets.
NOINT1_X = np.arange(60.0, 71.0)
NOINT1_Y = np.arange(130.0, 141.0)
NOINT2_X = np.array([4.0, 5.0, 6.0])
NOINT2_Y = np.array([3.0, 4.0, 4.0])


@pytest.mark.parametrize(
    ("x", "y", "slope", "slope_sd", "residual_sd"),
    [
        (NOINT1_X, NOINT1_Y, 2.07438016528926, 0.0165289256198347, 3.56753034006338),
        (NOINT2_X, NOINT2_Y, 0.727272727272727, 0.0420827318078432, 0.369274472937998),
    ],
)
def test_the_line_through_the_origin_meets_the_certified_values_of_nist(
    x: Floats, y: Floats, slope: float, slope_sd: float, residual_sd: float
) -> None:
    fit = through_origin(x, y)

    assert fit.slope == pytest.approx(slope, rel=1e-12)
    assert fit.slope_se == pytest.approx(slope_sd, rel=1e-12)
    assert fit.residual_sd == pytest.approx(residual_sd, rel=1e-12)
    assert fit.dof == len(x) - 1


def test_the_line_with_intercept_agrees_with_scipy() -> None:
    rng = np.random.default_rng(5)
    x = rng.uniform(1, 9, 12)
    y = 3 - 2 * x + rng.normal(0, 0.3, 12)
    expected = stats.linregress(x, y)

    fit = with_intercept(x, y)

    assert fit.slope == pytest.approx(expected.slope)
    assert fit.intercept == pytest.approx(expected.intercept)
    assert fit.slope_se == pytest.approx(expected.stderr)
    assert fit.intercept_se == pytest.approx(expected.intercept_stderr)
    assert fit.r2 == pytest.approx(expected.rvalue**2)
    assert fit.dof == 10


def test_a_weight_of_two_equals_the_point_given_twice() -> None:
    weights = np.array([1.0, 2.0, 1.0])
    twice = np.array([0, 1, 1, 2])

    assert through_origin(X, Y, weights).slope == pytest.approx(through_origin(X[twice], Y[twice]).slope)
    weighted, repeated = with_intercept(X, Y, weights), with_intercept(X[twice], Y[twice])
    assert (weighted.slope, weighted.intercept) == pytest.approx((repeated.slope, repeated.intercept))


@given(factor=st.floats(1e-6, 1e6))
def test_only_the_ratio_of_weights_matters(factor: float) -> None:
    weights = np.array([1.0, 4.0, 2.0])

    first, second = with_intercept(X, Y, weights), with_intercept(X, Y, weights * factor)

    assert second.slope == pytest.approx(first.slope)
    assert second.slope_se == pytest.approx(first.slope_se)
    assert second.intercept_se == pytest.approx(first.intercept_se)


def test_one_point_has_a_slope_and_no_error_and_two_points_a_line_and_no_error() -> None:
    one, two = through_origin(X[:1], Y[:1]), with_intercept(X[:2], Y[:2])

    assert one.slope == pytest.approx(2.1)
    assert math.isnan(one.slope_se)
    assert two.slope == pytest.approx(1.8)
    assert math.isnan(two.slope_se)
    assert two.r2 == pytest.approx(1)


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        ([], [], "1 points at least"),
        ([0.0, 0.0], [1.0, 2.0], "away from it"),
        ([1.0, math.nan], [1.0, 2.0], "finite"),
        ([1.0], [1.0, 2.0], "as many x as y"),
    ],
)
def test_points_that_make_no_line_through_the_origin_are_refused_in_words(
    x: list[float], y: list[float], words: str
) -> None:
    with pytest.raises(AnalysisError, match=words):
        through_origin(np.array(x), np.array(y))


def test_a_line_with_intercept_needs_two_different_x() -> None:
    with pytest.raises(AnalysisError, match="two different x"):
        with_intercept(np.array([2.0, 2.0, 2.0]), Y)


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=40), st.integers(0, 20))
def test_missing_values_of_a_series_are_left_out_and_nothing_else_raises(values: list[float], missing: int) -> None:
    series = np.array(values)
    series[: min(missing, len(series))] = math.nan

    if np.isfinite(series).sum() >= 2:
        result = slope_of_series(np.arange(len(series), dtype=float), series)
        assert result.n == np.isfinite(series).sum()
    else:
        with pytest.raises(AnalysisError, match="two usable readings"):
            slope_of_series(np.arange(len(series), dtype=float), series)


def test_the_mean_of_a_filtered_series_lies_within_its_stated_interval_95_times_in_100() -> None:
    """An AR(1) series with a correlation time of a second at 10 Hz: the textbook error covers half of the truths."""
    rng = np.random.default_rng(11)
    covered = naive = 0
    for _ in range(400):
        series = _filtered(rng.normal(0, 1, 800), 10)[200:]
        mean = mean_of_series(series)
        covered += abs(mean.mean) <= stats.t.ppf(0.975, mean.dof) * mean.se
        naive += abs(mean.mean) <= 1.96 * series.std() / math.sqrt(len(series))

    assert 0.90 <= covered / 400 <= 0.985
    assert naive / 400 < 0.65


@pytest.mark.parametrize(
    ("flow", "seconds", "filter_s", "drop", "noise"),
    [
        (0.067, 30.0, 0.5, 0.05, 0.005),
        (0.067, 60.0, 1.0, 0.05, 0.005),
        (0.5, 30.0, 0.5, 0.05, 0.005),
        (0.067, 30.0, 1.0, 0.0, 0.02),
        (0.067, 60.0, 2.0, 0.0, 0.02),
        (0.0167, 120.0, 0.5, 0.05, 0.005),
    ],
)
def test_the_slope_of_a_dripping_filtered_and_rounded_balance_lies_within_its_stated_interval(
    flow: float, seconds: float, filter_s: float, drop: float, noise: float
) -> None:
    """Flow in g/s, 10 Hz, display of 0.01 g. The textbook error is two to four times too small."""
    rng = np.random.default_rng(2)
    covered, errors, stated = 0, [], []
    for _ in range(120):
        times, mass = _balance(flow, seconds, filter_s=filter_s, drop=drop, noise=noise, rng=rng)
        slope = slope_of_series(times, mass, resolution=0.01)
        error = abs(slope.slope - flow)
        covered += error <= stats.t.ppf(0.975, slope.dof) * slope.se
        errors.append(error)
        stated.append(slope.se)

    assert covered / 120 >= 0.92
    rounding = 0.01 / seconds / math.sqrt(8)
    assert np.mean(stated) <= math.hypot(2 * np.sqrt(np.mean(np.square(errors))), rounding)


@settings(max_examples=20)
@given(st.floats(1e-6, 1.0), st.floats(1e-4, 1e-2))
def test_a_perfect_ramp_is_uncertain_by_its_resolution_alone(flow: float, resolution: float) -> None:
    times = np.arange(0, 30, 0.1)

    slope = slope_of_series(times, flow * times, resolution)

    assert slope.slope == pytest.approx(flow)
    assert slope.se == pytest.approx(resolution / (30 * math.sqrt(8)), rel=0.02)


def _filtered(values: Floats, samples: float) -> Floats:
    """First-order low-pass with a time constant of that many samples."""
    keep = math.exp(-1 / samples) if samples else 0.0
    result, state = np.empty_like(values), float(values[0])
    for index, value in enumerate(values):
        state = keep * state + (1 - keep) * value
        result[index] = state
    return result


def _balance(
    flow: float, seconds: float, *, filter_s: float, drop: float, noise: float, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    times = np.arange(-20, seconds, 0.1)
    mass = flow * times
    if drop:
        mass = np.floor(mass / drop + rng.random()) * drop
    shown = np.round((_filtered(mass + rng.normal(0, noise, len(times)), filter_s * 10) + rng.random()) / 0.01) * 0.01
    return times[times >= 0], shown[times >= 0]
