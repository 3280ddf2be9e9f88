"""A serial line gives a reply in time, or one error that says why not."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig.clock import monotonic
from labrig.errors import InstrumentError, LinkLost
from labrig_instruments.line import Framer, LineSettings, ScriptedLine, SerialLine, Silence

PIECES = st.lists(st.integers(1, 12), min_size=1, max_size=30)


def replies(framer: Framer, pieces: list[bytes]) -> list[bytes | None]:
    """What a framer gives for those pieces, None for an endless reply."""
    given: list[bytes | None] = []
    for piece in pieces:
        framer.take(piece)
        while True:
            try:
                reply = framer.next()
            except InstrumentError:
                given.append(None)
                continue
            if reply is None:
                break
            given.append(reply)
    return given


@pytest.mark.fault("DEV-07")
@given(st.lists(st.binary(max_size=14).filter(lambda b: b"\n" not in b), max_size=8), PIECES)
def test_any_chunking_of_the_bytes_gives_the_same_replies(lines: list[bytes], lengths: list[int]) -> None:
    """Ten bytes are allowed: the whole stream at once, and in pieces of those lengths, tell the same."""
    stream = b"".join(line + b"\r\n" for line in lines)
    whole = replies(Framer(b"\r\n", 10), [stream])

    pieces, rest = [], stream
    for length in lengths:
        pieces.append(rest[:length])
        rest = rest[length:]

    assert replies(Framer(b"\r\n", 10), [*pieces, rest]) == whole
    assert whole == [line if len(line) <= 10 else None for line in lines]


def test_noise_without_an_end_is_refused_once_and_forgotten() -> None:
    framer = Framer(b"\r\n", 10)

    assert replies(framer, [b"x" * 300, b"y" * 300, b"z\r", b"\nS S\r\n"]) == [None, b"S S"]


@pytest.fixture
def echo(peer: Callable[..., Any]) -> Iterator[SerialLine]:
    """A line to a device that says each request back, ``quiet`` excepted."""
    device = peer(lambda request: [] if request == b"quiet" else [request, b"\r\n"])
    line = SerialLine(LineSettings(device.url, timeout=0.3))
    yield line
    line.close()


def test_a_request_is_answered_without_its_terminator(echo: SerialLine) -> None:
    assert echo.ask(b"hello") == b"hello"
    assert echo.ask(b"") == b""


def test_silence_is_noticed_at_the_deadline(echo: SerialLine) -> None:
    began = monotonic()

    with pytest.raises(Silence, match=r"socket://127.0.0.1:\d+: the device did not answer b'quiet' within 0.3 s"):
        echo.ask(b"quiet")

    assert 0.3 <= (monotonic() - began) / 1e9 < 1.0


@pytest.mark.fault("DEV-07")
def test_bytes_that_nobody_asked_for_are_no_answer(peer: Callable[..., Any]) -> None:
    device = peer(lambda request: [request, b"\r\n"])
    line = SerialLine(LineSettings(device.url))
    line.ask(b"first")

    device.say(b"late reply\r\nhalf a re")
    assert line.hear() == b"late reply"
    device.say(b"st\r\n")
    assert line.ask(b"second") == b"second"

    line.close()


def test_a_device_that_hangs_up_is_a_lost_link(peer: Callable[..., Any]) -> None:
    device = peer(lambda request: [request, b"\r\n"])
    line = SerialLine(LineSettings(device.url))
    line.ask(b"first")

    device.hang_up()

    with pytest.raises(LinkLost, match=r"the line is gone .* Check its cable and power"):
        line.ask(b"second")
    line.close()


def test_a_closed_line_is_a_lost_link_and_closes_again(echo: SerialLine) -> None:
    echo.close()
    echo.close()

    with pytest.raises(LinkLost):
        echo.ask(b"hello")


@pytest.mark.parametrize(
    "port", ["socket://127.0.0.1:1", "nonsense://x", "no-such-port", "socket://127.0.0.1:99999", ""]
)
def test_a_port_that_cannot_be_opened_is_named(port: str) -> None:
    with pytest.raises(LinkLost, match=f"^{port} cannot be opened .* Ports on this computer: "):
        SerialLine(LineSettings(port))


def test_a_script_plays_word_for_word() -> None:
    line = ScriptedLine([(b"SI", b"S S"), (b"", b"more"), (b"SI", Silence("quiet"))])

    assert line.ask(b"SI") == b"S S"
    assert line.hear() == b"more"
    assert not line.finished()
    with pytest.raises(Silence, match="quiet"):
        line.ask(b"SI")
    assert line.finished()
    with pytest.raises(AssertionError, match="the script is over"):
        line.ask(b"SI")


def test_a_script_refuses_other_words() -> None:
    with pytest.raises(AssertionError, match="expects b'SI', but b'S' was sent"):
        ScriptedLine([(b"SI", b"S S")]).ask(b"S")


if sys.platform != "win32":

    @pytest.fixture
    def terminal() -> Iterator[tuple[int, str]]:
        """A pseudo terminal: the device's end, and the name of ours."""
        device, ours = os.openpty()
        name = os.ttyname(ours)
        os.close(ours)
        yield device, name
        with suppress(OSError):  # The test may have unplugged it.
            os.close(device)

    @pytest.mark.fault("DEV-05")
    def test_a_port_is_opened_once(terminal: tuple[int, str]) -> None:
        first = SerialLine(LineSettings(terminal[1]))

        with pytest.raises(LinkLost, match=r"is in use by another program\. Close that program, then reconnect\."):
            SerialLine(LineSettings(terminal[1]))

        first.close()
        SerialLine(LineSettings(terminal[1])).close()

    @pytest.mark.fault("DEV-02")
    def test_an_unplugged_port_is_a_lost_link_every_time(terminal: tuple[int, str]) -> None:
        line = SerialLine(LineSettings(terminal[1]))
        os.close(terminal[0])

        for _ in range(3):
            with pytest.raises(LinkLost):
                line.ask(b"SI")
            with pytest.raises(LinkLost):
                line.hear()
        line.close()
