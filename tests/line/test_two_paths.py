"""The twin in virtual time and the real drivers in real time are one rig to everything above them."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pytest

from labrig.clock import SECOND
from labrig.model import Block
from labrig.recording import RunFile
from tests.line.conftest import CASES
from tests.line.lines import SHORT, Case, Real, Virtual, happened, on_the_twin, plateau_means

pytestmark = pytest.mark.slow
EACH = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.membrane} on {case.rig}")


@pytest.fixture(scope="module")
def virtual_runs() -> dict[Case, Virtual]:
    return {case: on_the_twin(case, seed, **SHORT) for case, seed in CASES.items()}


@EACH
def test_headers_say_the_same(real_runs: dict[Case, Real], virtual_runs: dict[Case, Virtual], case: Case) -> None:
    """But for what names one run: its identifier and its start."""
    virtual = virtual_runs[case].run.header
    with RunFile(real_runs[case].filed.path) as run:
        real = run.header

    same = [name for name in type(real).__dataclass_fields__ if name not in {"run_id", "started_utc", "started_ns"}]
    assert {name: getattr(real, name) for name in same if name != "channels"} == {
        name: getattr(virtual, name) for name in same if name != "channels"
    }
    names = [channel.name for channel in virtual.channels]
    assert [channel.name for channel in real.channels] == names
    for ours, theirs in zip(real.channels, virtual.channels, strict=True):
        assert (ours.unit, ours.raw_unit, ours.calibration) == (theirs.unit, theirs.raw_unit, theirs.calibration)
        assert (ours.low, ours.high, ours.loop) == (theirs.low, theirs.high, theirs.loop)


@EACH
def test_the_same_happens_in_the_same_order(
    real_runs: dict[Case, Real], virtual_runs: dict[Case, Virtual], case: Case
) -> None:
    with RunFile(real_runs[case].filed.path) as run:
        assert happened(run) == happened(virtual_runs[case].run)


@EACH
def test_sources_deliver_the_same_channels_at_the_same_rates(
    real_runs: dict[Case, Real], virtual_runs: dict[Case, Virtual], case: Case
) -> None:
    with RunFile(real_runs[case].filed.path) as run:
        real = sampling(run.blocks())
    virtual = sampling(virtual_runs[case].run.blocks())

    assert real.keys() == virtual.keys()
    for source, (channels, rate) in virtual.items():
        assert real[source][0] == channels
        assert real[source][1] == pytest.approx(rate, rel=0.1 if source == "balance" else 0.01), source


@EACH
def test_plateaus_read_the_same_on_every_channel(
    real_runs: dict[Case, Real], virtual_runs: dict[Case, Virtual], case: Case
) -> None:
    """Same seed, same errors of the sensors: what is left is noise, and how long each path waited before."""
    with RunFile(real_runs[case].filed.path) as run:
        for channel in ("feed_pressure", "permeate_flow", "water_temperature"):
            real, virtual = plateau_means(run, channel), plateau_means(virtual_runs[case].run, channel)
            for (ours, spread), (theirs, other) in zip(real, virtual, strict=True):
                assert ours == pytest.approx(theirs, rel=2e-3, abs=math.hypot(spread, other)), channel


@EACH
def test_results_agree_within_their_uncertainties_and_are_as_uncertain(
    real_runs: dict[Case, Real], virtual_runs: dict[Case, Virtual], case: Case
) -> None:
    real, virtual = real_runs[case].judged.result, virtual_runs[case].judged.result

    assert abs(real.value - virtual.value) < math.hypot(real.U, virtual.U)
    assert real.u == pytest.approx(virtual.u, rel=0.5)
    assert (real.name, real.symbol, real.unit) == (virtual.name, virtual.symbol, virtual.unit)
    averages = [dict(measured.definition).pop("transmembrane pressure") for measured in (real, virtual)]
    assert float(averages[0].split()[0]) == pytest.approx(float(averages[1].split()[0]), rel=2e-3)
    assert real.definition == {**virtual.definition, "transmembrane pressure": averages[0]}


def sampling(blocks: Iterable[Block]) -> dict[str, tuple[tuple[str, ...], float]]:
    """Channels and samples a second of each source."""
    found: dict[str, list[Block]] = {}
    for block in blocks:
        found.setdefault(block.source, []).append(block)
    return {source: (own[0].channels, _rate(own)) for source, own in found.items()}


def _rate(blocks: list[Block]) -> float:
    """By the usual distance of two samples: a crowded machine asks a balance late now and then."""
    times = np.concatenate([block.times for block in blocks])
    return SECOND / float(np.median(np.diff(times)))
