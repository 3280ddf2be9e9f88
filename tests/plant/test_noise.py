"""Chance is the same whenever and in whatever order it is asked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig.plant.noise import Noise, draw


@given(st.integers(0, 2**40), st.integers(1, 3000), st.integers(0, 2**32))
def test_a_stretch_of_noise_is_its_single_numbers(first: int, n: int, seed: int) -> None:
    noise = Noise(seed, "x")

    stretch = noise.stretch(first, n)

    assert len(stretch) == n
    assert stretch[-1] == Noise(seed, "x").at(first + n - 1)


def test_draws_are_independent_standard_normal_numbers() -> None:
    numbers = np.array([[draw(seed, label) for label in "abc"] for seed in range(2000)])

    assert np.abs(numbers.mean(axis=0)).max() < 0.08
    assert numbers.std(axis=0) == pytest.approx([1, 1, 1], abs=0.06)
    assert np.abs(np.corrcoef(numbers.T) - np.eye(3)).max() < 0.08
