"""Numbers, times and states in words for people. No Qt."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from labrig.units import round_significant
from labrig.wire.documents import RunPaper, Status

STATE_WORDS: Final = {
    "safe": "SAFE",
    "running": "RUNNING",
    "hold": "ON HOLD",
    "stopping": "STOPPING",
    "tripped": "TRIPPED",
    "gone": "NO SERVER",
}
_RULE: Final = re.compile(r"\w+(?=: )")
"""The name of an interlock, before what it has found."""
_NAME: Final = re.compile(r"\w+")
_WORD: Final = re.compile(r"[a-z]\w*_\w+")
"""A name of a rig file: words joined by underlines."""
OUTCOME_WORDS: Final = {
    "": "going on",
    "completed": "completed",
    "aborted": "stopped by a person",
    "tripped": "tripped",
    "failed": "failed",
    "interrupted": "interrupted",
}
SIDE_WORDS: Final = {"skin-up": "skin towards the feed", "support-up": "support towards the feed"}


def duration(seconds: float) -> str:
    """``45 s``, ``12 min 5 s``, ``3 h 20 min``; ``–`` where unknown."""
    if not math.isfinite(seconds):
        return "–"
    whole = max(0, round(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes_rest = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes_rest} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def clock_time(seconds: float) -> str:
    """``0:45``, ``12:05``, ``3:20:00``: for axes."""
    sign, whole = "−" if seconds < 0 else "", abs(round(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{sign}{hours}:{minutes:02}:{rest:02}" if hours else f"{sign}{minutes}:{rest:02}"


def local_time(utc: str) -> str:
    """An ISO 8601 time in this computer's zone, to the second; the text itself where it is none."""
    try:
        return datetime.fromisoformat(utc).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return utc


def seconds_left(run: RunPaper, now: int) -> float:
    """By the rehearsed schedule, from the step that goes on, without the time of its holds; NaN if not rehearsed."""
    if run.seconds <= 0:
        return math.nan
    begun = {step.path: step.at for step in run.schedule}
    since = (now - (run.step_entered or run.started)) / 1e9 - run.step_held
    return max(0.0, run.seconds - begun.get(run.step, 0.0) - max(0.0, since))


def state_line(state: str, status: Status | None) -> str:
    """What the rig does, in a few words beside the state."""
    if status is None or state == "gone":
        return ""
    run = status.run
    if state in {"hold", "tripped", "stopping"}:
        return status.reason
    if state == "running" and run is not None:
        return f"{run.coupon} · {run.method}" + (f" · {run.step}" if run.step else "")
    return "Ready for a run"


def capitalised(words: str) -> str:
    """The first letter large, the rest as it is: a server's words at the beginning of a line."""
    return words[:1].upper() + words[1:]


def readable(said: str, names: Iterable[str]) -> str:
    """A server's words with the names of the rig file as a person writes them: ``feed_pressure`` as feed pressure."""
    return capitalised(plain(said, names))


def plain(said: str, names: Iterable[str]) -> str:
    """The same in the middle of a sentence; each of several reasons, parted by semicolons, may begin with its rule."""
    rules = (_RULE.match(reason) for reason in said.split("; "))
    known = {*names, *(rule.group() for rule in rules if rule)}
    return _NAME.sub(lambda found: found.group().replace("_", " ") if found.group() in known else found.group(), said)


def labelled(said: str, labels: Mapping[str, str]) -> str:
    """An analysis's words with channels as they are labelled: ``gain of feed_pressure`` as gain of feed pressure."""
    return _WORD.sub(lambda found: _as_label(found.group(), labels), said)


def _as_label(word: str, labels: Mapping[str, str]) -> str:
    label = labels.get(word) or word.replace("_", " ")
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def value_text(value: float, digits: int = 4) -> str:
    """A number for a tile; ``–`` where there is none."""
    if not math.isfinite(value):
        return "–"
    text = round_significant(value, digits)
    return text.replace("-", "−")


def result_text(result: Mapping[str, Any]) -> str:
    """``3.98 ± 0.05 cm/min/psi``: two digits of the expanded uncertainty, the value to the same place."""
    value, expanded, unit = float(result["value"]), float(result["U"]), str(result["unit"])
    return f"{to_place(value, expanded)} ± {round_significant(expanded, 2)} {unit}".rstrip()


def to_place(value: float, expanded: float) -> str:
    """The value to the last place of two digits of its uncertainty."""
    if not (math.isfinite(value) and math.isfinite(expanded) and expanded > 0 and value != 0):
        return round_significant(value, 4)
    place = math.floor(math.log10(float(f"{expanded:.1e}"))) - 1
    return round_significant(value, max(1, math.floor(math.log10(abs(value))) - place + 1))
