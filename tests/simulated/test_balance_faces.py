"""Simulated balances of Sartorius and Ohaus say what the manuals print, and their drivers understand them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig.clock import monotonic
from labrig.errors import InstrumentError, LinkLost, WrongInstrument
from labrig.model import Quality
from labrig.plant import Weighing
from labrig_instruments.balance import Balance, WeightOptions
from labrig_instruments.ohaus import OhausBalance
from labrig_instruments.sartorius_sbi import SartoriusBalance
from labrig_instruments.simulated.control import Control
from labrig_instruments.simulated.live import LivePlant
from labrig_instruments.simulated.ohaus import OhausExplorer
from labrig_instruments.simulated.sartorius_sbi import SartoriusSbi
from labrig_instruments.simulated.terminal import Terminal
from tests.simulated.clients import wait
from tests.simulated.conftest import Endpoints, simulated_rig
from tests.simulated.known import KnownPlant

KNOWN = "tests/simulated/known.py"


class Bench:
    """A plant whose weight is what a test says."""

    def __init__(self) -> None:
        self.plant = KnownPlant()
        self.terminal = Terminal(LivePlant(self.plant), "balance")

    def put(self, grams: float, *, settled: bool = True, load: str = "in range") -> None:
        names = {"in range": "in range", "overload": "overload", "underload": "underload"}
        self.plant.weighing = Weighing(grams, settled, names[load])  # type: ignore[arg-type]


def test_sartorius_prints_as_its_manual_does() -> None:
    bench = Bench()
    face = SartoriusSbi(bench.terminal)
    short = SartoriusSbi(bench.terminal, characters=16)
    bench.put(123.56)
    assert face.exchange(b"\x1bP", 0.0) == b"N     +   123.56 g  \r\n"
    assert short.exchange(b"\x1bP\r\n", 0.0) == b"+   123.56 g  \r\n"
    bench.put(-0.01, settled=False)
    assert face.exchange(b"\x1bP", 0.0) == b"N     -     0.01    \r\n"
    bench.put(0.0, load="overload")
    assert face.exchange(b"\x1bP", 0.0) == b"Stat      High      \r\n"
    assert short.exchange(b"\x1bP", 0.0) == b"     High     \r\n"
    assert face.exchange(b"\x1bx2_\x1bq", 0.0) == b"SerNo.    0031801165\r\n"


def test_ohaus_prints_as_its_manual_does() -> None:
    bench = Bench()
    face = OhausExplorer(bench.terminal, says_ok=True)
    bench.put(192.21)
    assert face.exchange(b"IP\r\n", 0.0) == b"    192.21 g\r\n"
    bench.put(0.01, settled=False)
    assert face.exchange(b"IP\r", 0.0) == b""
    assert face.exchange(b"\nXX\r\n", 0.0) == b"      0.01 g ?\r\nES\r\n"


@pytest.mark.parametrize("make", [SartoriusSbi, OhausExplorer])
def test_a_tare_waits_for_a_steady_weight_and_what_comes_after_it_waits_too(
    make: Callable[[Terminal], SartoriusSbi | OhausExplorer],
) -> None:
    bench = Bench()
    face = make(bench.terminal)
    tare, ask = (b"\x1bU", b"\x1bP") if make is SartoriusSbi else (b"T\r\n", b"IP\r\n")
    bench.put(50.0, settled=False)
    assert face.exchange(tare + ask, 0.0) == b""
    assert face.due() is not None
    bench.put(51.0)

    assert b" 0.00 g" in face.exchange(b"", 1.0)
    assert face.due() is None


@given(pieces=st.lists(st.binary(max_size=30), max_size=12))
@pytest.mark.parametrize("make", [SartoriusSbi, OhausExplorer])
def test_no_bytes_disturb_them(make: Callable[[Terminal], SartoriusSbi | OhausExplorer], pieces: list[bytes]) -> None:
    bench = Bench()
    bench.put(7.0)
    face = make(bench.terminal)
    for now, piece in enumerate(pieces):
        face.exchange(piece, float(now))

    assert face.exchange(b"\r\n\x1bx2_" if make is SartoriusSbi else b"\r\nPSN\r\n", 1e3).strip().split()


@pytest.fixture(scope="module")
def rig() -> Iterator[Endpoints]:
    with simulated_rig([KNOWN]) as endpoints:
        yield endpoints


@pytest.fixture(params=["sartorius", "ohaus"])
def balance(request: pytest.FixtureRequest, rig: Endpoints) -> Iterator[Balance]:
    make = SartoriusBalance if request.param == "sartorius" else OhausBalance
    driver = make(
        request.param,
        monotonic,
        port=rig.serial[request.param],
        timeout=0.3,
        channel_name="m",
        channel=WeightOptions(unit="g", range=("0 g", "6200 g")),
    )
    driver.open()
    yield driver
    driver.close()


@pytest.fixture
def control(rig: Endpoints) -> Iterator[Control]:
    with Control(rig.control) as port:
        yield port
        port.clear_faults()


@pytest.mark.fault("DEV-06")
@pytest.mark.fault("DEV-07")
@pytest.mark.fault("DEV-08")
@pytest.mark.parametrize("fault", ["silence", "garbage", "partial"])
def test_a_bad_line_never_becomes_a_weight(control: Control, balance: Balance, fault: str) -> None:
    control.set_fault(fault, address=balance.name)
    for _ in range(2):
        with pytest.raises(InstrumentError):
            balance.read()
    control.clear_fault(fault)

    assert balance.read().values[0, 0] == pytest.approx(123.45, abs=200)


@pytest.mark.fault("DEV-08")
def test_a_late_answer_is_thrown_away(control: Control, balance: Balance) -> None:
    control.set_fault("late", delay="0.4 s", address=balance.name)
    with pytest.raises(InstrumentError, match="did not answer"):
        balance.read()
    control.clear_fault("late")
    wait(0.5)

    assert balance.read().quality.dtype.name == "uint8"


@pytest.mark.fault("SIG-11")
def test_an_overload_has_no_weight(control: Control, balance: Balance) -> None:
    control.set_fault("overload", address=balance.name)

    assert balance.read().quality.tolist() == [[int(Quality.MISSING | Quality.ABOVE)]]


@pytest.mark.fault("DEV-02")
@pytest.mark.fault("DEV-04")
def test_unplugged_it_is_lost_and_another_in_its_place_is_refused(control: Control, balance: Balance) -> None:
    control.set_fault("unplugged", address=balance.name)
    with suppress(InstrumentError):
        balance.read()  # a socket notices at the second write
    with pytest.raises(LinkLost):
        balance.read()
    control.clear_fault("unplugged")
    balance.open()
    control.set_fault("silence", address=balance.name)
    with pytest.raises(InstrumentError):
        balance.read()
    control.clear_fault("silence")
    control.set_fault("wrong identity", address=balance.name, serial_number="0099999999")
    with pytest.raises(WrongInstrument, match="now 0099999999 answers"):
        balance.read()


def test_a_tare_is_seen_to_be_done(control: Control, balance: Balance) -> None:
    control.empty_beaker()
    balance.tare()
    control.refill_vessel()
    assert balance.read().values.tolist() == [[50.0]]
