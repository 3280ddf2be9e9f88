"""Frozen values to JSON text and back, exactly: what stands in the JSON columns of a run file."""

from __future__ import annotations

import json
import math
from functools import cache
from typing import Any, TypeVar, get_args

from pydantic import TypeAdapter

from labrig.errors import RecordingError
from labrig.model import Analysis, Event, RunHeader
from labrig.recording.records import End

T = TypeVar("T")
NUMBER = "$number"
"""JSON has no NaN and no infinity: they stand as ``{"$number": "inf"}``."""


def to_json(value: RunHeader | Event | End | Analysis) -> str:
    """JSON text of a value; `from_json` gives back an equal one."""
    plain = _adapters()[type(value)].dump_python(value, mode="python")
    if not isinstance(value, RunHeader | End | Analysis):
        plain = {"kind": value.kind, **plain}
    return dumps(plain)


def dumps(plain: object) -> str:
    """Strict JSON of dicts, lists, texts and numbers; finite floats keep every digit."""
    return json.dumps(_strict(plain), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def header_from_json(text: str) -> RunHeader:
    return _from_json(RunHeader, text)


def analysis_from_json(text: str) -> Analysis:
    return _from_json(Analysis, text)


def end_from_json(text: str) -> End:
    return _from_json(End, text)


def event_from_json(kind: str, text: str) -> Event:
    """The event of that kind; raises `RecordingError` for a kind that this version does not know."""
    known = {one.kind: one for one in get_args(Event)}
    if kind not in known:
        raise RecordingError(f"an event of the unknown kind {kind!r}: the file was written by a later labrig")
    event: Event = _from_json(known[kind], text)
    return event


def loads(text: str) -> Any:  # noqa: ANN401 - JSON; whoever asks validates it
    """What `dumps` wrote; raises ValueError for anything that is no JSON."""
    return json.loads(text, object_hook=_number)


def _from_json(kind: type[T], text: str) -> T:
    try:
        value: T = _adapters()[kind].validate_python(loads(text))
    except (ValueError, RecursionError) as error:
        raise RecordingError(f"a {kind.__name__} that cannot be read: {error}") from error
    return value


@cache
def _adapters() -> dict[type, TypeAdapter[Any]]:
    """Made at the first use, because they take a few milliseconds. Any: one dict for all kinds."""
    return {kind: TypeAdapter(kind) for kind in (RunHeader, End, Analysis, *get_args(Event))}


def _strict(node: object) -> object:
    if isinstance(node, float) and not math.isfinite(node):
        return {NUMBER: repr(node)}
    if isinstance(node, dict):
        return {str(key): _strict(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_strict(value) for value in node]
    return node


def _number(node: dict[str, Any]) -> float | dict[str, Any]:
    return float(node[NUMBER]) if node.keys() == {NUMBER} and node[NUMBER] in {"nan", "inf", "-inf"} else node
