"""Whatever a run was made of, its file and the run in memory give the same answers."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labrig.clock import VirtualClock
from labrig.model import Block, Event, Marked, Outcome, Quality, RunData, Span
from labrig.recording import MemoryRun, Recorder, RunFile
from tests.recording.runs import MS, block, header

SOURCES = {"daq": ("feed", "back"), "balance": ("mass",)}


@st.composite
def runs(draw: st.DrawFn) -> list[Block | Event]:
    """Blocks of two sources with gaps, crooked times, bad samples, between marks."""
    following = {"daq": (0, 0), "balance": (0, 0)}
    items: list[Block | Event] = []
    for _ in range(draw(st.integers(0, 12))):
        source = draw(st.sampled_from(sorted(SOURCES)))
        n, gap = draw(st.integers(0, 9)), draw(st.sampled_from([0, 0, 0, 5]))
        first, start = following[source]
        steps = draw(st.lists(st.sampled_from([MS, MS, MS, 3 * MS, 1]), min_size=n, max_size=n))
        times = start + gap * MS + np.cumsum(np.asarray(steps, np.int64))
        shape = (n, len(SOURCES[source]))
        values = draw(st.lists(st.floats(width=32), min_size=shape[0] * shape[1], max_size=shape[0] * shape[1]))
        quality = draw(st.sampled_from([0, 0, Quality.MISSING, Quality.ABOVE | Quality.UNSETTLED]))
        flags = np.full(shape, quality, np.uint8)
        items.append(Block(source, SOURCES[source], first + gap, times, np.reshape(values, shape), flags))
        following[source] = (first + gap + n, int(times[-1]) if n else start)
        if draw(st.booleans()):
            begin = draw(st.integers(-MS, 30 * MS))
            items.append(Marked(begin, Span("part", begin, begin + draw(st.integers(0, 20 * MS)))))
    return items


def answers(run: RunData) -> list[object]:
    """All that the contract lets one ask for, to the last bit."""
    spans = run.spans("part")
    found: list[object] = [run.header, run.events, spans]
    for channel in ("feed", "back", "mass"):
        for span in (None, *spans):
            series = run.series(channel, span)
            found.append((series.times.tobytes(), series.values.tobytes(), series.quality.tobytes()))
    return found


@settings(max_examples=40)
@given(runs())
def test_a_file_and_a_run_in_memory_give_the_same(items: list[Block | Event]) -> None:
    memory = MemoryRun(header())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.labrig"
        recorder = Recorder(path, header(), clock=VirtualClock(), threaded=False, reserve_bytes=0)
        for item in items:
            memory(item)
            recorder(item)
        recorder.close(Outcome.COMPLETED)

        with RunFile(path) as run:
            assert answers(run) == answers(memory)
            assert not run.damage
            assert run.verify().whole


@pytest.mark.parametrize("name", ["with blank.labrig", "a#b?c%41&mode=rw.labrig", "\u00fcber-\u6c34.labrig"])
def test_a_file_may_have_any_name(tmp_path: Path, name: str) -> None:
    recorder = Recorder(tmp_path / name, header(), clock=VirtualClock(), threaded=False, reserve_bytes=0)
    recorder(block(0, 3))
    recorder.close(Outcome.COMPLETED)

    assert [entry.name for entry in tmp_path.iterdir()] == [name]
    with RunFile(tmp_path / name) as run:
        assert len(run.series("feed")) == 3
