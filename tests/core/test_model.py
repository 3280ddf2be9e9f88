"""Blocks and calibration: raw values stay raw, and what is no value never becomes one."""

from __future__ import annotations

import numpy as np
import pytest

from labrig.model import Calibration, Channel, Quality, calibrated, judge_raw
from labrig.units import UNITS, mA, psi
from tests.core.some import PRESSURE, block

LOOP = Channel(
    name="loop",
    unit=UNITS["psi"],
    raw_unit="A",
    low=0.0,
    high=100 * psi,
    calibration=Calibration((-25 * psi, 6.25 * psi / mA)),
    loop=True,
)


def test_a_block_is_calibrated_to_si() -> None:
    assert calibrated(block([0.0, 5.0, 10.0]), {"p": PRESSURE})[:, 0] == pytest.approx([0, 50 * psi, 100 * psi])


def test_a_block_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        block([1.0]).values[0, 0] = 2.0


def test_what_has_no_value_is_nan_whatever_the_device_sent() -> None:
    quality = np.array([Quality.GOOD, Quality.MISSING, Quality.OPEN_LOOP, Quality.ABOVE], np.uint8)

    values = calibrated(block([1.0, 1.0, 1.0, 1.0], quality=quality), {"p": PRESSURE})[:, 0]

    assert np.isnan(values).tolist() == [False, True, True, False]


@pytest.mark.fault("SIG-02")
@pytest.mark.parametrize("current", [0.0, 3.59e-3, 21.1e-3, 22e-3])
def test_an_open_loop_is_no_pressure(current: float) -> None:
    """And it is neither too low nor too high either: it is no value at all."""
    assert judge_raw(LOOP, np.array([current]))[0] == Quality.OPEN_LOOP


@pytest.mark.fault("SIG-03")
@pytest.mark.parametrize(("current", "bit"), [(3.9e-3, Quality.BELOW), (20.5e-3, Quality.ABOVE), (12e-3, Quality.GOOD)])
def test_beyond_the_range_of_a_sound_loop_the_value_is_kept_and_flagged(current: float, bit: Quality) -> None:
    (flags,) = judge_raw(LOOP, np.array([current]))

    assert Quality(int(flags)) == bit
    assert Quality(int(flags)).usable


def test_a_block_of_the_wrong_shape_is_refused_at_birth() -> None:
    good = block([1.0, 2.0])
    with pytest.raises(ValueError, match="2 times and 1 channels"):
        type(good)("daq", ("p",), 0, good.times, np.zeros((3, 1)), np.zeros((3, 1), np.uint8))
