"""A signal that does not move though an output did."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig.clock import SECOND
from labrig.frozen import Frozen
from labrig.model import Block, Commanded
from tests.core.some import block

RATE = 10
"""Samples a second."""


class Watched:
    """One channel with five seconds of patience, in whatever pieces its samples come."""

    def __init__(self) -> None:
        self.found: list[tuple[str, int]] = []
        self.frozen = Frozen({"p": 5.0}, lambda name, time, _: self.found.append((name, time)))
        self.samples = 0
        self.command(0.0)

    @property
    def now(self) -> int:
        return self.samples * SECOND // RATE

    def command(self, value: float) -> None:
        self.frozen(Commanded(self.now, "regulator", "set", value))

    def read(self, *values: float, pieces: int = 7) -> None:
        for start in range(0, len(values), pieces):
            self.frozen(self._block(values[start : start + pieces]))

    def _block(self, values: tuple[float, ...]) -> Block:
        made = block(values, start=self.now, step=SECOND // RATE, first=self.samples)
        self.samples += len(values)
        return made


def noisy(seconds: float) -> list[float]:
    return list(np.random.default_rng(1).normal(2.0, 1e-4, round(seconds * RATE)))


@pytest.mark.fault("SIG-01")
@given(st.integers(1, 60))
def test_a_signal_that_stands_still_from_before_a_change_is_found_when_its_patience_is_over(pieces: int) -> None:
    watched = Watched()
    watched.read(*noisy(2), *[2.0] * 20, pieces=pieces)
    changed = watched.now
    watched.command(1.0)
    watched.read(*[2.0] * 100, pieces=pieces)

    first = watched.found[0][1]
    assert changed + 5 * SECOND <= first <= changed + 5 * SECOND + pieces * SECOND // RATE
    assert "p is frozen" in watched.frozen.now["p"]
    assert "regulator" in watched.frozen.now["p"]


def test_changes_that_come_often_do_not_hide_it() -> None:
    watched = Watched()
    watched.read(2.0)
    for number in range(5):
        watched.command(1.0 + number)
        watched.read(*[2.0] * 20)

    assert watched.found


def test_it_thaws_when_it_moves() -> None:
    watched = Watched()
    watched.read(2.0)
    watched.command(1.0)
    watched.read(*[2.0] * 60)
    assert watched.frozen.now
    watched.read(2.1, *noisy(1))

    assert not watched.frozen.now


def test_what_moves_or_stands_while_no_output_was_changed_is_sound() -> None:
    watched = Watched()
    watched.read(*[2.0] * 200)
    watched.command(0.0)
    watched.read(*[2.0] * 200)
    watched.command(1.0)
    watched.read(2.1, *[2.1] * 200)

    assert not watched.found


def test_a_channel_without_values_is_not_called_frozen() -> None:
    watched = Watched()
    watched.read(2.0)
    watched.command(1.0)
    watched.read(*[float("nan")] * 200)

    assert not watched.found
