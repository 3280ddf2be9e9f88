"""The simulated balance's side of MT-SICS; the texts are those of Mettler-Toledo's manual and of real balances."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig.plant import Weighing
from labrig_instruments.simulated.mt_sics import MtSicsBalance, Nameplate
from labrig_instruments.simulated.mt_sics_wire import CommandReader, parse_command, weight_answer


class Pan:
    """What lies on the balance."""

    def __init__(self, grams: float = 0.0) -> None:
        self.now = Weighing(grams=grams, settled=True, load="in range")

    def put(self, grams: float, *, settled: bool = True) -> None:
        self.now = Weighing(grams=grams, settled=settled, load="in range")

    def weigh(self) -> Weighing:
        return self.now


def ask(balance: MtSicsBalance, *commands: str, now: float = 0.0) -> list[str]:
    sent = "".join(f"{command}\r\n" for command in commands).encode("latin-1")
    return balance.exchange(sent, now).decode("ascii").splitlines()


@pytest.mark.parametrize(
    ("identifier", "status", "grams", "text"),
    [
        ("S", "S", 100.0, "S S     100.00 g"),  # reference manual 11780711, S
        ("S", "D", 129.07, "S D     129.07 g"),  # the same, SI
        ("S", "S", 0.0, "S S       0.00 g"),  # a real balance, as a terminal program's tests recorded it
        ("S", "S", -100.0, "S S    -100.00 g"),
        ("TA", "A", 100.0, "TA A     100.00 g"),  # reference manual, TA
    ],
)
def test_a_weight_stands_right_in_ten_columns(identifier: str, status: str, grams: float, text: str) -> None:
    assert weight_answer(identifier, status, grams) == text


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("S", "S S     123.45 g"),
        ("SI", "S S     123.45 g"),
        ("Z", "Z A"),
        ("ZI", "ZI S"),
        ("T", "T S     123.45 g"),
        ("TI", "TI S     123.45 g"),
        ("TA", "TA A       0.00 g"),
        ("TA 10.50 g", "TA A      10.50 g"),
        ("TAC", "TAC A"),
        ("@", 'I4 A "B999000001"'),
        ("I2", 'I2 A "MS6002S 6200.00 g"'),
        ("I3", 'I3 A "1.20 10.28.0.999.1"'),
        ("I4", 'I4 A "B999000001"'),
    ],
)
def test_a_settled_balance_answers_at_once(command: str, answer: str) -> None:
    assert ask(MtSicsBalance(Pan(123.45).weigh), command) == [answer]


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        ("I6", "ES"),  # a real balance, as a terminal program's tests recorded it
        ("si", "ES"),
        ("", "ES"),
        (" S", "ES"),
        ("S 1", "S L"),
        ("SI x", "S L"),
        ("TA 10.5 kg", "TA L"),
        ("TA ten g", "TA L"),
        ("TA -1 g", "TA L"),
        ("TA 1e2 g", "TA L"),
        ("TA 9999 g", "TA L"),
        ("S\x00", "ET"),
        ("S\nS", "ET"),
        ("S" * 81, "EL"),
        ("S" * 500, "EL"),
    ],
)
def test_what_is_no_command_is_refused(sent: str, answer: str) -> None:
    assert ask(MtSicsBalance(Pan().weigh), sent) == [answer]


def test_the_list_of_commands_names_each_with_its_level_and_marks_the_last() -> None:
    *others, last = ask(MtSicsBalance(Pan().weigh), "I0")

    assert 'I0 B 0 "SIR"' in others
    assert 'I0 B 1 "TAC"' in others
    assert all(line.startswith("I0 B ") for line in others)
    assert last.startswith("I0 A ")


def test_an_unsettled_weight_is_marked_and_a_stable_one_waited_for() -> None:
    pan = Pan()
    balance = MtSicsBalance(pan.weigh)
    pan.put(50.0, settled=False)
    assert ask(balance, "SI") == ["S D      50.00 g"]
    assert ask(balance, "S") == []
    assert balance.due() is not None

    pan.put(51.0)

    assert ask(balance, now=1.0) == ["S S      51.00 g"]
    assert balance.due() is None


@pytest.mark.parametrize("command", ["S", "Z", "T"])
def test_patience_for_a_stable_weight_ends(command: str) -> None:
    pan = Pan()
    pan.put(50.0, settled=False)
    balance = MtSicsBalance(pan.weigh)

    assert ask(balance, command, now=0.0) == []
    assert ask(balance, now=9.9) == []
    assert ask(balance, now=10.1) == [f"{command} I"]


def test_while_it_waits_it_can_be_asked_who_it_is_and_told_to_stop_and_nothing_else() -> None:
    pan = Pan()
    pan.put(50.0, settled=False)
    balance = MtSicsBalance(pan.weigh)
    ask(balance, "T")

    assert ask(balance, "SI", "Z", "TAC", "I4", now=0.01) == ["S I", "Z I", "TAC I", 'I4 A "B999000001"']
    assert ask(balance, "@", now=0.02) == ['I4 A "B999000001"']
    pan.put(50.0)
    assert ask(balance, now=1.0) == []


def test_repeated_weights_come_ten_times_a_second_until_a_single_one_is_asked_for() -> None:
    pan = Pan(1.0)
    balance = MtSicsBalance(pan.weigh)
    assert ask(balance, "SIR", now=0.0) == ["S S       1.00 g"]
    assert ask(balance, now=0.05) == []
    pan.put(2.0, settled=False)
    assert ask(balance, now=0.1) == ["S D       2.00 g"]
    assert balance.due() == pytest.approx(0.2)
    assert ask(balance, now=0.55) == ["S D       2.00 g"]
    assert balance.due() == pytest.approx(0.6)

    assert ask(balance, "SI", now=0.57) == ["S D       2.00 g"]
    assert balance.due() is None


def test_zero_and_tare_are_taken_off_and_given_back() -> None:
    pan = Pan(1.0)
    balance = MtSicsBalance(pan.weigh)
    ask(balance, "Z")
    pan.put(101.0)
    assert ask(balance, "S") == ["S S     100.00 g"]
    assert ask(balance, "T") == ["T S     100.00 g"]
    pan.put(111.5)
    assert ask(balance, "S") == ["S S      10.50 g"]
    assert ask(balance, "TA") == ["TA A     100.00 g"]
    assert ask(balance, "TAC", "S") == ["TAC A", "S S     110.50 g"]


def test_a_load_beyond_the_zero_range_cannot_be_zeroed() -> None:
    assert ask(MtSicsBalance(Pan(124.1).weigh, Nameplate(capacity=6200)), "Z", "ZI") == ["Z +", "ZI +"]
    assert ask(MtSicsBalance(Pan(-124.1).weigh, Nameplate(capacity=6200)), "Z") == ["Z -"]
    assert ask(MtSicsBalance(Pan(123.9).weigh, Nameplate(capacity=6200)), "Z") == ["Z A"]


@pytest.mark.parametrize(("load", "sign"), [("overload", "+"), ("underload", "-")])
def test_a_load_beyond_the_range_is_no_number(load: str, sign: str) -> None:
    pan = Pan()
    pan.now = Weighing(grams=9999.0, settled=False, load="overload" if load == "overload" else "underload")

    answers = ask(MtSicsBalance(pan.weigh), "S", "SI", "T", "TI", "Z", "ZI")

    assert answers == [f"{name} {sign}" for name in ("S", "S", "T", "TI", "Z", "ZI")]


@given(data=st.lists(st.binary(max_size=60), max_size=20))
def test_no_bytes_disturb_the_balance(data: list[bytes]) -> None:
    balance = MtSicsBalance(Pan(7.0).weigh)
    for step, piece in enumerate(data):
        balance.exchange(piece, float(step))

    balance.exchange(b"\r\n@\r\n", 1000.0)

    assert ask(balance, "S", now=1001.0)[0].startswith("S S")


@given(
    commands=st.lists(st.text(alphabet="SITAZ@ 0.g\n", max_size=12), max_size=8),
    cuts=st.lists(st.integers(0, 100), max_size=10),
)
def test_commands_are_the_same_in_whatever_pieces_they_come(commands: list[str], cuts: list[int]) -> None:
    data = "".join(f"{command}\r\n" for command in commands).encode()
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    reader = CommandReader()

    found = [text for start, end in pairwise(edges) for text in reader.feed(data[start:end])]

    assert found == CommandReader().feed(data) == commands


@given(text=st.text(alphabet=st.characters(max_codepoint=255), max_size=100))
def test_every_text_is_a_command_or_an_error(text: str) -> None:
    parsed = parse_command(text)

    assert parsed in {"ES", "ET", "EL"} if isinstance(parsed, str) else parsed.name in text


@given(size=st.integers(0, 500), step=st.integers(1, 100))
def test_a_line_without_end_is_not_kept(size: int, step: int) -> None:
    reader = CommandReader()
    for _ in range(0, size, step):
        reader.feed(b"x" * step)

    (text,) = reader.feed(b"\r\n")

    assert len(text) <= 81


def test_it_says_its_own_capacity_and_readability() -> None:
    balance = MtSicsBalance(Pan(12.3456).weigh, Nameplate(capacity=1220.0, decimals=3))

    assert ask(balance, "I2", "SI") == ['I2 A "MS6002S 1220.000 g"', "S S     12.346 g"]
