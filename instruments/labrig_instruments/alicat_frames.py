"""What Alicat's meters and controllers say, as text: who they are, what their data frames hold, and the frames.

After the Serial Primer; the tables of ``??M*`` and ``??D*`` as real devices of the firmwares 5v to 10v write them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from labrig import units
from labrig.errors import InstrumentError
from labrig.model import Quality
from labrig.units import Unit

Statistic = Literal[
    "gauge pressure",
    "absolute pressure",
    "differential pressure",
    "temperature",
    "volumetric flow",
    "mass flow",
    "set-point",
]

_IDENTITY: Final = re.compile(rb"(?P<id>[A-Z]) +M(?P<number>\d\d) +(?P<text>[ -~]*)")
LAST_OF_IDENTITY: Final = 9
_DESCRIBED: Final = re.compile(
    rb"[A-Z] +D\d\d +\d{3} (?P<conditional>\*)?(?P<name>\S[ -~]*?) {2,}(?P<kind>[a-z][a-z ]*?) +"
    rb"(?P<width>\d+)(?:/(?P<decimals>\d+))?(?: +(?P<notes>[ -~]*))?"
)
_DESCRIBED_EARLY: Final = re.compile(
    rb"[A-Z] +D\d\d +(?P<name>\S+(?: \S+)?) +(?P<kind>signed|unsigned|char|string) +\S+ +(?P<most>\S+) +(?P<notes>\S+)"
)
_HEADING: Final = re.compile(rb"[A-Z] +D00 .*")
_NUMBER: Final = re.compile(rb"[-+]?(?P<whole>\d+)(?:\.(?P<decimals>\d*))?")
_PRESSURES: Final = {"PSI": "psi", "KPA": "kPa", "BAR": "bar", "MBAR": "mbar", "HPA": "hPa", "PA": "Pa", "ATM": "atm"}
_FLOWS: Final = {
    **dict.fromkeys(("LPM", "SLPM", "NLPM"), "L/min"),
    **dict.fromkeys(("CCM", "SCCM", "NCCM", "SMLM", "MLM"), "mL/min"),
}
_TEMPERATURES: Final = {"C": "°C", "`C": "°C", "°C": "°C", "K": "K"}
_OVER: Final[dict[str, tuple[Statistic, ...]]] = {
    "MOV": ("mass flow",),
    "VOV": ("volumetric flow",),
    "TOV": ("temperature",),
    "POV": ("gauge pressure", "absolute pressure", "differential pressure"),
}
HELD: Final = frozenset({"HLD", "EXH"})
"""The valve stands still, or is wide open, whatever the set-point says."""
_BROKEN: Final = frozenset({"ADC"})
_KNOWN: Final = frozenset({*_OVER, *HELD, *_BROKEN, "LCK", "OPL", "P2O", "TMF", "OVR", "COM", "GTA", "BAT"})


@dataclass(frozen=True, slots=True)
class Nameplate:
    """Of one device."""

    model: str
    serial_number: str
    software: str


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a data frame."""

    statistic: Statistic | None
    """None for the gas, and for what labrig has no use for."""
    unit: Unit | None
    digits: int
    """Of a number, before and after its point; 0 for a text."""
    decimals: int


@dataclass(frozen=True, slots=True)
class Frame:
    """What a device says of its present state."""

    values: dict[Statistic, float]
    """In the units of the columns."""
    words: frozenset[str]
    """``MOV``, ``HLD``, ``LCK`` …"""

    def quality(self, statistic: Statistic) -> Quality:
        """Of one value, as the device's words have it."""
        if self.words & _BROKEN:
            return Quality.MISSING
        if any(statistic in _OVER[word] for word in self.words & _OVER.keys()):
            return Quality.ABOVE
        held = statistic == "set-point" and self.words & HELD
        return Quality.UNSETTLED if held else Quality.GOOD


def refused(reply: bytes) -> bool:
    """Whether the device says that it cannot do that."""
    return re.fullmatch(rb"(?:[A-Z] +)?\?", reply) is not None


def is_identity(reply: bytes) -> bool:
    """Whether this is a line of the answer to ``??M*``."""
    return _IDENTITY.fullmatch(reply) is not None


def is_last(reply: bytes) -> bool:
    """Whether this is the last line of the answer to ``??M*``."""
    found = _IDENTITY.fullmatch(reply)
    return found is not None and int(found["number"]) == LAST_OF_IDENTITY


def parse_nameplate(lines: list[bytes]) -> Nameplate:
    """The device of an answer to ``??M*``; raises `InstrumentError` where it does not tell model and serial number."""
    told = {int(found["number"]): found["text"].decode() for found in map(_IDENTITY.fullmatch, lines) if found}
    texts = [
        told.get(number, "").removeprefix(label).strip()
        for number, label in ((4, "Model Number"), (5, "Serial Number"), (9, "Software Revision"))
    ]
    if not (texts[0] and texts[1]):
        raise InstrumentError(f"no Alicat device: asked who it is, it answered {lines[:3]!r}")
    return Nameplate(*texts)


