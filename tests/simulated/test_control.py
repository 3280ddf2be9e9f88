"""The control port: the truth for tests, and an answer to everything."""

from __future__ import annotations

import json
import socket
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig.clock import monotonic
from labrig.errors import InstrumentError, LinkLost
from labrig_instruments.simulated.control import Control
from labrig_instruments.simulated.control_port import ControlServer, answerer
from labrig_instruments.simulated.live import LivePlant
from tests.simulated.conftest import Endpoints
from tests.simulated.known import KnownPlant


def test_the_truth_comes_with_plant_time_and_the_machines_clock(known_process: Endpoints) -> None:
    with Control(known_process.control) as control:
        before = monotonic()
        first, second = control.truth(), control.truth()
        after = monotonic()

    assert before <= first.monotonic < second.monotonic <= after
    assert second.time - first.time == pytest.approx((second.monotonic - first.monotonic) / 1e9, abs=1e-9)
    assert first.values == {"answer": 42.0, "time": first.time}


def test_plant_time_goes_as_fast_as_the_clock(known_process: Endpoints) -> None:
    with Control(known_process.control) as control:
        (start, started), begun = control.time(), time.monotonic()
        while time.monotonic() < begun + 0.2:
            end, ended = control.time()

    assert end - start == pytest.approx((ended - started) / 1e9, abs=1e-6)


def test_the_whole_rig_tells_what_its_gauges_cannot(rig_process: Endpoints) -> None:
    with Control(rig_process.control) as control:
        truth = control.truth()

        assert truth.values["permeance"] > 0
        assert control.permeance(0.0, truth.time) == pytest.approx(truth.values["permeance"], rel=0.5)


def test_an_operators_hands_can_be_asked_for(fresh_process: Endpoints) -> None:
    with Control(fresh_process.control) as control:
        control.empty_beaker()
        control.refill_vessel()


def test_calls_of_the_ni_server_are_counted(known_process: Endpoints) -> None:
    import nidaqmx

    from tests.simulated.clients import client

    with Control(known_process.control) as control:
        before = control.counters().get("CreateTask", 0)
        with client(known_process.ni) as options, nidaqmx.Task(grpc_options=options):
            pass

        assert control.counters()["CreateTask"] == before + 1


class Sound:
    """A rig in which nothing can go wrong."""

    def standing(self) -> list[dict[str, object]]:
        return []

    def set(self, fault: object) -> None:
        """Nothing."""

    def clear(self, fault: str, key: str) -> str:
        return ""

    def clear_all(self) -> None:
        """Nothing."""


@pytest.mark.parametrize(
    ("request_line", "reason"),
    [
        (b'{"op": "fly"}', "fly"),
        (b"{}", "op"),
        (b'{"op": "time", "faster": true}', "faster"),
        (b'{"op": "permeance", "start": 1}', "end"),
        (b'{"op": "permeance", "start": 5, "end": 1}', "in order"),
        (b"time", "JSON"),
        (b"", "JSON"),
        (b"[" * 5000, "JSON"),
    ],
)
def test_a_request_that_cannot_be_answered_is_told_why_and_the_next_one_is_answered(
    known_process: Endpoints, request_line: bytes, reason: str
) -> None:
    host, _, port = known_process.control.partition(":")
    with socket.create_connection((host, int(port)), 5.0) as raw, raw.makefile("rb") as lines:
        raw.sendall(request_line + b'\n{"op": "time"}\n')

        assert reason in json.loads(lines.readline())["error"]
        assert "ok" in json.loads(lines.readline())


@given(line=st.binary(max_size=200))
def test_no_bytes_disturb_the_control_port(line: bytes) -> None:
    answer = answerer(LivePlant(KnownPlant()), dict, Sound())(line)

    assert answer.endswith(b"\n")
    assert json.loads(answer).keys() in ({"ok"}, {"error"})


def test_a_refusal_is_an_error_of_the_instrument(known_process: Endpoints) -> None:
    with Control(known_process.control) as control, pytest.raises(InstrumentError, match="in order"):
        control.permeance(2.0, 1.0)


def test_a_simulated_rig_that_is_not_there_is_a_lost_link() -> None:
    server = ControlServer(answerer(LivePlant(KnownPlant()), dict, Sound()))
    control = Control(server.address)
    control.time()
    server.close()

    with pytest.raises(LinkLost):
        control.time()
    control.close()
    with pytest.raises(LinkLost):
        Control(server.address)


def send_without_end(raw: socket.socket) -> None:
    for _ in range(1000):
        raw.sendall(b"x" * 65536)


def test_a_client_that_never_ends_its_line_is_hung_up_on(known_process: Endpoints) -> None:
    host, _, port = known_process.control.partition(":")
    with (
        socket.create_connection((host, int(port)), 5.0) as raw,
        pytest.raises((ConnectionResetError, BrokenPipeError)),
    ):
        send_without_end(raw)
    with Control(known_process.control) as control:
        control.time()
