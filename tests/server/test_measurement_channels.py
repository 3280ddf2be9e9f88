"""What goes wrong on a measurement channel holds the run and never trips: mended and resumed, it ends with a result.

A measurement channel is one that the method needs and no interlock names: here water temperature and the balance.
"""

from __future__ import annotations

import threading

import numpy as np
import pytest

from labrig.client import Client, Refused
from labrig.clock import SECOND
from labrig.link import STRIDE
from labrig.model import Outcome, Quality
from labrig.recording import RunFile
from labrig.units import unit
from labrig.wire.documents import Control, Ordered, RunPaper
from tests.server import scenarios
from tests.server.benches import SERIAL
from tests.server.harness import Rigged, in_step, over, state, status_when, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
SHORT = {"pressures": ["5 psi", "10 psi"], "zero": "1 s", "settle": "0.5 s", "window": "4 s"}
"""Longer than it takes until a channel without a value holds the run."""
GAP = 0.5
"""Seconds that an honest value may come after the fault: the balance's filter."""
PLAYED = 0.1
"""Seconds that one may come before its end: the simulated converter plays its samples when they are read."""


def measuring(up: Rigged, client: Client) -> RunPaper:
    """A permeability run that stands under its first pressure."""
    order = Ordered(method="quick-permeability", changes=SHORT, coupon="T-1", attended=False)
    started = up.ready(client).start(order)
    wait_until(lambda: in_step(client, "5 psi") or over(client), "the first pressure")
    assert not over(client), client.status().run
    return client.run(started.run)


class Mishaps:
    """Of one run: each holds it, is mended, and the run is resumed."""

    def __init__(self, up: Rigged, client: Client, channel: str) -> None:
        self._up, self._client, self._channel = up, client, channel
        self.reasons: list[str] = []
        self.gaps: list[tuple[int, int]] = []
        """From when to when there was nothing to be read, by the plant's clock."""

    def holds(self, fault: str, **parameters: object) -> None:
        """The run is held for the fault, with its outputs as they were; the fault stands."""
        since = self._up.plant_time()
        self._up.control.set_fault(fault, **parameters)
        status = status_when(self._client, lambda status: status.state != "running", "it does not go on")
        assert status.state == "hold"
        assert f"{self._channel}: no valid value" in status.reason or f"{self._channel} is frozen" in status.reason
        assert "mend it and resume, or stop" in status.reason
        assert self._up.pressurised
        self.reasons.append(status.reason)
        self.gaps.append((since, 0))

    def is_mended(self, fault: str, key: str) -> None:
        """Sound again, it is read again by itself, and a person resumes; the plateau begins anew after that."""
        with pytest.raises(Refused, match=rf"cannot resume: {self._channel}.*mend it first"):
            self._client.control(Control(verb="resume", by="tester"))
        threading.Event().wait(1.2 * STRIDE)
        self.gaps[-1] = (self.gaps[-1][0], self._up.plant_time())
        self._up.control.clear_fault(fault, key)
        wait_until(self._resumed, "the run is resumed", 30.0)

    def _resumed(self) -> bool:
        try:
            self._client.control(Control(verb="resume", by="tester"))
        except Refused:
            return False
        return True


def completed(up: Rigged, client: Client, started: RunPaper) -> None:
    """The run, gone on to its end, and its result: near the truth, because what was held does not count."""
    paper = scenarios.ended(up, client, Outcome.COMPLETED)
    assert paper.run == started.run
    wait_until(lambda: bool((run := client.status().run) and run.filed), "it is filed")
    analysis = client.run(paper.run).analysis
    assert analysis is not None
    assert analysis["validity"] != "invalid", analysis["reasons"]
    (result,) = [result for result in analysis["results"] if result["name"] == "permeance"]
    measured = unit(result["unit"]).to_si(result["value"])
    assert measured == pytest.approx(up.control.truth().values["permeance"], rel=0.05)


