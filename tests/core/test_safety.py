"""Interlocks: what trips, what does not, and in which words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig.model import Quality
from labrig.safety import Breach, Interlock, Watch
from labrig.units import psi
from tests.core.some import PRESSURE, block

LIMIT = Interlock("over-pressure", "p", high=50 * psi)


def tripped(*chunks: list[float], quality: list[int] | None = None) -> list[str]:
    breaches: list[Breach] = []
    watch = Watch([LIMIT], {"p": PRESSURE}, breaches.append)
    for chunk in chunks:
        watch(block(chunk, quality=None if quality is None else np.array(quality, np.uint8)))
    return [breach.reason for breach in breaches]


def test_two_bad_samples_of_three_trip_and_the_reason_has_numbers() -> None:
    (reason, *_) = tripped([4.0, 6.0, 6.0])

    assert reason == "over-pressure: p 60.00 psi is above its limit 50.00 psi"


@pytest.mark.fault("SIG-05")
def test_a_single_spike_does_not_trip() -> None:
    assert tripped([4.0, 9.9, 4.0, 4.0, 9.9, 4.0, 4.0]) == []


@pytest.mark.fault("SIG-04")
@pytest.mark.parametrize("nonsense", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_trips(nonsense: float) -> None:
    assert tripped([4.0, nonsense, nonsense])


@pytest.mark.fault("SIG-02")
def test_an_open_loop_on_a_guarded_channel_trips() -> None:
    (reason, *_) = tripped([1.0, 1.0], quality=[Quality.OPEN_LOOP, Quality.OPEN_LOOP])

    assert "no valid value" in reason


@given(st.lists(st.sampled_from([4.0, 6.0]), min_size=1, max_size=30), st.data())
def test_it_does_not_matter_how_samples_are_cut_into_blocks(samples: list[float], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(samples)))

    assert bool(tripped(samples)) == bool(tripped(*[part for part in (samples[:cut], samples[cut:]) if part]))
