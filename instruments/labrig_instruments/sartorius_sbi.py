"""Balance speaking Sartorius' SBI (Cubis, Secura, Entris, Practum, the weigh cells WZ and others) over a serial line.

``ESC P`` prints the weight in 16 characters, or in 22 with a code before it, CR LF among them: ``+    123.56 g`` once
it is steady, without the unit while it is not. ``ESC x1_`` and ``ESC x2_`` tell model and serial number, ``ESC U``
tares and ``ESC V`` zeroes without an answer. (Operating instructions of Cubis MSE, Entris II and WZB.) Neither printing
on steady weights only (the balance would be silent until then) nor automatic printing (nobody would know what an answer
answers) may be on.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from labrig.drivers import Name, Period
from labrig.errors import InstrumentError
from labrig.model import Quality
from labrig.roles import Now
from labrig_instruments.balance import GRAMS, Balance, Weight, WeightOptions, act_and_look, shown
from labrig_instruments.line import Connect, Framing, Line, Ports, SerialLine

Unit = Literal["g", "kg", "mg"]

_WEIGHT: Final = re.compile(
    rb"(?:(?P<code>(?:N|G|Nt|Net|Brutto|G#|N\d) *))?(?P<sign>[-+ ])(?P<field>[ \d.[]{9})[ \]](?P<unit>[A-Za-z %]{3})"
)
_LENGTHS: Final = (14, 20)
_STATE: Final = re.compile(rb"(?:Stat)? *(?P<word>\S.*?) *")
_STATES: Final = {
    **dict.fromkeys((b"High", b"H"), Quality.MISSING | Quality.ABOVE),
    **dict.fromkeys((b"Low", b"L"), Quality.MISSING | Quality.BELOW),
    **dict.fromkeys((b"Cal. Ext.", b"Cal.Ext.", b"Cal.Int.", b"Cal. Int.", b"C"), Quality.MISSING),
}
_ERROR: Final = re.compile(rb"(?:Stat)? *(?P<code>(?:APP|DIS|PRT)\. ?ERR?|E[Rr][Rr] *\d+|OFF) *")
_SERIAL_NUMBER: Final = re.compile(rb"(?:Ser\.? ?[Nn]o\.?:?)? *(?P<number>[A-Za-z0-9-]{4,}) *")
_MODEL: Final = re.compile(rb" *(?P<model>[A-Za-z][ -~]*?) *")
_ACTS: Final = {"tare": b"\x1bU", "zero": b"\x1bV"}


class SartoriusBalance(Balance):
    """A balance in SBI mode."""

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
        weighs_in: Unit = "g",
        period: Period = 0.2,
        timeout: Period = 1.0,
        channel_name: Name,
        channel: WeightOptions,
    ) -> None:
        """``weighs_in``: the unit that the balance is set to, because a weight that is not steady comes without one."""
        super().__init__(
            name,
            now,
            connect,
            dialect=Sbi(weighs_in),
            port=port,
            baud=baud,
            framing=framing,
            serial_number=serial_number,
            period=period,
            timeout=timeout,
            channel_name=channel_name,
            channel=channel,
        )


class Sbi:
    """`labrig_instruments.balance.Dialect`."""

    weigh, name = b"\x1bP", b"\x1bx2_"

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    def weight(self, reply: bytes) -> Weight:
        return parse_weight(reply, self._unit)

    def serial_number(self, reply: bytes) -> str:
        return parse_serial_number(reply)

    def is_late(self, reply: bytes) -> bool:
        return len(reply) in _LENGTHS and (_WEIGHT.fullmatch(reply) is not None or _is_state(reply))

    def model(self, line: Line) -> str:
        return parse_model(line.ask(b"\x1bx1_"))

    def act(self, line: Line, verb: str, timeout: float) -> None:
        act_and_look(line, self, _ACTS[verb], timeout)


def parse_weight(reply: bytes, unit: Unit) -> Weight:
    """The weight in a reply to ``ESC P`` of a balance that is set to ``unit``.

    Raises `InstrumentError` for anything that is neither a weight nor a stated lack of one, and for another unit.
    """
    found = _WEIGHT.fullmatch(reply) if len(reply) in _LENGTHS else None
    if found is None:
        return _no_weight(reply)
    digits = re.fullmatch(rb" *(\d+(?:\.\d*)?)", found["field"].replace(b"[", b""))
    told = found["unit"].strip()
    if digits is None:
        raise InstrumentError(f"the balance answered {shown(reply)!r}")
    if told and told.decode() != unit:
        raise InstrumentError(f"the balance weighs in {shown(told)}; set it to {unit}, or weighs_in to what it shows")
    grams = float(digits[1]) * GRAMS[unit.encode()]
    decimals = len(digits[1].partition(b".")[2])
    return Weight(
        -grams if found["sign"] == b"-" else grams,
        Quality.GOOD if told else Quality.UNSETTLED,
        # A unit that was changed at its keys moves the decimal point, also while no unit is told.
        100 * len(reply) + decimals,
    )


def parse_serial_number(reply: bytes) -> str:
    """The serial number in a reply to ``ESC x2_``; raises `InstrumentError` where there is none."""
    found = _SERIAL_NUMBER.fullmatch(reply)
    if found is None or _is_state(reply) or _WEIGHT.fullmatch(reply) or not re.search(rb"\d", found["number"]):
        raise InstrumentError(f"no Sartorius SBI balance: asked for its serial number, it answered {shown(reply)!r}")
    return shown(found["number"])


def parse_model(reply: bytes) -> str:
    """The model in a reply to ``ESC x1_``; raises `InstrumentError` where there is none."""
    found = _MODEL.fullmatch(reply)
    if found is None or _is_state(reply) or _WEIGHT.fullmatch(reply):
        raise InstrumentError(f"no Sartorius SBI balance: asked for its model, it answered {shown(reply)!r}")
    return shown(found["model"])


def _no_weight(reply: bytes) -> Weight:
    if len(reply) in _LENGTHS:
        state = _STATE.fullmatch(reply)
        if state and state["word"] in _STATES:
            return Weight(float("nan"), _STATES[state["word"]], 0)
        if error := _ERROR.fullmatch(reply):
            raise InstrumentError(f"the balance reports {shown(error['code'])}; its manual says what that is")
    raise InstrumentError(f"the balance answered {shown(reply)!r}")


def _is_state(reply: bytes) -> bool:
    state = _STATE.fullmatch(reply)
    return _ERROR.fullmatch(reply) is not None or (state is not None and state["word"] in _STATES)
