"""Sensirion's SHDLC on our line: one command and its answer, framed by Sensirion's own package.

Imported in ``open()`` only: it loads ``sensirion_shdlc_driver``.
"""

from __future__ import annotations

from typing import Final

from sensirion_shdlc_driver.errors import ShdlcError
from sensirion_shdlc_driver.serial_frame_builder import ShdlcSerialMisoFrameBuilder, ShdlcSerialMosiFrameBuilder

from labrig.errors import InstrumentError
from labrig_instruments.line import Line

_LATE: Final = 3
"""Answers to earlier commands that may still come."""
_ERRORS: Final = {
    **{0x01: "wrong data size", 0x02: "unknown command", 0x03: "not allowed now", 0x04: "parameter out of range"},
    **{0x28: "the sensor does not answer on its wires", 0x29: "the sensor's answer was garbled"},
    **{0x2A: "no answer of the sensor in time", 0x42: "the measurement loop does not run", 0x43: "not allowed now"},
}


class Shdlc:
    """The device of one address on a line whose terminator is the frame's flag, 7E."""

    def __init__(self, line: Line, address: int) -> None:
        self._line, self._address = line, address

    def execute(self, command: int, data: bytes = b"") -> bytes:
        """What the device answers to a command.

        Raises `InstrumentError` for an error that it reports and for a frame that is wrong, `Silence`, `LinkLost`.
        """
        request: bytes = ShdlcSerialMosiFrameBuilder(self._address, command, data).to_bytes()
        body = self._line.ask(request[:-1])  # the line ends it with the flag
        for _ in range(2 * _LATE):
            if body:
                address, answered, state, answer = parse_frame(body)
                if (address, answered) == (self._address, command):
                    return self._checked(command, state, answer)
            body = self._line.hear()  # an answer begins with a flag too, behind which it stands
        raise InstrumentError(f"the device answers, but not to command {command:02X}")

    def close(self) -> None:
        self._line.close()

    @staticmethod
    def _checked(command: int, state: int, answer: bytes) -> bytes:
        error = state & 0x7F
        if error:
            why = _ERRORS.get(error, "see its manual")
            raise InstrumentError(f"the device refused command {command:02X} with error {error:02X}: {why}")
        return answer


def parse_frame(body: bytes) -> tuple[int, int, int, bytes]:
    """Address, command, state and data of what stands between two flags; raises `InstrumentError` for garble."""
    builder = ShdlcSerialMisoFrameBuilder()
    try:
        builder.add_data(b"\x7e" + body + b"\x7e")
        address, command, state, data = builder.interpret_data()
    except ShdlcError as error:
        raise InstrumentError(f"the device answered {body[:40]!r}: {error}") from error
    return int(address), int(command), int(state), bytes(data)
