"""A balance is asked in the right order, answers are its own, and every weight has its time and quality."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig.errors import InstrumentError, LinkLost, WrongInstrument
from labrig.model import Quality
from labrig_instruments.balance import WeightOptions
from labrig_instruments.line import LineSettings, ScriptedLine, Silence
from labrig_instruments.mt_sics import MtSicsBalance

IDENTITY = [(b"I4", b'I4 A "B021002593"'), (b"I2", b'I2 A "WXS205SDU WXA-Bridge 220.00900 g"')]
ONE_SECOND = 1_000_000_000


def scripted(
    *talk: tuple[bytes, bytes | InstrumentError], serial_number: str | None = None
) -> tuple[MtSicsBalance, ScriptedLine]:
    """A balance on a scripted line, and the line; time passes one second at every look at the clock."""
    line = ScriptedLine(talk)
    ticks = count(0, ONE_SECOND)
    channel = WeightOptions(unit="g", range=("0 g", "220 g"))
    balance = MtSicsBalance(
        "balance",
        lambda: next(ticks),
        lambda _: line,
        port="COM4",
        channel_name="permeate",
        channel=channel,
        serial_number=serial_number,
    )
    return balance, line


def opened(
    *talk: tuple[bytes, bytes | InstrumentError], serial_number: str | None = None
) -> tuple[MtSicsBalance, ScriptedLine]:
    balance, line = scripted(*IDENTITY, *talk, serial_number=serial_number)
    balance.open()
    return balance, line


@pytest.mark.fault("DEV-07")
@given(st.integers(0, 15))
def test_a_lost_byte_never_makes_another_weight(place: int) -> None:
    balance, _ = opened(
        (b"SI", b"S S     100.00 g"), (b"SI", b"S S     100.00 g"[:place] + b"S S     100.00 g"[place + 1 :])
    )
    balance.read()

    with pytest.raises(InstrumentError):
        balance.read()


def test_a_doubled_digit_is_seen_by_the_length_of_the_reply() -> None:
    balance, _ = opened((b"SI", b"S S     100.00 g"), (b"SI", b"S S     1000.00 g"))
    balance.read()

    with pytest.raises(InstrumentError, match="17 characters in place of 16: garbled on the line"):
        balance.read()


def test_identity_is_known_before_anything_else_is_said() -> None:
    balance, line = scripted(*IDENTITY, serial_number="B021002593")

    assert balance.open() == "WXS205SDU WXA-Bridge 220.00900 g, serial number B021002593"
    assert line.finished()


@pytest.mark.fault("DEV-04")
def test_another_balance_is_refused_before_it_hears_a_command() -> None:
    balance, line = scripted((b"I4", b'I4 A "B999"'), serial_number="B021002593")

    with pytest.raises(WrongInstrument, match="COM4: expected the balance with serial number B021002593, found B999"):
        balance.open()

    assert line.finished()
    assert line.closed


@pytest.mark.fault("DEV-04")
def test_a_device_that_is_no_balance_is_refused() -> None:
    balance, line = scripted((b"I4", b"Alicat?"))

    with pytest.raises(InstrumentError, match="no MT-SICS balance: asked for its serial number, it answered 'Alicat"):
        balance.open()

    assert line.closed


def test_a_weight_is_timed_at_the_middle_of_question_and_answer() -> None:
    balance, _ = opened((b"SI", b"S D     129.07 g"))

    block = balance.read()

    assert block.times.tolist() == [ONE_SECOND // 2]
    assert block.values.tolist() == [[129.07]]
    assert block.quality.tolist() == [[int(Quality.UNSETTLED)]]
    assert (block.source, block.channels, block.first) == ("balance", ("permeate",), 0)


def test_a_weight_outside_its_range_is_kept_and_marked() -> None:
    balance, _ = opened((b"SI", b"S S     220.01 g"), (b"SI", b"S D      -0.01 g"))

    assert balance.read().quality.tolist() == [[int(Quality.ABOVE)]]
    below = balance.read()

    assert below.quality.tolist() == [[int(Quality.BELOW | Quality.UNSETTLED)]]
    assert below.values.tolist() == [[-0.01]]


def test_an_overloaded_balance_is_missing_and_above() -> None:
    balance, _ = opened((b"SI", b"S +"))

    block = balance.read()

    assert np.isnan(block.values).all()
    assert block.quality.tolist() == [[int(Quality.MISSING | Quality.ABOVE)]]


@pytest.mark.fault("DEV-08")
def test_a_late_answer_is_not_taken_for_the_next_one() -> None:
    """After a silence the balance is asked for its name, and what comes before the name is thrown away."""
    balance, line = opened(
        (b"SI", Silence("COM4: the device did not answer")),
        (b"I4", b"S S     100.00 g"),
        (b"", b'I4 A "B021002593"'),
        (b"SI", b"S S     101.00 g"),
    )
    with pytest.raises(Silence):
        balance.read()

    block = balance.read()

    assert block.values.tolist() == [[101.0]]
    assert block.first == 1  # the reading that failed keeps its index
    assert line.finished()


@pytest.mark.fault("DEV-04")
def test_another_balance_after_a_silence_is_refused() -> None:
    balance, line = opened((b"SI", Silence("quiet")), (b"I4", b'I4 A "B999"'))
    with pytest.raises(Silence):
        balance.read()

    with pytest.raises(WrongInstrument, match="had serial number B021002593; now B999 answers"):
        balance.read()

    assert line.finished()


@pytest.mark.fault("DEV-09")
@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (b"T I", "balance did not tare: it is busy, or did not settle"),
        (b"T +", "balance did not tare: it is overloaded"),
        (b"ES", "balance did not tare: it did not understand the command"),
    ],
)
def test_a_refused_tare_says_why(reply: bytes, words: str) -> None:
    balance, _ = opened((b"T", reply))

    with pytest.raises(InstrumentError, match=words):
        balance.tare()


def test_tare_and_zero_are_acknowledged() -> None:
    balance, line = opened((b"T", b"T S     100.00 g"), (b"Z", b"Z A"))

    balance.tare()
    balance.zero()

    assert line.finished()


@pytest.fixture
def on_the_wire(peer: Callable[..., Any]) -> Iterator[Callable[..., MtSicsBalance]]:
    """Starts a balance that answers over a socket, each reply in the pieces that ``cut`` makes of it."""
    balances: list[MtSicsBalance] = []

    def start(cut: Callable[[bytes], list[bytes]]) -> MtSicsBalance:
        answers = dict(IDENTITY) | {b"SI": b"S S     100.00 g"}
        channel = WeightOptions(unit="g", range=("0 g", "220 g"))
        port = peer(lambda request: cut(answers[request] + b"\r\n")).url
        balances.append(MtSicsBalance("balance", lambda: 0, port=port, channel_name="permeate", channel=channel))
        balances[-1].open()
        return balances[-1]

    yield start
    for balance in balances:
        balance.close()


@pytest.mark.fault("DEV-07")
@pytest.mark.parametrize("length", [1, 3, 17])
def test_pieces_on_the_wire_give_the_same_weight(on_the_wire: Callable[..., MtSicsBalance], length: int) -> None:
    balance = on_the_wire(lambda reply: [reply[at : at + length] for at in range(0, len(reply), length)])

    assert [balance.read().values.tolist() for _ in range(5)] == [[[100.0]]] * 5


def test_no_port_is_a_lost_link() -> None:
    channel = WeightOptions(unit="g", range=("0 g", "220 g"))
    balance = MtSicsBalance("balance", lambda: 0, port="no-such-port", channel_name="permeate", channel=channel)

    with pytest.raises(LinkLost, match="no-such-port cannot be opened"):
        balance.open()


def among(
    answers: dict[str, bytes | InstrumentError], ports: str | tuple[str, ...], serial_number: str | None = "B1"
) -> tuple[MtSicsBalance, list[str]]:
    """A balance that may be at any of these ports, and the ports that were opened in turn."""
    tried: list[str] = []

    def connect(settings: LineSettings) -> ScriptedLine:
        tried.append(settings.port)
        answer = answers[settings.port]
        if isinstance(answer, LinkLost):
            raise answer
        return ScriptedLine([(b"I4", answer), (b"I2", b'I2 A "MS6002S 6200.00 g"')])

    balance = MtSicsBalance(
        "balance",
        lambda: 0,
        connect,
        port=ports,
        serial_number=serial_number,
        channel_name="permeate",
        channel=WeightOptions(unit="g", range=("0 g", "6200 g")),
    )
    return balance, tried


@pytest.mark.fault("DEV-03")
def test_of_several_ports_the_one_with_the_serial_number_is_taken() -> None:
    answers: dict[str, bytes | InstrumentError] = {
        "COM3": LinkLost("COM3 cannot be opened"),
        "COM4": Silence("COM4: the device did not answer"),
        "COM5": b'I4 A "B2"',
        "COM6": b'I4 A "B1"',
        "COM7": b'I4 A "B3"',
    }
    balance, tried = among(answers, tuple(answers))

    assert balance.open() == "MS6002S 6200.00 g, serial number B1"
    assert tried == ["COM3", "COM4", "COM5", "COM6"]


@pytest.mark.fault("DEV-03")
def test_a_pattern_is_resolved_each_time_the_balance_is_opened(tmp_path: Path) -> None:
    pattern = f"{tmp_path}/ttyUSB*"
    balance, tried = among({f"{tmp_path}/ttyUSB{n}": b'I4 A "B1"' for n in range(3)}, pattern)
    with pytest.raises(LinkLost, match=r"no balance with serial number B1 at .*ttyUSB\* \(0 tried\): no such port"):
        balance.open()
    (tmp_path / "ttyUSB2").touch()
    balance.open()

    assert tried == [f"{tmp_path}/ttyUSB2"]


@pytest.mark.fault("DEV-04")
def test_of_several_ports_none_is_taken_that_has_another_serial_number() -> None:
    answers: dict[str, bytes | InstrumentError] = {"COM4": b'I4 A "B2"', "COM5": LinkLost("COM5 is gone")}
    balance, _ = among(answers, ("COM4", "COM5"))

    with pytest.raises(WrongInstrument, match=r"B1 at COM4, COM5 \(2 tried\): COM4: expected .* B1, found B2.*COM5 is"):
        balance.open()


@pytest.mark.parametrize("ports", [("COM4", "COM5"), "/dev/ttyUSB*"])
def test_several_ports_need_a_serial_number(ports: str | tuple[str, ...]) -> None:
    with pytest.raises(InstrumentError, match="a serial_number too, where port names several"):
        among({}, ports, serial_number=None)
