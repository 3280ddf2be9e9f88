"""A balance's words become grams, or the lack of them; nothing else ever becomes a number."""

from __future__ import annotations

import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig.errors import InstrumentError
from labrig.model import Quality
from labrig_instruments.mt_sics import parse_model, parse_serial_number, parse_weight


@pytest.mark.parametrize(
    ("reply", "grams", "quality"),
    [
        (b"S S     100.00 g", 100.0, Quality.GOOD),
        (b"S D     129.07 g", 129.07, Quality.UNSETTLED),
        (b"S S    -100.00 g", -100.0, Quality.GOOD),
        (b"S S       0.00 g", 0.0, Quality.GOOD),
        (b"S S    5.80321 kg", 5803.21, Quality.GOOD),
        (b"S D      12.50 mg", 0.0125, Quality.UNSETTLED),
        (b"SI S     150.00 kg", 150000.0, Quality.GOOD),
    ],
)
def test_a_weight_is_read_as_the_manual_writes_it(reply: bytes, grams: float, quality: Quality) -> None:
    weight = parse_weight(reply)

    assert weight.grams == pytest.approx(grams)
    assert weight.quality == quality


@pytest.mark.parametrize(
    ("reply", "quality"),
    [(b"S +", Quality.MISSING | Quality.ABOVE), (b"S -", Quality.MISSING | Quality.BELOW), (b"S I", Quality.MISSING)],
)
def test_a_balance_without_a_weight_gives_no_number(reply: bytes, quality: Quality) -> None:
    weight = parse_weight(reply)

    assert math.isnan(weight.grams)
    assert weight.quality == quality


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (b"ES", r"did not understand the command \(ES\)"),
        (b"ET", r"heard the command garbled \(ET\); check baud rate"),
        (b"EL", r"cannot execute the command \(EL\)"),
        (b"S S       3.53 oz", "weighs in oz; set it to g, kg or mg"),
        (b'I4 A "B021002593"', "was switched on again meanwhile: its tare and zero are lost"),
        (b"S S  100.00 g", "answered 'S S  100.00 g'"),
        (b"S S     1e2.00 g", "answered"),
        (b"S S        nan g", "answered"),
        (b"S S    - 10.00 g", "answered"),
        (b"S S     100.00", "answered"),
        (b"T S     100.00 g", "answered"),
        (b"", "answered ''"),
    ],
)
def test_anything_else_is_refused_in_words(reply: bytes, words: str) -> None:
    with pytest.raises(InstrumentError, match=words):
        parse_weight(reply)


ALMOST = st.sampled_from([b"S S     100.00 g", b"S D     129.07 g", b"S +", b'I4 A "B021002593"', b'I2 A "X 1 g"'])


@st.composite
def garbled(draw: st.DrawFn) -> bytes:
    """A true reply with one byte replaced, cut out or doubled."""
    reply = bytearray(draw(ALMOST))
    place = draw(st.integers(0, len(reply) - 1))
    reply[place : place + 1] = draw(st.binary(max_size=2))
    return bytes(reply)


@given(st.binary(max_size=40) | garbled())
def test_whatever_comes_is_a_weight_or_an_instrument_error(noise: bytes) -> None:
    for parse in (parse_weight, parse_serial_number, parse_model):
        with suppress(InstrumentError):
            parse(noise)


@pytest.mark.fault("DEV-06")
@given(st.integers(0, 15), st.integers(0, 7))
def test_a_flipped_bit_is_seen_unless_it_makes_another_digit(place: int, bit: int) -> None:
    """MT-SICS has no checksum: this is all that its grammar can tell. Case of the unit counts, and so does the sign."""
    true = b"S S     100.00 g"
    flipped = bytearray(true)
    flipped[place] ^= 1 << bit

    try:
        weight = parse_weight(bytes(flipped))
    except InstrumentError:
        return

    if not math.isclose(weight.grams, 100.0):
        assert chr(true[place]).isdigit()
        assert chr(flipped[place]).isdigit()
