"""What a file counts of a source."""

from __future__ import annotations

from labrig.recording import Totals


def test_a_run_that_begins_in_the_middle_of_a_stream_has_lost_nothing() -> None:
    totals = Totals().plus(5000, 20).plus(5020, 20)

    assert totals == Totals(samples=40, lost=0, next=5040)


def test_a_jump_of_the_index_is_a_loss() -> None:
    assert Totals().plus(5000, 20).plus(5030, 20).lost == 10
