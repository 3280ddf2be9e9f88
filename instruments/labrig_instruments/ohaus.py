"""Balance speaking Ohaus' own commands (Explorer, Adventurer, Scout, Navigator, Discovery) over a serial line.

``IP`` prints the weight at once: ten characters and more, right-aligned, a blank, the unit, and ``?`` while it is not
steady: ``    192.21 g``, ``      0.01 g ?``. ``PSN`` tells the serial number, ``T`` tares, ``Z`` zeroes, and ``ES``
answers what is not understood. (Explorer and Adventurer instructions; RS232 interface manual.) Automatic printing must
be off.
"""

from __future__ import annotations

import re
from typing import Final

from labrig.drivers import Name, Period
from labrig.errors import InstrumentError
from labrig.model import Quality
from labrig.roles import Now
from labrig_instruments.balance import GRAMS, Balance, Weight, WeightOptions, act_and_look, shown
from labrig_instruments.line import Connect, Framing, Line, Ports, SerialLine

_WEIGHT: Final = re.compile(
    rb"(?P<field> *-? *\d+(?:\.\d*)?) (?P<unit>[A-Za-z:]{1,5}) *(?P<unsteady>\?)?(?: +(?P<legend>\S+))? *"
)
_FIELD: Final = 9
_LEGENDS: Final = (None, b"N", b"NET", b"Net", b"G", b"B/G")
"""Of a weight that is the present one; ``TOTAL``, ``T`` and others are not."""
_TROUBLE: Final = re.compile(rb" *Err(?:or)? *(?P<code>\d+(?:\.\d+)?).*")
_TROUBLES: Final = {b"8.3": Quality.MISSING | Quality.ABOVE, b"8.4": Quality.MISSING | Quality.BELOW}
_SERIAL_NUMBER: Final = re.compile(rb"(?:[ -~]*[ :])?(?P<number>[A-Za-z0-9-]{4,}) *")
_ACTS: Final = {"tare": b"T", "zero": b"Z"}


class OhausBalance(Balance):
    """A balance in Ohaus' own mode."""

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
        period: Period = 0.2,
        timeout: Period = 1.0,
        channel_name: Name,
        channel: WeightOptions,
    ) -> None:
        super().__init__(
            name,
            now,
            connect,
            dialect=Ohaus(),
            port=port,
            baud=baud,
            framing=framing,
            serial_number=serial_number,
            period=period,
            timeout=timeout,
            channel_name=channel_name,
            channel=channel,
        )


class Ohaus:
    """`labrig_instruments.balance.Dialect`."""

    weigh, name = b"IP", b"PSN"

    def weight(self, reply: bytes) -> Weight:
        return parse_weight(reply)

    def serial_number(self, reply: bytes) -> str:
        return parse_serial_number(reply)

    def is_late(self, reply: bytes) -> bool:
        return bool(_WEIGHT.fullmatch(reply) or _TROUBLE.fullmatch(reply) or reply in {b"ES", b"OK!"})

    def model(self, line: Line) -> str:
        """Its family is not asked: ``PV`` answers in as many lines as the model likes."""
        return "Ohaus balance"

    def act(self, line: Line, verb: str, timeout: float) -> None:
        act_and_look(line, self, _ACTS[verb], timeout)


def parse_weight(reply: bytes) -> Weight:
    """The weight in a reply to ``IP``.

    Raises `InstrumentError` for anything that is neither a weight nor a stated lack of one.
    """
    if trouble := _TROUBLE.fullmatch(reply):
        return Weight(float("nan"), _TROUBLES.get(trouble["code"], Quality.MISSING), 0)
    found = _WEIGHT.fullmatch(reply)
    if found is None or len(found["field"]) < _FIELD or found["legend"] not in _LEGENDS:
        raise InstrumentError(f"the balance {_reason(reply)}")
    if found["unit"] not in GRAMS:
        raise InstrumentError(f"the balance weighs in {shown(found['unit'])}; set it to g, kg or mg")
    return Weight(
        float(found["field"].replace(b" ", b"")) * GRAMS[found["unit"]],
        Quality.UNSETTLED if found["unsteady"] else Quality.GOOD,
        found.end("unit"),
    )


def parse_serial_number(reply: bytes) -> str:
    """The serial number in a reply to ``PSN``; raises `InstrumentError` where there is none."""
    found = _SERIAL_NUMBER.fullmatch(reply)
    if found is None or _WEIGHT.fullmatch(reply) or _TROUBLE.fullmatch(reply) or not re.search(rb"\d", found["number"]):
        raise InstrumentError(f"no Ohaus balance: asked for its serial number, it {_reason(reply)}")
    return shown(found["number"])


def _reason(reply: bytes) -> str:
    if reply == b"ES":
        return "did not understand the command, or did not settle (ES)"
    return f"answered {shown(reply)!r}"
