"""Straight lines through points and through series, with standard errors that mean what they say.

Points (one per plateau) are independent: ordinary or weighted least squares. The readings of a series are not: a
balance filters, rounds and waits for drops, so that the textbook error of a slope over 10 Hz readings is several times
too small. Means and slopes of series therefore come from batch means (B. Schmeiser, Operations Research 30 (1982) 556;
the blocking of H. Flyvbjerg and H. G. Petersen, J. Chem. Phys. 91 (1989) 461): the readings are averaged in a few long
batches, and the error is estimated from the scatter of the batches alone, with the few degrees of freedom that leaves.

Rounding is not scatter. Readings that rise by whole steps of the display, or of a drop, can beat with the sampling so
slowly that no batch sees it; each batch mean therefore carries the resolution divided by the root of 12 besides.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from labrig.errors import AnalysisError
from labrig.model import Floats

BATCHES: Final = 8
"""Few long batches: with a filter of 1 s and windows of 30 s, 8 cover the true slope more often than 10 or 20 do."""
NAN: Final = math.nan


@dataclass(frozen=True, slots=True)
class OriginFit:
    """y = slope · x."""

    slope: float
    slope_se: float
    """NaN for a single point."""
    dof: float
    residual_sd: float
    r2: float
    """1 - Σr²/Σ(y - ȳ)², so that it may be compared with that of a line with intercept; NaN where y is constant."""


@dataclass(frozen=True, slots=True)
class LineFit:
    """y = intercept + slope · x."""

    slope: float
    intercept: float
    slope_se: float
    """NaN for two points, which every line meets."""
    intercept_se: float
    dof: float
    residual_sd: float
    r2: float


@dataclass(frozen=True, slots=True)
class SeriesMean:
    """Mean of a series of correlated readings."""

    mean: float
    se: float
    """Standard error of the mean; NaN for a single reading."""
    dof: float
    n: int
    """Usable readings."""


@dataclass(frozen=True, slots=True)
class SeriesSlope:
    """Slope in time of a series of correlated readings, per second."""

    slope: float
    se: float
    """Standard error of the slope; NaN for two readings."""
    dof: float
    n: int
    seconds: float
    """From the first usable reading to the last."""


def through_origin(x: Floats, y: Floats, weights: Floats | None = None) -> OriginFit:
    """Least squares through the origin over n ≥ 1 points; x, y and weights of shape (n,).

    ``weights`` are proportional to 1/variance of y; the scale comes from the scatter. Raises `AnalysisError` for no
    point, for values that are not finite and for x that is zero throughout.
    """
    w = _checked(x, y, weights, least=1)
    sxx = float(w @ (x * x))
    if sxx == 0:
        raise AnalysisError("a line through the origin needs a point away from it; every x is 0")
    slope = float(w @ (x * y)) / sxx
    rss, dof = float(w @ (y - slope * x) ** 2), len(x) - 1
    sd = math.sqrt(rss / dof) if dof else NAN
    return OriginFit(slope, sd / math.sqrt(sxx), dof, sd, _r2(rss, y, w))


def with_intercept(x: Floats, y: Floats, weights: Floats | None = None) -> LineFit:
    """Least squares with an intercept over n ≥ 2 points; x, y and weights of shape (n,).

    Weights and errors as in `through_origin`; x must take two values at least.
    """
    w = _checked(x, y, weights, least=2)
    total = float(w.sum())
    x_mean, y_mean = float(w @ x) / total, float(w @ y) / total
    sxx = float(w @ (x - x_mean) ** 2)
    if sxx <= 1e-24 * float(w @ (x * x)):
        raise AnalysisError("a line with an intercept needs two different x; all of them are the same")
    slope = float(w @ ((x - x_mean) * (y - y_mean))) / sxx
    intercept = y_mean - slope * x_mean
    rss, dof = float(w @ (y - intercept - slope * x) ** 2), len(x) - 2
    sd = math.sqrt(rss / dof) if dof else NAN
    intercept_se = sd * math.sqrt(1 / total + x_mean**2 / sxx)
    return LineFit(slope, intercept, sd / math.sqrt(sxx), intercept_se, dof, sd, _r2(rss, y, w))


def mean_of_series(values: Floats, resolution: float = 0.0) -> SeriesMean:
    """Mean of a series of shape (n,) in order of time, NaN where missing; its error by batch means.

    ``resolution`` is the step of the readings, in their unit. Raises `AnalysisError` where no value is usable.
    """
    usable = values[np.isfinite(values)]
    if not len(usable):
        raise AnalysisError("the mean of a series needs one usable reading; there is none")
    means = _batch_means(usable)
    dof = len(means) - 1
    scatter = float(means.std(ddof=1)) / math.sqrt(len(means)) if dof else NAN
    se, dof_effective = _with_rounding(scatter, dof, resolution / math.sqrt(12))
    return SeriesMean(float(usable.mean()), se, dof_effective, len(usable))


def slope_of_series(times: Floats, values: Floats, resolution: float = 0.0) -> SeriesSlope:
    """Slope of a series; times in s and values of shape (n,) in order of time, NaN where missing.

    A line through the batch means and its error. ``resolution`` is the step of the readings, in their unit. Raises
    `AnalysisError` for fewer than two usable readings and for readings that share one time.
    """
    usable = np.isfinite(values) & np.isfinite(times)
    t, v = times[usable], values[usable]
    if len(t) < 2:
        raise AnalysisError(f"a slope in time needs two usable readings; there are {len(t)}")
    batch_times = _batch_means(t - t[0])
    fit = with_intercept(batch_times, _batch_means(v))
    rounding = resolution / math.sqrt(12) / math.sqrt(len(batch_times) * float(batch_times.var()))
    se, dof = _with_rounding(fit.slope_se, fit.dof, rounding)
    return SeriesSlope(fit.slope, se, dof, len(t), float(t[-1] - t[0]))


def _with_rounding(scatter: float, dof: float, rounding: float) -> tuple[float, float]:
    """Combined standard error and its Welch-Satterthwaite degrees of freedom; rounding is known for certain."""
    se = math.hypot(scatter, rounding)
    return se, dof * (se / scatter) ** 4 if scatter > 0 else (dof if math.isnan(se) else math.inf)


def _batch_means(values: Floats) -> Floats:
    """Means of `BATCHES` stretches of nearly equal length; a short series stays as it is, to keep its freedom."""
    if len(values) < 2 * BATCHES:
        return values
    edges = np.linspace(0, len(values), BATCHES + 1).astype(np.intp)
    sums: Floats = np.add.reduceat(values, edges[:-1])
    return sums / np.diff(edges)


def _checked(x: Floats, y: Floats, weights: Floats | None, least: int) -> Floats:
    w = np.ones_like(x, np.float64) if weights is None else weights
    if not (x.shape == y.shape == w.shape == (len(x),)):
        raise AnalysisError(f"a line needs as many x as y and weights: {x.shape}, {y.shape}, {w.shape}")
    if len(x) < least:
        raise AnalysisError(f"a line needs {least} points at least; there are {len(x)}")
    if not (np.isfinite(x).all() and np.isfinite(y).all() and (w > 0).all() and np.isfinite(w).all()):
        raise AnalysisError("a line needs finite points with positive weights; leave out the missing ones first")
    return w


def _r2(rss: float, y: Floats, w: Floats) -> float:
    total = float(w @ (y - float(w @ y) / float(w.sum())) ** 2)
    return 1 - rss / total if total > 0 else NAN
