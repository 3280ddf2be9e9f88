"""Sartorius' and Ohaus' balances: their words become grams, or the lack of them; nothing else ever becomes a number."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig.errors import InstrumentError, WrongInstrument
from labrig.model import Quality
from labrig_instruments import ohaus, sartorius_sbi
from labrig_instruments.balance import Balance, Weight, WeightOptions
from labrig_instruments.line import ScriptedLine, Silence
from labrig_instruments.ohaus import OhausBalance
from labrig_instruments.sartorius_sbi import SartoriusBalance, parse_model

Talk = tuple[bytes, bytes | InstrumentError]
OVER, UNDER = Quality.MISSING | Quality.ABOVE, Quality.MISSING | Quality.BELOW
SBI_NAME: list[Talk] = [(b"\x1bx2_", b"SerNo.    0031801165"), (b"\x1bx1_", b"MSE1203S-100-DR     ")]
OHAUS_NAME: list[Talk] = [(b"PSN", b"B834567890")]


def sbi(reply: bytes) -> Weight:
    return sartorius_sbi.parse_weight(reply, "g")


@pytest.mark.parametrize(
    ("reply", "grams", "quality"),
    [
        (b"+   123.56 g  ", 123.56, Quality.GOOD),  # operating instructions of the weigh cell WZB, 16 characters
        (b"+  123.5[6]g  ", 123.56, Quality.GOOD),  # the same, last digit not verified
        (b"N     +   123.56 g  ", 123.56, Quality.GOOD),  # Entris II, 22 characters
        (b"N     +    0.031    ", 0.031, Quality.UNSETTLED),  # a real MSE1203S while its weight changes
        (b"N     +    0.006 g  ", 0.006, Quality.GOOD),  # the same, settled
        (b"N     -    0.013    ", -0.013, Quality.UNSETTLED),
        (b"N          0.000 g  ", 0.0, Quality.GOOD),
    ],
)
def test_a_sartorius_weight_is_read_as_manuals_and_real_balances_write_it(
    reply: bytes, grams: float, quality: Quality
) -> None:
    weight = sbi(reply)

    assert weight.grams == pytest.approx(grams)
    assert weight.quality == quality


@pytest.mark.parametrize(
    ("reply", "grams", "quality"),
    [
        (b"    192.21 g", 192.21, Quality.GOOD),  # Explorer's instructions
        (b"      0.01 g ?", 0.01, Quality.UNSETTLED),  # the same
        (b"        0.00 g     ", 0.0, Quality.GOOD),  # RS232 interface manual
        (b"       12.73 g    ?", 12.73, Quality.UNSETTLED),  # the same
        (b"       0.211 kg ?", 211.0, Quality.UNSETTLED),
        (b"-    12.50 g ", -12.5, Quality.GOOD),  # Ranger: the sign stands left
        (b"    176.30 g ? NET", 176.3, Quality.UNSETTLED),
    ],
)
def test_an_ohaus_weight_is_read_as_its_manuals_write_it(reply: bytes, grams: float, quality: Quality) -> None:
    weight = ohaus.parse_weight(reply)

    assert weight.grams == pytest.approx(grams)
    assert weight.quality == quality


@pytest.mark.parametrize(
    ("parse", "reply", "quality"),
    [
        (sbi, b"     High     ", OVER),
        (sbi, b"Stat       High     ", OVER),
        (sbi, b"Stat       Low      ", UNDER),
        (sbi, b"      H       ", OVER),
        (sbi, b"Stat     Cal.Int.   ", Quality.MISSING),
        (ohaus.parse_weight, b"Err 8.3", OVER),
        (ohaus.parse_weight, b"Err 8.4", UNDER),
        (ohaus.parse_weight, b"Err 9.5", Quality.MISSING),
    ],
)
def test_a_balance_without_a_weight_says_why(parse: Callable[[bytes], Weight], reply: bytes, quality: Quality) -> None:
    weight = parse(reply)

    assert math.isnan(weight.grams)
    assert weight.quality == quality


@pytest.mark.parametrize(
    ("parse", "reply", "words"),
    [
        (sbi, b"N     +   123.56 kg ", "weighs in kg; set it to g"),
        (sbi, b"+   123.56 oz ", "weighs in oz"),
        (sbi, b"Stat      ERR 054   ", "reports ERR 054"),
        (sbi, b"Stat       OFF      ", "reports OFF"),
        (sbi, b"Qnt   +      253 pcs", "answered 'Qnt"),
        (sbi, b"+   123.56 g ", "answered"),
        (sbi, b"SerNo.    0031801165", "answered 'SerNo"),
        (sbi, b"+    1 3.5 g  ", "answered"),
        (ohaus.parse_weight, b"    192.21 oz", "weighs in oz"),
        (ohaus.parse_weight, b"    207.80 g TOTAL", "answered '    207.80 g TOTAL'"),
        (ohaus.parse_weight, b"ES", "did not understand"),
        (ohaus.parse_weight, b"192.21 g", "answered"),
        (ohaus.parse_weight, b"    192.21", "answered"),
    ],
)
def test_anything_else_is_an_error_in_words(parse: Callable[[bytes], Weight], reply: bytes, words: str) -> None:
    with pytest.raises(InstrumentError, match=words):
        parse(reply)


@given(noise=st.binary(max_size=24))
def test_noise_is_never_a_weight_without_digits(noise: bytes) -> None:
    for parse in (sbi, ohaus.parse_weight):
        with suppress(InstrumentError):
            weight = parse(noise)
            assert math.isnan(weight.grams) or any(byte in b"0123456789" for byte in noise)
    for name in (sartorius_sbi.parse_serial_number, ohaus.parse_serial_number, parse_model):
        with suppress(InstrumentError):
            assert name(noise).strip()


@given(grams=st.floats(-9999, 9999), steady=st.booleans())
def test_every_weight_is_read_back(grams: float, steady: bool) -> None:
    value = round(grams, 2)
    sign = "-" if value < 0 else "+"
    sartorius = f"N     {sign}{abs(value):9.2f} {'g' if steady else '':3}".encode()
    other = f"{value:10.2f} g{'' if steady else ' ?'}".encode()

    for weight in (sbi(sartorius), ohaus.parse_weight(other)):
        assert weight.grams == value
        assert weight.quality == (Quality.GOOD if steady else Quality.UNSETTLED)


@pytest.mark.fault("DEV-07")
@pytest.mark.parametrize("whole", [b"N     +   123.56    ", b"+   123.56 g  "])
def test_a_byte_lost_from_a_sartorius_weight_never_makes_another(whole: bytes) -> None:
    for place in range(len(whole)):
        with pytest.raises(InstrumentError):
            sbi(whole[:place] + whole[place + 1 :])


OPTIONS = WeightOptions(unit="g", range=("0 g", "6200 g"))


def sartorius(*talk: Talk, serial_number: str | None = None) -> tuple[Balance, ScriptedLine]:
    line = ScriptedLine([*SBI_NAME, *talk])
    return SartoriusBalance(
        *("scale", lambda: 0, lambda _: line),
        port="COM4",
        channel_name="m",
        channel=OPTIONS,
        serial_number=serial_number,
    ), line


def explorer(*talk: Talk, serial_number: str | None = None) -> tuple[Balance, ScriptedLine]:
    line = ScriptedLine([*OHAUS_NAME, *talk])
    return OhausBalance(
        *("scale", lambda: 0, lambda _: line),
        port="COM4",
        channel_name="m",
        channel=OPTIONS,
        serial_number=serial_number,
    ), line


def test_they_are_known_by_what_they_say_of_themselves() -> None:
    assert sartorius(serial_number="0031801165")[0].open() == "MSE1203S-100-DR, serial number 0031801165"
    assert explorer()[0].open() == "Ohaus balance, serial number B834567890"


@pytest.mark.fault("DEV-04")
@pytest.mark.parametrize(("make", "asked"), [(sartorius, 1), (explorer, 1)])
def test_another_one_is_refused_before_it_hears_a_command(
    make: Callable[..., tuple[Balance, ScriptedLine]], asked: int
) -> None:
    balance, line = make(serial_number="X1")

    with pytest.raises(WrongInstrument, match="expected the balance with serial number X1, found"):
        balance.open()

    assert line.closed


@pytest.mark.fault("DEV-08")
def test_a_late_weight_is_not_taken_for_the_next_one() -> None:
    quiet = Silence("COM4: the device did not answer")
    cases: list[tuple[tuple[Balance, ScriptedLine], float]] = [
        (
            sartorius(
                (b"\x1bP", quiet),
                (b"\x1bx2_", b"N     +   100.00    "),
                (b"", b"SerNo.    0031801165"),
                (b"\x1bP", b"N     +   101.00    "),
            ),
            101.0,
        ),
        (
            explorer(
                *((b"IP", quiet), (b"PSN", b"    100.00 g ?")),
                *((b"", b"B834567890"), (b"IP", b"    102.00 g")),
            ),
            102.0,
        ),
    ]
    for (balance, line), grams in cases:
        balance.open()
        with pytest.raises(Silence):
            balance.read()

        assert balance.read().values.tolist() == [[grams]]
        assert line.finished()


def test_a_unit_that_is_changed_at_the_keys_is_noticed_while_none_is_told() -> None:
    balance, _ = sartorius((b"\x1bP", b"N     +   100.00    "), (b"\x1bP", b"N     +  0.10000    "))
    balance.open()
    balance.read()

    with pytest.raises(InstrumentError, match="garbled on the line"):
        balance.read()


def test_what_has_no_answer_of_its_own_is_read_back() -> None:
    balance, line = sartorius(
        (b"\x1bU\r\n\x1bP", b"N           0.00 g  "),
        (b"\x1bV\r\n\x1bP", b"N     +   100.00    "),
    )
    balance.open()

    balance.tare()
    with pytest.raises(InstrumentError, match=r"scale did not set its zero: it shows .*100\.00.*steady"):
        balance.zero()

    assert line.finished()


@pytest.mark.parametrize("says_ok", [False, True])
def test_an_ohaus_balance_may_say_ok_or_not(says_ok: bool) -> None:
    zero: Talk = (b"T\r\nIP", b"OK!" if says_ok else b"      0.00 g")
    more: list[Talk] = [(b"", b"      0.00 g")] if says_ok else []
    balance, line = explorer(zero, *more)
    balance.open()

    balance.tare()

    assert line.finished()
