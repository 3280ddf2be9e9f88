"""Bits on the wire: speed, and what a receiver at the wrong speed hears."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig_instruments.simulated.uart import Wire, heard

BAUDS = [1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200]


def test_a_wire_at_9600_baud_passes_960_bytes_a_second() -> None:
    wire = Wire(9600)
    wire.put(bytes(2000), now=5.0)

    assert len(wire.take(5.5)) == 480
    assert len(wire.take(6.0)) == 480
    assert len(wire.take(60.0)) == 1040
    assert wire.due() is None


def test_bytes_that_are_put_in_late_wait_for_those_before_them() -> None:
    wire = Wire(9600)
    wire.put(bytes(96), now=0.0)
    wire.put(b"end", now=0.05)

    assert wire.take(0.1) == bytes(96)
    assert wire.take(0.1032) == b"end"


@given(
    baud=st.sampled_from(BAUDS),
    pieces=st.lists(st.tuples(st.binary(max_size=30), st.floats(0, 0.05)), max_size=20),
)
def test_everything_comes_out_once_in_order_and_never_faster_than_the_line(
    baud: int, pieces: list[tuple[bytes, float]]
) -> None:
    wire, now, taken = Wire(baud), 0.0, b""
    for piece, pause in pieces:
        wire.put(piece, now)
        now += pause
        taken += wire.take(now)

        assert len(taken) <= now * baud / 10 + 1e-3
    while (due := wire.due()) is not None:
        assert due >= now - 1e-9
        now = due
        more = wire.take(now)
        assert more
        taken += more

    assert taken == b"".join(piece for piece, _ in pieces)


@given(data=st.binary(max_size=40), baud=st.sampled_from(BAUDS), error=st.floats(-0.03, 0.03))
def test_a_receiver_at_nearly_the_right_speed_hears_every_byte(data: bytes, baud: int, error: float) -> None:
    assert heard(data, baud, round(baud * (1 + error))) == data


@given(data=st.binary(max_size=40), sent=st.sampled_from(BAUDS), received=st.sampled_from(BAUDS))
def test_any_bytes_at_any_speeds_are_heard_as_some_bytes(data: bytes, sent: int, received: int) -> None:
    assert len(heard(data, sent, received)) <= 1 + len(data) * max(1, received / sent) * 1.1


def test_a_byte_of_zeros_sent_slowly_is_a_row_of_zeros() -> None:
    # Low for 9 bits of 1200 baud is low for 72 of 9600: seven frames whose eight data bits are all low.
    assert heard(b"\0", 1200, 9600)[:7] == bytes(7)


@pytest.mark.parametrize("received", [b for b in BAUDS if b != 9600])
def test_a_weight_at_the_wrong_speed_is_garbage(received: int) -> None:
    assert b"S S" not in heard(b"S S     100.00 g\r\n", 9600, received)
