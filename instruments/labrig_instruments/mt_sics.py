"""Balance speaking MT-SICS (Mettler-Toledo; many Ohaus, Kern and Sartorius balances in that mode) over a serial line.

Of the command set (manual 11780711) only level 0 is used, and tare: ``I4 I2 SI Z T``. A weight is a field of ten
characters, right-aligned, then the unit: ``S S     100.00 g`` settled, ``S D     129.07 g`` not. There is no checksum:
a reply that departs from that form, or from the length of those before it, is refused, but a bit flipped from one digit
to another cannot be seen. Use a framing with parity where the balance offers one.
"""

from __future__ import annotations

import re
from typing import Final

from labrig.drivers import Name, Period
from labrig.errors import InstrumentError
from labrig.model import Quality
from labrig.roles import Now
from labrig_instruments.balance import GRAMS, Balance, Weight, WeightOptions, shown
from labrig_instruments.line import Connect, Framing, Line, Ports, SerialLine

_WEIGHT: Final = re.compile(rb"SI? (?P<state>[SD]) (?P<field> *-?\d+(?:\.\d*)?) (?P<unit>\S{1,5}) *")
_FIELD: Final = 10
_NO_WEIGHT: Final = re.compile(rb"SI? (?P<state>[-+I])")
_SERIAL_NUMBER: Final = re.compile(rb'I4 A "([^"]*)"')
_MODEL: Final = re.compile(rb'I2 A "([^"]*)".*')
_STATES: Final = {
    b"S": Quality.GOOD,
    b"D": Quality.UNSETTLED,
    b"I": Quality.MISSING,
    b"+": Quality.MISSING | Quality.ABOVE,
    b"-": Quality.MISSING | Quality.BELOW,
}
_REFUSALS: Final = {
    b"ES": "did not understand the command (ES)",
    b"ET": "heard the command garbled (ET); check baud rate and framing",
    b"EL": "cannot execute the command (EL)",
}
_OUTCOMES: Final = {
    b"I": "is busy, or did not settle",
    b"+": "is overloaded, or above its zero range",
    b"-": "is underloaded, or below its zero range",
}
_ACTS: Final = {"tare": (b"T", re.compile(rb"T S .*")), "zero": (b"Z", re.compile(rb"Z A"))}


class MtSicsBalance(Balance):
    """A balance in MT-SICS, level 0."""

    def __init__(
        self,
        name: str,
        now: Now,
        connect: Connect = SerialLine,
        *,
        port: Ports,
        baud: int = 9600,
        framing: Framing = "8N1",
        serial_number: str | None = None,
        period: Period = 0.1,
        timeout: Period = 1.0,
        channel_name: Name,
        channel: WeightOptions,
    ) -> None:
        """``port``: where several are named, or a pattern, the balance is the one with the serial number."""
        super().__init__(
            name,
            now,
            connect,
            dialect=MtSics(),
            port=port,
            baud=baud,
            framing=framing,
            serial_number=serial_number,
            period=period,
            timeout=timeout,
            channel_name=channel_name,
            channel=channel,
        )


class MtSics:
    """`labrig_instruments.balance.Dialect`."""

    weigh, name = b"SI", b"I4"

    def weight(self, reply: bytes) -> Weight:
        return parse_weight(reply)

    def serial_number(self, reply: bytes) -> str:
        return parse_serial_number(reply)

    def is_late(self, reply: bytes) -> bool:
        return _SERIAL_NUMBER.fullmatch(reply) is None

    def model(self, line: Line) -> str:
        return parse_model(line.ask(b"I2"))

    def act(self, line: Line, verb: str, timeout: float) -> None:
        command, done = _ACTS[verb]
        reply = line.ask(command, timeout=timeout)
        if not done.fullmatch(reply):
            raise InstrumentError(f"it {_reason(reply)}")


def parse_weight(reply: bytes) -> Weight:
    """The weight in a reply to ``SI`` or ``S``.

    Raises `InstrumentError` for anything that is neither a weight nor a stated lack of one.
    """
    if found := _NO_WEIGHT.fullmatch(reply):
        return Weight(float("nan"), _STATES[found["state"]], 0)
    found = _WEIGHT.fullmatch(reply)
    if found is None or len(found["field"]) < _FIELD:
        raise InstrumentError(f"the balance {_reason(reply)}")
    if found["unit"] not in GRAMS:
        raise InstrumentError(f"the balance weighs in {shown(found['unit'])}; set it to g, kg or mg")
    return Weight(float(found["field"]) * GRAMS[found["unit"]], _STATES[found["state"]], len(reply))


def parse_serial_number(reply: bytes) -> str:
    """The serial number in a reply to ``I4``; raises `InstrumentError` where there is none."""
    found = _SERIAL_NUMBER.fullmatch(reply)
    if found is None:
        raise InstrumentError(f"no MT-SICS balance: asked for its serial number, it {_reason(reply)}")
    return shown(found[1])


def parse_model(reply: bytes) -> str:
    """Model and capacity in a reply to ``I2``; raises `InstrumentError` where there is none."""
    found = _MODEL.fullmatch(reply)
    if found is None:
        raise InstrumentError(f"no MT-SICS balance: asked for its model, it {_reason(reply)}")
    return shown(found[1])


def _reason(reply: bytes) -> str:
    """Why a reply is not what was asked for, in words."""
    if reply in _REFUSALS:
        return _REFUSALS[reply]
    if _SERIAL_NUMBER.fullmatch(reply):
        return "was switched on again meanwhile: its tare and zero are lost"
    state = re.fullmatch(rb"[A-Z]\w? ([-+I])", reply)
    if state:
        return _OUTCOMES[state[1]]
    return f"answered {shown(reply)!r}"
