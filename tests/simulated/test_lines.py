"""The balance on real serial links, with pyserial as the client."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import serial

from labrig.plant import Weighing
from labrig_instruments.simulated.line import Line
from labrig_instruments.simulated.mt_sics import MtSicsBalance
from labrig_instruments.simulated.ports import Kind, plug
from tests.simulated.conftest import Endpoints

WEIGHT = b"S S     123.45 g\r\n"
KINDS: list[Kind] = ["pty", "socket"]


@contextmanager
def balance(kind: Kind, baud: int = 9600) -> Iterator[str]:
    weighing = Weighing(grams=123.45, settled=True, load="in range")
    line = Line("balance", MtSicsBalance(lambda: weighing), plug(kind), baud)
    try:
        yield line.url
    finally:
        line.close()


@contextmanager
def opened(url: str, baud: int = 9600, timeout: float = 2.0) -> Iterator[serial.SerialBase]:
    port = serial.serial_for_url(url, baudrate=baud, timeout=timeout, exclusive=None)
    try:
        yield port
    finally:
        port.close()


def ask(port: serial.SerialBase, command: bytes) -> bytes:
    port.write(command)
    return bytes(port.read_until(b"\r\n"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_weight_is_asked_for_and_answered(kind: Kind) -> None:
    with balance(kind) as url, opened(url) as port:
        assert [ask(port, b"SI\r\n") for _ in range(5)] == [WEIGHT] * 5


def test_the_served_balance_answers_on_its_pseudo_terminal(known_process: Endpoints) -> None:
    with opened(known_process.serial["balance"]) as port:
        assert ask(port, b"I4\r\n") == b'I4 A "B999000001"\r\n'
        assert ask(port, b"S\r\n").startswith(b"S ")


def test_the_served_balance_answers_on_its_socket(fresh_process: Endpoints) -> None:
    assert fresh_process.serial["balance"].startswith("socket://127.0.0.1:")
    with opened(fresh_process.serial["balance"]) as port:
        assert ask(port, b"S\r\n") == WEIGHT


def test_the_balance_of_the_whole_rig_weighs_what_is_in_the_beaker(rig_process: Endpoints) -> None:
    with opened(rig_process.serial["balance"]) as port:
        answer = ask(port, b"SI\r\n").decode()

    assert answer[:4] in {"S S ", "S D "}
    assert 45 < float(answer[4:14]) < 55


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("baud", [2400, 9600])
def test_an_answer_takes_the_time_of_its_bits(kind: Kind, baud: int) -> None:
    with balance(kind, baud) as url, opened(url, baud) as port:
        begun = time.monotonic()
        for _ in range(5):
            assert ask(port, b"SI\r\n") == WEIGHT
        elapsed = time.monotonic() - begun

    least = 5 * (len(b"SI\r\n") + len(WEIGHT)) * 10 / baud
    assert least <= elapsed < least + 1.0


@pytest.mark.parametrize("kind", KINDS)
def test_commands_that_come_in_pieces_are_put_together(kind: Kind) -> None:
    with balance(kind) as url, opened(url) as port:
        for piece in (b"S", b"I", b"\r", b"\nI4\r"):
            port.write(piece)
            threading.Event().wait(0.03)

        assert ask(port, b"\n") == WEIGHT
        assert port.read_until(b"\r\n") == b'I4 A "B999000001"\r\n'


@pytest.mark.parametrize("ending", [b"\n", b"\r", b""])
def test_a_command_without_cr_lf_is_not_answered(ending: bytes) -> None:
    with balance("socket") as url, opened(url, timeout=0.2) as port:
        assert ask(port, b"SI" + ending) == b""


@pytest.mark.parametrize("baud", [1200, 4800, 19200, 115200])
def test_a_client_at_another_speed_hears_no_weight(baud: int) -> None:
    with balance("pty", 9600) as url:
        with opened(url, baud, timeout=0.3) as port:
            port.write(b"SI\r\n" * 3)
            assert b"S S" not in port.read(200)
        with opened(url, 9600) as port:
            port.write(b"\r\n")
            port.read_until(b"\r\n")

            assert ask(port, b"SI\r\n") == WEIGHT


@pytest.mark.parametrize("kind", KINDS)
def test_a_client_may_hang_up_and_come_back(kind: Kind) -> None:
    with balance(kind) as url:
        for _ in range(3):
            with opened(url) as port:
                port.write(b"S")
            with opened(url) as port:
                port.write(b"\r\n")
                port.read_until(b"\r\n")
                assert ask(port, b"SI\r\n") == WEIGHT


def test_a_client_on_a_socket_that_comes_back_at_once_is_let_in() -> None:
    with balance("socket") as url:
        address = (url.removeprefix("socket://").split(":")[0], int(url.rpartition(":")[2]))
        for _ in range(20):
            with socket.create_connection(address, 2.0) as client, client.makefile("rb") as lines:
                client.sendall(b"I4\r\n")

                assert lines.readline() == b'I4 A "B999000001"\r\n'


def test_a_second_client_on_a_socket_is_hung_up_on_and_the_first_is_not() -> None:
    with balance("socket") as url, opened(url) as first:
        assert ask(first, b"SI\r\n") == WEIGHT
        with opened(url, timeout=1.0) as second, pytest.raises(serial.SerialException):
            second.read(1)

        assert ask(first, b"SI\r\n") == WEIGHT


def test_repeated_weights_that_nobody_reads_do_not_stop_the_balance() -> None:
    with balance("pty", 115200) as url:
        with opened(url, 115200) as port:
            assert ask(port, b"SIR\r\n") == WEIGHT
        threading.Event().wait(0.5)
        with opened(url, 115200) as port:
            port.write(b"@\r\n")

            assert b'I4 A "B999000001"\r\n' in [port.read_until(b"\r\n"), port.read_until(b"\r\n")]
