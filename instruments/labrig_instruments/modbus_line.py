"""A Modbus RTU line: `minimalmodbus` on whatever port pyserial opens, one question at a time, errors in words."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final, Protocol, TypeVar

from labrig.errors import InstrumentError, LinkLost
from labrig_instruments.line import LineSettings, Silence, close_port, opened_port, watched
from labrig_instruments.modbus_registers import Question

Answer = TypeVar("Answer")
_FUNCTIONS: Final = {"holding": 3, "input": 4}
_MEANING: Final = {
    "illegal function": "exception 1: it does not know the function. Try the other table, or function 15 for a coil",
    "illegal data address": "exception 2: it has no such register. Manuals count from 1, the rig file from 0",
    "illegal data value": "exception 3: it refuses the value or the number of registers",
    "device failure": "exception 4: it failed while it answered. Look at the device",
}


class Bus(Protocol):
    """What the driver sees of its line; every verb raises `Silence`, `InstrumentError` or `LinkLost`."""

    def read(self, question: Question) -> list[int]:
        """The words of these registers."""
        ...

    def coil(self, slave: int, address: int) -> bool: ...

    def write_coil(self, slave: int, address: int, function: int, *, on: bool) -> None: ...

    def drain(self) -> None:
        """Wait until nothing is under way any more."""
        ...

    def close(self) -> None: ...


Attach = Callable[[LineSettings], Bus]
"""Opens a bus: `ModbusLine`, or a map in tests."""


class ModbusLine:
    """A bus on a real port, opened at birth."""

    def __init__(self, settings: LineSettings) -> None:
        self._settings = settings
        self._turn = threading.Lock()
        self._port = opened_port(replace(settings, terminator=b""))
        self._port.timeout = settings.timeout
        self._slaves: dict[int, Any] = {}  # minimalmodbus.Instrument, imported late

    def read(self, question: Question) -> list[int]:
        words: list[int] = self._asked(
            question.slave,
            lambda slave: slave.read_registers(question.first, question.count, _FUNCTIONS[question.table]),
            f"its {question.table} registers {question.first} to {question.first + question.count - 1}",
        )
        return words

    def coil(self, slave: int, address: int) -> bool:
        return bool(self._asked(slave, lambda one: one.read_bit(address, 1), f"its coil {address}"))

    def write_coil(self, slave: int, address: int, function: int, *, on: bool) -> None:
        self._asked(slave, lambda one: one.write_bit(address, int(on), function), f"to set its coil {address}")

    def drain(self) -> None:
        with self._turn, watched(self._settings.port):
            while self._port.read(256):
                pass

    def close(self) -> None:
        close_port(self._port)

    def _asked(self, slave: int, ask: Callable[[Any], Answer], what: str) -> Answer:
        where = f"{self._settings.port}: slave {slave}, asked for {what},".replace("asked for to", "told to")
        if not self._port.is_open:
            raise LinkLost(f"{where} was not asked: the line is closed")
        with self._turn, watched(self._settings.port), _explained(where, self._settings.timeout):
            return ask(self._slave(slave))

    def _slave(self, address: int) -> Any:  # noqa: ANN401 - a minimalmodbus.Instrument, imported late
        if address not in self._slaves:
            import minimalmodbus

            self._slaves[address] = minimalmodbus.Instrument(self._port, address)
        return self._slaves[address]


@contextmanager
def _explained(where: str, timeout: float) -> Iterator[None]:
    """Errors of Modbus in labrig's words; its exceptions are OSErrors, and so must not reach `watched`."""
    import minimalmodbus

    try:
        yield
    except minimalmodbus.NoResponseError as error:
        raise Silence(
            f"{where} did not answer within {timeout:g} s. Check its address, its power, the line's two wires, baud "
            "and framing."
        ) from error
    except minimalmodbus.SlaveReportedException as error:
        words = str(error).removeprefix("Slave reported ")
        raise InstrumentError(f"{where} refused: {_MEANING.get(words, words)}.") from error
    except minimalmodbus.ModbusException as error:
        raise InstrumentError(f"{where} answered what is no Modbus RTU ({error}). Check baud and framing.") from error
    except ValueError as error:  # so does minimalmodbus report an answer with another number of registers
        raise InstrumentError(f"{where} answered otherwise than asked ({error}).") from error
