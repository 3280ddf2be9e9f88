"""The simulated device that is described in words, asked over its line and by the driver of such devices."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import serial
from hypothesis import given
from hypothesis import strategies as st

from labrig.clock import monotonic
from labrig.errors import InstrumentError
from labrig.units import N
from labrig_instruments.ascii_device import AsciiDevice
from labrig_instruments.ascii_options import Identity, Query, Setting, TextChannel
from labrig_instruments.simulated.described import Answer, DescribedDevice
from labrig_instruments.simulated.line import Line
from labrig_instruments.simulated.ports import plug


class Force:
    """One signal, and what was commanded."""

    def __init__(self) -> None:
        self.commands: dict[str, float] = {}

    def has(self, quantity: str) -> bool:
        return quantity == "force"

    def measure(self, quantity: str, otherwise: float) -> float:
        return 4.285 * N

    def command(self, quantity: str, value: float) -> None:
        self.commands[quantity] = value


def gauge(plant: Force) -> DescribedDevice:
    answers = (
        Answer(ask=r"\*IDN\?", say="ACME,{serial}"),
        Answer(ask=r"\?", say="{force:+.3f} N"),
        Answer(ask=r"RANGE (?P<span>\d+)"),
        Answer(ask=r"RANGE\?", say="{span:.0f}"),
        Answer(ask=r"OPEN", say="OK", put={"valve": 1.0}),
    )
    return DescribedDevice(
        plant, baud=115200, answers=answers, numbers={"force": "N"}, memory={"span": 1}, unknown="ERR"
    )


@pytest.fixture
def line() -> Iterator[tuple[str, DescribedDevice, Force]]:
    plant = Force()
    face = gauge(plant)
    served = Line("gauge", face, plug("socket"), 115200)
    yield served.url, face, plant
    served.close()


def test_it_says_what_the_plant_says_and_remembers_what_it_is_told(line: tuple[str, DescribedDevice, Force]) -> None:
    """With pyserial alone."""
    url, _, plant = line
    with serial.serial_for_url(url, timeout=2) as port:
        said = []
        for request in (b"?", b"*IDN?", b"RANGE 10\r\nRANGE?", b"OPEN", b"HELLO"):
            port.write(request + b"\r\n")
            said.append(port.read_until(b"\r\n"))

    assert said == [b"+4.285 N\r\n", b"ACME,1\r\n", b"10\r\n", b"OK\r\n", b"ERR\r\n"]
    assert plant.commands == {"span": 10.0, "valve": 1.0}


@pytest.mark.fault("DEV-10")
def test_a_device_that_restarts_unseen_is_put_right_when_its_line_is_taken_up_again(
    line: tuple[str, DescribedDevice, Force],
) -> None:
    url, face, plant = line
    channel = TextChannel(unit="N", range=("-50 N", "50 N"))
    device = AsciiDevice(
        "gauge",
        monotonic,
        port=url,
        baud=115200,
        timeout=0.3,
        identity=Identity(ask="*IDN?", reply="ACME,1"),
        settings=(Setting(ask="RANGE?", reply="50", tell="RANGE 50"),),
        queries=(Query(ask="?", reply=r"(?P<force>\S+) N"),),
        channels={"force": channel},
    )
    try:
        device.open()
        assert plant.commands["span"] == 50.0
        face.restart()
        device.close()

        device.open()

        assert plant.commands["span"] == 50.0
        assert device.read().values.tolist() == [[4.285]]
        face.serial_number = "2"
        with pytest.raises(InstrumentError, match="another device than the rig file describes"):
            device.open()
    finally:
        device.close()


@given(st.lists(st.binary(max_size=20), max_size=5))
def test_any_bytes_are_taken(pieces: list[bytes]) -> None:
    face = gauge(Force())
    for piece in pieces:
        assert isinstance(face.exchange(piece, 0.0), bytes)