def honest(run: RunFile, channel: str, source: str, gaps: list[tuple[int, int]]) -> None:
    """Nothing was invented: no value has a time within a gap, and what is missing shows in the count of samples."""
    blocks = [block for block in run.blocks() if block.source == source]
    column = blocks[0].channels.index(channel)
    times = np.concatenate([block.times for block in blocks])
    values = np.concatenate([block.values[:, column] for block in blocks])
    quality = np.concatenate([block.quality[:, column] for block in blocks])
    believed = (quality & (Quality.MISSING | Quality.OPEN_LOOP)) == 0
    assert np.isfinite(values[believed]).all()
    for since, until in gaps:
        inside = (times > since + GAP * SECOND) & (times < until - PLAYED * SECOND)
        assert not believed[inside].any()
    ends = [block.first + len(block) for block in blocks]
    skipped = sum(block.first - end for block, end in zip(blocks[1:], ends, strict=False))
    assert skipped == run.totals[source].lost
    assert all(block.first >= end for block, end in zip(blocks[1:], ends, strict=False))


@pytest.mark.fault("SIG-01")
@pytest.mark.fault("SIG-02")
@pytest.mark.fault("SIG-04")
@pytest.mark.fault("DEV-12")
def test_a_transmitter_that_cannot_be_believed_holds_the_run(up: Rigged, client: Client) -> None:
    """Frozen, a broken wire, a failure that it signals, no number, its module pulled out: each in the same run."""
    address = "cDAQ1Mod2/ai1"
    started, mishaps = measuring(up, client), Mishaps(up, client, "water_temperature")
    for fault, key, parameters in (
        ("stuck", address, {"address": address}),
        ("open loop", address, {"address": address}),
        ("open loop", address, {"address": address, "current": "22 mA"}),
        ("nan", address, {"address": address}),
        ("removed", "cDAQ1Mod2", {"device": "cDAQ1Mod2"}),
    ):
        mishaps.holds(fault, **parameters)
        mishaps.is_mended(fault, key)
    assert "water_temperature is frozen: not one digit of it moved in 2 s after" in mishaps.reasons[0]
    completed(up, client, started)

    with up.file(started) as run:
        honest(run, "water_temperature", "loops", mishaps.gaps[1:])  # what is frozen is recorded as it is
        held = [event.reason for event in run.events if event.kind == "state changed" and event.after == "hold"]  # type: ignore[union-attr]
    assert len(held) == len(mishaps.gaps)


@pytest.mark.fault("DEV-02")
@pytest.mark.fault("DEV-03")
@pytest.mark.fault("DEV-04")
@pytest.mark.fault("DEV-08")
@pytest.mark.fault("SIG-11")
def test_a_balance_that_is_silent_or_gone_holds_the_run_until_the_same_one_is_back(up: Rigged, client: Client) -> None:
    """Silent, overloaded, unplugged again and again, plugged into another port, another balance in its place."""
    started, mishaps = measuring(up, client), Mishaps(up, client, "permeate_mass")
    for fault, parameters in (
        ("silence", {}),
        ("overload", {}),
        *(("unplugged", {"elsewhere": elsewhere}) for elsewhere in (False, True, False, True)),
    ):
        mishaps.holds(fault, **parameters)
        mishaps.is_mended(fault, "balance")

    mishaps.holds("unplugged", elsewhere=True)
    looked_for = status_when(client, lambda status: bool(status.warnings), "people are told").warnings
    assert any("balance is lost" in words and "labrig looks for it" in words for words in looked_for), looked_for
    up.control.set_fault("wrong identity", serial_number="B123456789")
    up.control.clear_fault("unplugged", "balance")
    stranger = f"no balance with serial number {SERIAL}"
    refused = status_when(client, lambda status: stranger in " ".join(status.warnings), "the other one is refused")
    assert "found B123456789" in " ".join(refused.warnings)
    assert "Not connected" in " ".join(refused.warnings)
    assert state(client) == "hold"
    mishaps.is_mended("wrong identity", "balance")
    assert "balance" not in " ".join(client.status().warnings)
    completed(up, client, started)

    with up.file(started) as run:
        honest(run, "permeate_mass", "balance", mishaps.gaps)
        found = [event.text for event in run.events if event.kind == "noted" and "found again" in event.text]  # type: ignore[union-attr]
        told = [event.text for event in run.events if event.kind == "faulted" and event.fault == "DEV-04"]  # type: ignore[union-attr]
    assert found
    assert all(SERIAL in text and "identity verified" in text for text in found)
    assert len(told) == 1, "a stranger is told of once, not once a second"
