"""Faults of the simulated balance and plant, as real drivers and pollers meet them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labrig.acquisition import Acquisition
from labrig.clock import SECOND, RealClock, monotonic
from labrig.config import find_rig, load_rig
from labrig.errors import InstrumentError, LinkLost, WrongInstrument
from labrig.model import Block, Event, Faulted, Noted, Quality
from labrig.units import psi
from labrig_instruments.balance import WeightOptions
from labrig_instruments.mt_sics import MtSicsBalance
from labrig_instruments.simulated.control import Control
from tests.simulated.clients import wait
from tests.simulated.conftest import Endpoints

SERIAL = "B999000001"


@pytest.fixture
def balance(ailing_rig: Endpoints) -> Iterator[MtSicsBalance]:
    driver = MtSicsBalance(
        "balance",
        monotonic,
        port=ailing_rig.serial["balance anywhere"],
        serial_number=SERIAL,
        timeout=0.3,
        channel_name="m",
        channel=WeightOptions(unit="g", range=("0 g", "6200 g")),
    )
    driver.open()
    yield driver
    driver.close()


@pytest.mark.fault("DEV-08")
def test_a_silent_balance_is_a_failed_read_each_time(ailing: Control, balance: MtSicsBalance) -> None:
    ailing.set_fault("silence")
    for _ in range(2):
        with pytest.raises(InstrumentError, match="did not answer"):
            balance.read()
    ailing.clear_fault("silence")

    assert not balance.read().quality.any()


@pytest.mark.fault("DEV-06")
@pytest.mark.fault("DEV-07")
@pytest.mark.parametrize("fault", ["garbage", "partial"])
def test_a_garbled_or_broken_answer_never_becomes_a_weight(ailing: Control, balance: MtSicsBalance, fault: str) -> None:
    ailing.set_fault(fault)
    for _ in range(3):
        with pytest.raises(InstrumentError):
            balance.read()
    ailing.clear_fault(fault)

    assert balance.read().values[0, 0] == pytest.approx(50, abs=1)


@pytest.mark.fault("DEV-08")
def test_a_late_answer_is_not_taken_for_the_next_one(ailing: Control, balance: MtSicsBalance) -> None:
    ailing.set_fault("late", delay="0.4 s")
    with pytest.raises(InstrumentError, match="did not answer"):
        balance.read()
    ailing.clear_fault("late")
    ailing.empty_beaker()
    wait(2.0)

    assert balance.read().values[0, 0] == pytest.approx(0, abs=0.1)


@pytest.mark.fault("SIG-11")
def test_an_overloaded_balance_has_no_weight(ailing: Control, balance: MtSicsBalance) -> None:
    ailing.set_fault("overload")

    assert balance.read().quality.tolist() == [[int(Quality.MISSING | Quality.ABOVE)]]


@pytest.mark.fault("DEV-04")
def test_another_balance_in_its_place_is_refused(ailing: Control, balance: MtSicsBalance) -> None:
    ailing.set_fault("wrong identity", serial_number="B123456789")
    with pytest.raises(WrongInstrument, match=r"no balance with serial number B999000001.*found B123456789"):
        balance.open()


@pytest.mark.fault("DEV-02")
@pytest.mark.fault("DEV-03")
@pytest.mark.parametrize("elsewhere", [False, True])
def test_an_unplugged_balance_comes_back_under_its_name_or_another(
    ailing: Control, balance: MtSicsBalance, ailing_rig: Endpoints, elsewhere: bool
) -> None:
    balance.read()
    old = ailing.ask(op="list faults")
    assert old == []
    ailing.set_fault("unplugged", elsewhere=elsewhere)
    with pytest.raises(LinkLost):
        balance.read()
    with pytest.raises(LinkLost, match="no such port is there"):
        balance.open()
    port = ailing.clear_fault("unplugged")
    balance.open()

    assert balance.read().values[0, 0] == pytest.approx(0, abs=60)
    assert (port != ailing_rig.serial["balance"]) == elsewhere


@pytest.mark.fault("PRO-02")
def test_a_regulator_that_runs_away_shows_on_the_vessels_transducer(ailing: Control) -> None:
    ailing.set_fault("over-pressure", pressure="60 psi")
    ailing.set_fault("stuck valve", valve="vent", position="closed")
    wait(3.0)

    assert ailing.truth().values["vessel_pressure"] == pytest.approx(60 * psi, rel=0.05)
    assert [fault["fault"] for fault in ailing.faults()] == ["over-pressure", "stuck valve"]
    ailing.clear_faults()
    assert ailing.faults() == []
    wait(3.0)
    assert ailing.truth().values["vessel_pressure"] < 5 * psi


@pytest.mark.parametrize(
    "request_", [{"fault": "open loop", "address": "cDAQ1Mod9/ai0"}, {"fault": "silence", "address": "scale"}]
)
def test_a_fault_where_nothing_is_is_refused(ailing: Control, request_: dict[str, Any]) -> None:
    with pytest.raises(InstrumentError, match="of this rig"):
        ailing.set_fault(**request_)
    with pytest.raises(InstrumentError, match="a fault that stands"):
        ailing.clear_fault("silence")
    assert ailing.faults() == []


@pytest.mark.fault("DEV-02")
@pytest.mark.fault("DEV-03")
@pytest.mark.fault("DEV-12")
def test_an_acquisition_takes_back_what_it_lost_and_repeats_no_value(
    ailing: Control, ailing_rig: Endpoints, tmp_path: Path
) -> None:
    """The balance under another name and the pressures' module, while the other channels go on."""
    items: list[Block | Event] = []
    told: dict[str, str] = {}
    endpoints = {"ni": ailing_rig.ni, "balance": ailing_rig.serial["balance anywhere"]}
    text = find_rig("bench-25").read_text(encoding="utf-8")
    text = text.replace('port = "sim://balance"', f'port = "sim://balance"\nserial_number = "{SERIAL}"')
    path = tmp_path / "rig.toml"
    path.write_text(text, encoding="utf-8")
    config = load_rig(path, endpoints)
    clock = RealClock()
    acquisition = Acquisition(config.build(clock.now), clock, reconnect=True)
    acquisition.tell(told.__setitem__)
    acquisition.open()
    acquisition.start(items.append, lambda reason: told.__setitem__("lost for good", reason))
    try:
        wait(1.0)
        ailing.set_fault("unplugged", elsewhere=True)
        ailing.set_fault("removed", device="cDAQ1Mod1")
        until(lambda: {"balance", "pressures"} <= set(told))
        missing_since = len(items)
        wait(1.5)
        during = {item.source for item in items[missing_since:] if isinstance(item, Block)}
        ailing.clear_faults()
        until(lambda: not any(told.values()))
        wait(0.5)
    finally:
        acquisition.stop()
        acquisition.close()

    assert during == {"loops"}
    assert "lost for good" not in told
    noted = {item.text.partition(" found again")[0] for item in items if isinstance(item, Noted)}
    assert noted == {"balance", "pressures"}
    assert {"balance", "pressures"} <= {item.source for item in items if isinstance(item, Faulted)}
    for source in ("balance", "pressures"):
        blocks = [item for item in items if isinstance(item, Block) and item.source == source]
        times = np.concatenate([block.times for block in blocks])
        index = np.concatenate([block.first + np.arange(len(block)) for block in blocks])
        rate = 10.0 if source == "balance" else 100.0
        assert (np.diff(times) > 0).all()
        assert (np.diff(index) > 0).all()
        gap = int(np.argmax(np.diff(times)))
        assert np.diff(times)[gap] > 1.4 * SECOND
        assert np.diff(index)[gap] == pytest.approx(np.diff(times)[gap] / SECOND * rate, rel=0.1, abs=2)


def until(condition: Callable[[], bool], patience: float = 15.0) -> None:
    for _ in range(round(patience / 0.05)):
        if condition():
            return
        wait(0.05)
    raise AssertionError("it did not happen in time")