def parse_description(lines: list[bytes]) -> tuple[Column, ...]:
    """The columns of a data frame after its unit id, from an answer to ``??D*``.

    Raises `InstrumentError` for a line that cannot be read, and for a frame without numbers.
    """
    columns = [column for line in lines if not _HEADING.fullmatch(line) and (column := _column(line)) is not None]
    if not any(column.statistic for column in columns):
        raise InstrumentError(f"the device described a data frame without numbers: {lines[:3]!r}")
    return tuple(columns[1:])  # the first is the unit id


def parse_frame(reply: bytes, unit_id: str, columns: tuple[Column, ...]) -> Frame:
    """A data frame; raises `InstrumentError` for anything that is not exactly one, with as many digits as described."""
    unit, *words = reply.split(b" ")
    words = [word for word in words if word]
    if unit.decode("ascii", "replace") != unit_id or len(words) < len(columns):
        raise InstrumentError(f"the device answered {_shown(reply)}, which is no data frame of {unit_id}")
    values: dict[Statistic, float] = {}
    for column, word in zip(columns, words, strict=False):
        value = _number(word, column, reply) if column.digits else 0.0
        if column.statistic:
            values[column.statistic] = value
    told = frozenset(word.decode("ascii", "replace") for word in words[len(columns) :])
    if not told <= _KNOWN:
        raise InstrumentError(f"the device answered {_shown(reply)} with words that no Alicat device knows")
    return Frame(values, told)


def parse_requested(reply: bytes, unit_id: str) -> float:
    """The set-point that an answer to ``LS`` says was asked for; raises `InstrumentError` where there is none."""
    words = reply.split()
    if len(words) < 3 or words[0].decode("ascii", "replace") != unit_id or not _NUMBER.fullmatch(words[2]):
        raise InstrumentError(f"asked for its set-point, the device answered {_shown(reply)}")
    return float(words[2])


def _number(word: bytes, column: Column, reply: bytes) -> float:
    found = _NUMBER.fullmatch(word)
    decimals = len(found["decimals"] or b"") if found else -1
    if found is None or decimals != column.decimals or len(found["whole"]) + decimals != column.digits:
        raise InstrumentError(
            f"the device answered {_shown(reply)}: {_shown(word)} does not have the form it described"
        )
    return float(word)


def _column(line: bytes) -> Column | None:
    """None for a field that is there only at times, such as a status word."""
    if found := _DESCRIBED.fullmatch(line):
        if found["conditional"]:
            return None
        width, decimals = int(found["width"]), int(found["decimals"] or 0)
        digits = width - 2 if found["decimals"] else 0  # without sign and point
        notes = (found["notes"] or b"").split()
        return _of_name(found["name"].decode(), notes[-1].decode() if notes else "", digits, decimals)
    if found := _DESCRIBED_EARLY.fullmatch(line):
        name = found["name"].decode()
        if name in {"Error", "Status"}:
            return None
        number = _NUMBER.fullmatch(found["most"]) if found["kind"].endswith(b"signed") else None
        decimals = len(number["decimals"] or b"") if number else 0
        digits = len(number["whole"]) + decimals if number else 0
        return _of_name(name, found["notes"].decode(), digits, decimals)
    raise InstrumentError(f"the device described its data frame by {_shown(line)}, which labrig cannot read")


def _of_name(name: str, label: str, digits: int, decimals: int) -> Column:
    unit = _unit(label)
    statistic = _statistic(name.casefold(), label, unit) if digits and unit else None
    return Column(statistic, unit, digits, decimals)


def _unit(label: str) -> Unit | None:
    symbol = label.upper()
    pressure = _PRESSURES.get(symbol) or _PRESSURES.get(symbol[:-1] if symbol[-1:] in {"A", "G", "D"} else "")
    known = pressure or _FLOWS.get(symbol) or _TEMPERATURES.get(symbol)
    return units.unit(known) if known else None


def _statistic(name: str, label: str, unit: Unit) -> Statistic | None:
    if "setp" in name:
        return "set-point"
    if unit.dimension == "pressure":
        ends: dict[str, Statistic] = {"A": "absolute pressure", "G": "gauge pressure", "D": "differential pressure"}
        return ends.get(label.upper()[-1])
    if unit.dimension == "temperature":
        return "temperature"
    return "mass flow" if "mass" in name else "volumetric flow" if "vol" in name else None


def _shown(data: bytes) -> str:
    return repr(bytes(data[:60]))
