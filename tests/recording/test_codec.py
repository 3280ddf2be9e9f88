"""Everything that stands as JSON in a run file comes back the same, whatever was in it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig.clock import VirtualClock
from labrig.errors import RecordingError
from labrig.model import Event, Faulted, Marked, Noted, Outcome, Span
from labrig.recording import Recorder, RunFile, codec
from tests.recording.runs import EVENTS, header

TEXTS = st.text(st.characters(), max_size=30)
"""Halves of surrogate pairs included."""
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


def test_every_kind_of_event_comes_back() -> None:
    assert {type(event) for event in EVENTS} == set(get_args(Event))
    for event in EVENTS:
        assert repr(codec.event_from_json(event.kind, codec.to_json(event))) == repr(event)


@given(st.dictionaries(TEXTS, st.floats() | TEXTS, max_size=5), TEXTS)
def test_spans_come_back_with_every_number_and_word(attributes: dict[str, float | str], kind: str) -> None:
    event = Marked(1, Span(kind, -5, 2**62, attributes))

    text = codec.to_json(event)

    assert repr(codec.event_from_json(event.kind, text)) == repr(event)
    json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))


@given(PLAIN)
def test_any_parameter_comes_back(value: object) -> None:
    text = codec.dumps({"value": value})

    assert repr(codec.loads(text)["value"]) == repr(value)


def test_words_that_look_like_numbers_stay_words() -> None:
    for word in ("NaN", "Infinity", "inf", "1", "null", '{"$number": "inf"}'):
        event = Faulted(1, word, word, word)
        assert codec.event_from_json("faulted", codec.to_json(event)) == event


def test_infinite_numbers_come_back() -> None:
    event = Marked(1, Span("p", 0, 1, {"a": math.inf, "b": -math.inf}))

    assert codec.event_from_json("marked", codec.to_json(event)) == event


@pytest.mark.parametrize("text", ["", "[]", "{", '{"time": "noon"}', "null", "[" * 100_000, '{"$number": "x"}'])
def test_text_that_is_no_event_is_refused(text: str) -> None:
    with pytest.raises(RecordingError):
        codec.event_from_json("noted", text)


def test_an_event_of_a_later_version_is_refused_by_name() -> None:
    with pytest.raises(RecordingError, match="unknown kind 'teleported': the file was written by a later labrig"):
        codec.event_from_json("teleported", "{}")


def test_a_note_with_half_a_character_does_not_end_the_recording(tmp_path: Path) -> None:
    notes = [Noted(1, "half \ud83d of it", "op\udce9"), Noted(2, "NUL \x00 and \ufeff", "\u202eop")]
    recorder = Recorder(tmp_path / "r.labrig", header(), clock=VirtualClock(), threaded=False, reserve_bytes=0)
    for note in notes:
        recorder(note)
    recorder.close(Outcome.ABORTED, "stopped \ud83d")

    with RunFile(tmp_path / "r.labrig") as run:
        assert list(run.events) == notes
        assert run.reason == "stopped \ud83d"
        assert run.verify().whole
