"""What a rig file may say about channels and outputs, and how it is told what is wrong."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from labrig import units
from labrig.drivers import ChannelOptions, RegulatorOptions, ValveOptions
from labrig.units import celsius, mA, psi


class Signal(ChannelOptions):
    signals: ClassVar = ("V", "A")


class Weighed(ChannelOptions):
    signals: ClassVar = ("g",)


class Setpoint(RegulatorOptions):
    signals: ClassVar = ("V",)


def si(options: ChannelOptions, raw: float) -> float:
    return float(options.calibration().apply(np.array([raw]))[0])


def refusal(model: type[ChannelOptions | RegulatorOptions], **table: object) -> str:
    with pytest.raises(ValidationError) as refused:
        model.model_validate(table)
    return str(refused.value.errors()[0]["ctx"]["error"])


LOOP = {"unit": "psi", "signal": ("4 mA", "20 mA"), "value": ("0 psi", "100 psi")}


def test_two_points_make_the_straight_line_through_them() -> None:
    options = Signal.model_validate(LOOP)

    assert si(options, 4 * mA) == pytest.approx(0, abs=1e-6)
    assert si(options, 12 * mA) == pytest.approx(50 * psi)
    assert si(options, 20 * mA) == pytest.approx(100 * psi)


@given(st.floats(-100, 100), st.floats(-100, 100))
def test_a_falling_signal_is_as_good_as_a_rising_one(start: float, end: float) -> None:
    if abs(start - end) < 1e-6:
        return
    options = Signal(unit="psi", signal=("10 V", "0 V"), value=(f"{start} psi", f"{end} psi"))

    assert si(options, 10.0) == pytest.approx(start * psi, abs=1e-3)
    assert si(options, 0.0) == pytest.approx(end * psi, abs=1e-3)
    assert options.limits() == pytest.approx(tuple(sorted((start * psi, end * psi))))


def test_a_polynomial_is_in_powers_of_the_stated_signal() -> None:
    """A straight line said as a polynomial is the line of two points; a square term adds its square."""
    line = Signal(unit="psi", polynomial=("-25 psi", "6.25 psi"), per="1 mA", range=("0 psi", "100 psi"))
    bent = Signal(unit="psi", polynomial=("0 psi", "10 psi", "1 psi"), per="2 V", range=("0 psi", "100 psi"))

    assert si(line, 20 * mA) == pytest.approx(100 * psi)
    assert si(bent, 4.0) == pytest.approx((10 * 2 + 1 * 2**2) * psi)


def test_a_thermometer_starts_at_a_temperature_and_rises_in_kelvin() -> None:
    options = Signal(
        unit="°C", polynomial=("-12.5 °C", "3.125 K"), per="1 mA", range=("0 °C", "50 °C"), offset_u="0.1 K"
    )

    assert si(options, 20 * mA) == pytest.approx(celsius(50))
    assert options.calibration().offset_u == pytest.approx(0.1)
    assert "temperature difference" in refusal(
        Signal, **LOOP | {"unit": "°C", "value": ("0 °C", "1 °C"), "offset_u": "1 °C"}
    )


def test_a_balance_needs_no_scaling_and_keeps_its_grams_raw() -> None:
    channel = Weighed(unit="kg", range=("0 g", "6200 g"), resolution="0.01 g").as_channel("permeate", "COM4")

    assert channel.raw_unit == "g"
    assert channel.calibration.coefficients == (0.0, 1e-3)
    assert (channel.low, channel.high) == (0.0, 6.2)
    assert channel.resolution == pytest.approx(1e-5)


def test_a_balance_can_be_corrected_by_two_weights() -> None:
    options = Weighed(unit="g", signal=("0 g", "200 g"), value=("0 g", "200.02 g"))

    assert si(options, 100.0) == pytest.approx(0.10001)


def test_the_certificate_travels_with_the_channel() -> None:
    table = LOOP | {"relative_u": "0.1 %", "offset_u": "0.05 psi", "certificate": "K-1234", "date": "2026-03-01"}
    calibration = Signal.model_validate(table).calibration()

    assert calibration.relative_u == pytest.approx(1e-3)
    assert calibration.offset_u == pytest.approx(0.05 * psi)
    assert (calibration.certificate, calibration.date) == ("K-1234", "2026-03-01")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"unit": "furlong"}, "unknown unit 'furlong'"),
        ({"signal": None, "value": None}, "signal and value (two points) or polynomial and per"),
        ({"value": None}, "signal and value together, or neither"),
        ({"polynomial": ("0 psi", "1 psi"), "per": "1 V"}, "not both"),
        ({"signal": ("4 mm", "20 mm")}, "a voltage or a current such as '10 V' for the signal, not '4 mm'"),
        ({"signal": ("4 mA", "20 V")}, "signal as a current such as '10 A'; '20 V' is a voltage"),
        ({"signal": ("4 mA", "4 mA")}, "two different signals, not '4 mA' and '4 mA'"),
        ({"value": ("0 psi", "0 psi")}, "two different values, not '0 psi' and '0 psi'"),
        ({"range": ("1 psi", "1 psi")}, "a range with two different ends"),
        ({"value": ("0 mm", "10 psi")}, "value as a pressure such as '10 psi'; '0 mm' is a length"),
        ({"value": ("0", "10 psi")}, "value as"),
        ({"range": ("0 psi", "1 K")}, "range as a pressure"),
        ({"offset_u": "-1 psi"}, "offset_u as nothing below zero, not '-1 psi'"),
        ({"relative_u": "-1 %"}, "relative_u"),
    ],
)
def test_a_wrong_channel_is_refused_in_words(change: dict[str, object], words: str) -> None:
    assert words in refusal(Signal, **LOOP | change)


def test_a_channel_without_two_values_states_its_range() -> None:
    assert "a range, such as ['0 psi', '10 psi']" in refusal(
        Signal, unit="psi", polynomial=("0 psi", "1 psi"), per="1 V"
    )


@pytest.mark.parametrize(
    ("opens", "safe", "raw_when_safe"),
    [
        ("energised", "closed", 0.0),
        ("energised", "open", 1.0),
        ("de-energised", "open", 0.0),
        ("de-energised", "closed", 1.0),
    ],
)
def test_a_valve_knows_the_state_of_its_coil(opens: str, safe: str, raw_when_safe: float) -> None:
    output = ValveOptions.model_validate({"opens": opens, "safe": safe}).as_output("vent", "port0/line0")

    assert output.safe == float(safe == "open")
    assert output.calibration.apply(np.array([output.safe])) == raw_when_safe


def test_a_regulator_turns_its_quantity_into_its_signal() -> None:
    table = {"unit": "psi", "signal": ("0 V", "10 V"), "value": ("0 psi", "100 psi"), "range": ("0 psi", "80 psi")}
    output = Setpoint.model_validate(table | {"safe": "0 psi"}).as_output("pressure", "ao0")

    assert output.calibration.apply(np.array([0.0, 25 * psi, 80 * psi])) == pytest.approx([0, 2.5, 8])
    assert (output.low, output.high, output.safe) == pytest.approx((0, 80 * psi, 0))


def test_a_regulator_whose_signal_does_not_start_at_zero_is_no_exception() -> None:
    table = {"unit": "bar", "signal": ("1 V", "5 V"), "value": ("-1 bar", "7 bar"), "safe": "0 bar"}
    output = Setpoint.model_validate(table).as_output("vacuum", "ao0")

    assert output.calibration.apply(np.array([-1e5, 0.0, 3e5, 7e5])) == pytest.approx([1, 1.5, 3, 5])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"range": ("0 psi", "101 psi")}, "a range within the values '0 psi' to '100 psi'"),
        ({"safe": "-1 psi"}, "a safe set-point within the range, not '-1 psi'"),
        ({"safe": "1 V"}, "safe as a pressure"),
        ({"signal": ("4 mA", "20 mA")}, "a voltage such as '10 V' for the signal, not '4 mA'"),
    ],
)
def test_a_wrong_regulator_is_refused_in_words(change: dict[str, object], words: str) -> None:
    table = {"unit": "psi", "signal": ("0 V", "10 V"), "value": ("0 psi", "100 psi"), "safe": "0 psi"}

    assert words in refusal(Setpoint, **table | change)


@given(
    st.dictionaries(
        st.sampled_from(sorted(Signal.model_fields)), st.text(max_size=8) | st.lists(st.text(max_size=8), max_size=3)
    )
)
def test_no_table_fails_in_another_way_than_by_refusal(table: dict[str, object]) -> None:
    try:
        channel = Signal.model_validate({"unit": "psi"} | table).as_channel("x", "")
    except ValidationError:
        return

    assert channel.unit in units.UNITS.values()
    assert np.isfinite(channel.calibration.coefficients).all()
