"""From a run's series to estimates with the uncertainty of their own noise."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from labrig.analysis.lines import mean_of_series, slope_of_series
from labrig.analysis.uncertainty import Estimate
from labrig.errors import AnalysisError, RecordingError
from labrig.model import Channel, Quality, RunData, Series, Span

LEAST_FOR_SLOPE: Final = 3
OUTSIDE_ALLOWED: Final = 0.01
"""Share of samples outside the calibrated range below which a mean counts as inside."""


def channel_in(run: RunData, role: str) -> Channel | None:
    """The channel that fills a role, or None; raises `AnalysisError` for a name that the run does not have."""
    name = run.header.roles.get(role)
    if name is None:
        return None
    for channel in run.header.channels:
        if channel.name == name:
            return channel
    raise AnalysisError(f"the role {role} is filled by {name!r}, and this run has no such channel")


def channel_needed(run: RunData, role: str) -> Channel:
    """The channel that fills a role; raises `AnalysisError` where nothing does."""
    channel = channel_in(run, role)
    if channel is None:
        raise AnalysisError(f"this run has nothing in the role {role}, and the analysis needs it")
    return channel


def number(run: RunData, key: str, default: float = 0.0) -> float:
    """A number of the rig's set-up, SI; raises `AnalysisError` for a word or a value that is not finite."""
    value = run.header.setup.get(key, default)
    if isinstance(value, str) or not math.isfinite(value):
        raise AnalysisError(f"the rig's set-up gives {key} as {value!r}; a finite number is needed")
    return float(value)


def over(run: RunData, channel: Channel, span: Span) -> Series:
    """The channel's samples within the span; raises `AnalysisError` for a channel that was not recorded."""
    try:
        return run.series(channel.name, span)
    except RecordingError as error:
        raise AnalysisError(f"{channel.name} cannot be read: {error}") from error


def mean_over(run: RunData, channel: Channel, span: Span) -> Estimate:
    """Mean over the span, SI; raises `AnalysisError` for fewer than two usable samples."""
    values = over(run, channel, span).values
    usable = int(np.isfinite(values).sum())
    if usable < 2:
        raise AnalysisError(f"{channel.name} has {_samples(usable)}")
    mean = mean_of_series(values, channel.resolution)
    return Estimate(mean.mean, mean.se, mean.dof)


def slope_over(run: RunData, channel: Channel, span: Span, resolution: float = 0.0) -> Estimate:
    """Slope in time over the span, SI per second; raises `AnalysisError` for fewer than three usable samples."""
    series = over(run, channel, span)
    usable = int(np.isfinite(series.values).sum())
    if usable < LEAST_FOR_SLOPE:
        raise AnalysisError(f"{channel.name} has {_samples(usable)}")
    slope = slope_of_series(series.seconds, series.values, resolution)
    return Estimate(slope.slope, slope.se, slope.dof)


def in_range(run: RunData, channel: Channel, span: Span) -> bool:
    """Whether the channel stayed within its calibrated range over the span, but for single samples."""
    series = over(run, channel, span)
    usable = np.isfinite(series.values)
    if not usable.any():
        return False
    values, quality = series.values[usable], series.quality[usable]
    outside = (values < channel.low) | (values > channel.high) | ((quality & (Quality.BELOW | Quality.ABOVE)) != 0)
    return bool(outside.mean() <= OUTSIDE_ALLOWED)


def _samples(usable: int) -> str:
    return "no usable samples" if not usable else f"only {usable} usable sample{'s' * (usable != 1)}"
