"""The history against plain numpy over the same samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig.clock import SECOND
from labrig.errors import RigError
from labrig.history import COARSE_KEPT, FINE_KEPT, History, digest, merged
from labrig.model import Quality, calibrated
from labrig.units import psi
from tests.core.some import PRESSURE, block

CHANNELS = {"p": PRESSURE}


@given(st.lists(st.floats(0, 10), min_size=1, max_size=300), st.integers(0, 10**9), st.integers(10**5, 10**8))
def test_merging_bins_loses_no_moment(volts: list[float], start: int, step: int) -> None:
    samples = block(volts, start=start, step=step)
    truth = calibrated(samples, CHANNELS)[:, 0]

    wide = merged(digest(samples, CHANNELS), 1 << 62)

    assert wide.n[0, 0] == len(volts)
    assert wide.mean[0, 0] == pytest.approx(truth.mean(), rel=1e-9, abs=1e-6)
    assert wide.m2[0, 0] == pytest.approx(((truth - truth.mean()) ** 2).sum(), rel=1e-6, abs=1e-3)
    assert (wide.low[0, 0], wide.high[0, 0], wide.last[0, 0]) == (truth.min(), truth.max(), truth[-1])


def test_samples_without_a_value_enter_no_mean() -> None:
    quality = np.array([0, Quality.MISSING, 0], np.uint8)

    bins = digest(block([1.0, 9.0, 3.0], quality=quality), CHANNELS)

    assert bins.n[0, 0] == 2
    assert bins.mean[0, 0] == pytest.approx(20 * psi)
    assert bins.quality[0, 0] == Quality.MISSING


def test_a_trace_is_what_was_published_between_two_times() -> None:
    history = History(CHANNELS)
    for second in range(10):
        history(block([float(second)] * 1000, start=second * SECOND))

    trace = history.trace("p", 3 * SECOND, 6 * SECOND)

    assert trace.n.sum() == 3000
    assert np.unique(trace.mean) == pytest.approx(10 * psi * np.array([3.0, 4.0, 5.0]))
    assert history.latest("p")[1] == pytest.approx(90 * psi)


def test_a_day_is_kept_in_seconds_and_memory_stays_bounded() -> None:
    history = History(CHANNELS)
    for hour in range(30):
        history(block(np.full(3600, float(hour % 10)).tolist(), start=hour * 3600 * SECOND, step=SECOND))

    trace = history.trace("p", 0, 30 * 3600 * SECOND)

    assert COARSE_KEPT <= len(trace) <= 2 * COARSE_KEPT
    assert (trace.n == 1).all()
    assert len(history.trace("p", (30 * 3600 - 100) * SECOND, 30 * 3600 * SECOND)) == 100
    assert FINE_KEPT == 30_000


def test_a_channel_that_never_spoke_is_named() -> None:
    with pytest.raises(RigError, match="q has not delivered"):
        History(CHANNELS).latest("q")


def test_a_second_is_one_coarse_bin_however_its_samples_come() -> None:
    history = History(CHANNELS)
    volts = np.linspace(1, 9, 20_000)
    for piece in range(400):
        rows = slice(50 * piece, 50 * piece + 50)
        history(block(volts[rows].tolist(), start=50_000_000 * piece))

    coarse = history._kept["daq"].coarse.between(0, 1 << 62)  # noqa: SLF001 - the fine level hides it for ten minutes

    assert (np.diff(coarse.starts) == SECOND).all()
    assert coarse.n[:, 0].tolist() == [1000] * 19
    assert coarse.mean[:, 0] == pytest.approx(10 * psi * volts[:19_000].reshape(19, 1000).mean(axis=1))
