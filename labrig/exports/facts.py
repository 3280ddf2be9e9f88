"""What exports say of a run beside its samples: the facts of the header, events as rows, results in their units."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final

from labrig import units
from labrig.exports.streams import QUALITY_WORDS, si_symbol
from labrig.exports.stretch import Stretch
from labrig.model import Channel, Event, Marked, Measured
from labrig.recording import RunFile
from labrig.recording.codec import to_json

_SUBJECTS: Final = ("path", "output", "source", "question", "reflex", "author", "after", "outcome", "run_id")
_TEXTS: Final = ("text", "command", "answer", "reason", "utc")


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event in the columns that all kinds share."""

    kind: str
    subject: str = ""
    """What or whom it is about."""
    text: str = ""
    value: float | None = None
    start: int | None = None
    end: int | None = None
    detail: str = ""
    """All fields of the event, as JSON."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A result in the unit that it is shown in."""

    value: float
    expanded: float
    unit: str


def facts(run: RunFile) -> Mapping[str, str]:
    """What everybody who opens an export wants to know, in words."""
    header, verified = run.header, run.verify()
    known = {
        "file": f"made by labrig from {run.path.name}",
        "run": header.run_id,
        "started_utc": header.started_utc,
        "outcome": run.outcome.value,
        "reason": run.reason,
        "protocol": header.protocol,
        "method": header.method,
        **{f"parameter {name}": _words(value) for name, value in header.parameters.items()},
        "coupon": header.coupon.id,
        "lot": header.coupon.lot,
        "sheet": header.coupon.sheet,
        "note": header.coupon.note,
        "cell": header.mounting.cell,
        "exposed_diameter_m": repr(header.mounting.exposed_diameter),
        "orientation": header.mounting.orientation.value,
        "operator": header.operator,
        "rig": header.rig,
        "simulated": "yes" if header.simulated else "no",
        **{f"version {name}": text for name, text in header.versions.items()},
        "damaged": "; ".join(verified.damaged),
        "time_s": "seconds since started_utc, by the monotonic clock",
        "text cells": "what would begin a formula begins with an apostrophe; \\uXXXX is a control character",
    }
    return {key: value for key, value in known.items() if value}


def about_samples(source: str, channels: Sequence[Channel], stretch: Stretch) -> dict[str, str]:
    """What everybody needs to know of a table of samples beside the facts of its run."""
    about = {"source": source, **stretch.words}
    if stretch.binned:
        about["bins"] = f"time_s is the beginning of a bin of {stretch.every:g} s; n counts its usable samples"
        about["quality"] = f"all bits of the samples of a bin; sum of: {QUALITY_WORDS}"
    else:
        about["index"] = "number of the sample since the start; a jump shows lost samples"
        about["quality"] = f"sum of: {QUALITY_WORDS}"
    return about | {f"channel {channel.name}": described(channel) for channel in channels}


def described(channel: Channel) -> str:
    """A channel's title, calibration and wiring, in words."""
    terms = " + ".join(f"{c!r} raw^{power}" for power, c in enumerate(channel.calibration.coefficients))
    certificate = f", certificate {channel.calibration.certificate}" if channel.calibration.certificate else ""
    wired = f", wired to {channel.address}" if channel.address else ""
    title, symbol = channel.label or channel.name, si_symbol(channel.unit)
    return f"{title}; SI value ({symbol}) = {terms} with raw in {channel.raw_unit}{certificate}{wired}"


def event_row(event: Event) -> EventRow:
    """An event in the columns that all kinds share: the fields of most kinds fit one of them, ``detail`` has all."""
    detail = to_json(event)
    if isinstance(event, Marked):
        span = event.span
        words = ", ".join(f"{name} {value}" for name, value in span.attributes.items())
        return EventRow(event.kind, span.kind, words, None, span.start, span.end, detail)
    named = {field.name: getattr(event, field.name) for field in fields(event)}
    subject = next((str(named[name]) for name in _SUBJECTS if name in named), "")
    text = next((str(named[name]) for name in _TEXTS if name in named), "")
    return EventRow(event.kind, subject, text, named.get("value"), detail=detail)


def shown(result: Measured) -> Shown:
    """A result and its expanded uncertainty in the unit that it names; in SI where that unit is not known."""
    unit = units.UNITS.get(result.unit)
    if unit is None:
        return Shown(result.value, result.U, "SI")
    return Shown(unit.from_si(result.value), result.U / unit.factor, unit.symbol or "1")


def _words(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_words(one) for one in value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
