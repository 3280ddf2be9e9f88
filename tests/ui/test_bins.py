"""Kept bins lose time resolution and nothing else, and a long run costs no more than a short one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labrig.clock import SECOND
from labrig.history import digest
from labrig.model import Block, Calibration, Channel, Digest, Floats, good
from labrig.units import unit
from labrig_ui.bins import KEPT, WIDTHS, Bins, Pyramid, outline, reduced

MS = 1_000_000
CHANNELS = {"p": Channel("p", unit("Pa"), "V", -1e9, 1e9, Calibration((0.0, 1.0)))}


def digest_of(values: Floats, start: int = 0, step: int = 10 * MS) -> Digest:
    times = start + step * np.arange(len(values), dtype=np.int64)
    return digest(Block("daq", ("p",), 0, times, values.reshape(-1, 1).copy(), good(len(values), 1)), CHANNELS)


@settings(max_examples=40)
@given(
    st.lists(st.integers(1, 400), min_size=1, max_size=20),
    st.integers(2, 500),
)
def test_the_highest_and_the_lowest_sample_are_drawn_whatever_the_resolution(pieces: list[int], most: int) -> None:
    values = np.random.default_rng(sum(pieces)).normal(size=sum(pieces))
    pyramid, place = Pyramid(("p",)), 0
    for piece in pieces:
        pyramid.add(digest_of(values[place : place + piece], place * 10 * MS))
        place += piece

    drawn = pyramid.between("p", 0, pyramid.end, most)

    assert len(drawn) <= most
    assert drawn.low.min() == values.min()
    assert drawn.high.max() == values.max()
    assert (np.diff(drawn.times) > 0).all()


def test_a_day_of_samples_costs_a_bounded_number_of_bins_and_is_drawn_whole() -> None:
    pyramid = Pyramid(("p",))
    hour = np.sin(np.arange(36_000) / 3000)
    for number in range(24):
        pyramid.add(digest_of(hour, number * 3600 * SECOND, 100 * MS))

    whole = pyramid.between("p", 0, pyramid.end, 1200)
    recent = pyramid.between("p", pyramid.end - 60 * SECOND, pyramid.end, 1200)

    assert whole.times[0] < 60 * SECOND
    assert 300 <= len(whole) <= 1200
    assert len(recent) == pytest.approx(600, abs=2)
    assert pyramid.held <= 2 * KEPT * len(WIDTHS)


def test_bins_that_were_fetched_twice_are_kept_once() -> None:
    pyramid = Pyramid(("p",))
    pyramid.add(digest_of(np.arange(100.0)))
    pyramid.add(digest_of(np.arange(100.0)))
    pyramid.add(digest_of(np.arange(150.0)))

    drawn = pyramid.between("p", 0, pyramid.end, 10_000)

    assert drawn.high.max() == 149
    assert (np.diff(drawn.times) > 0).all()


def test_the_newest_bin_grows_and_its_mean_is_that_of_all_its_samples() -> None:
    pyramid, values = Pyramid(("p",)), np.array([1.0, 5.0, np.nan, 3.0])
    for place, value in enumerate(values):
        pyramid.add(digest_of(np.array([value]), place * 5 * MS))

    drawn = pyramid.between("p", 0, 40 * MS, 10)

    assert len(drawn) == 1
    assert drawn.mean[0] == pytest.approx(3.0)
    assert (drawn.low[0], drawn.high[0]) == (1.0, 5.0)


def test_a_value_that_is_missing_is_no_number_and_breaks_the_line() -> None:
    values = np.array([1.0, np.nan, np.nan, np.nan, np.nan, np.nan, np.nan, np.nan, np.nan, 2.0])
    pyramid = Pyramid(("p",))
    pyramid.add(digest_of(values, step=WIDTHS[0]))

    _, drawn = outline(pyramid.between("p", 0, pyramid.end, 100))

    assert np.isnan(drawn).any()
    assert np.nanmin(drawn) == 1.0


def test_a_gap_breaks_the_line_and_steady_sampling_does_not() -> None:
    times = np.array([0, 1, 2, 3, 20, 21]) * SECOND
    level = np.ones(6)

    drawn_times, drawn = outline(Bins(times, level, level, level))

    assert np.isnan(drawn).sum() == 1
    assert drawn_times[np.isnan(drawn)] == pytest.approx(3.0)
    assert not np.isnan(outline(Bins(times[:4], level[:4], level[:4], level[:4]))[1]).any()


def test_without_a_sample_there_is_nothing_to_draw() -> None:
    pyramid = Pyramid(("p",))

    assert len(pyramid.between("p", 0, SECOND, 10)) == 0
    assert len(outline(pyramid.between("p", 0, SECOND, 10))[0]) == 0
    assert np.isnan(pyramid.newest("p")[0])


def test_reducing_keeps_the_order_of_time() -> None:
    times = np.arange(1000) * SECOND
    values = np.random.default_rng(1).normal(size=1000)

    few = reduced(Bins(times, values, values, values), 7)

    assert len(few) <= 7
    assert (np.diff(few.times) > 0).all()
    assert few.high.max() == values.max()
