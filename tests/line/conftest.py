"""Three runs through the real drivers at once: each takes its half minute, and several tests look at them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.line.lines import SHORT, Case, Real, through_the_drivers

CASES = {
    Case("bench-25", "example-v", ("10 psi", "20 psi", "30 psi")): 11,
    Case("bench-47", "example-ii", ("10 psi", "20 psi", "30 psi")): 12,
    Case("bench-13", "example-viii", ("10 psi", "20 psi", "30 psi")): 13,
}
"""Rig and membrane, and the seed of each."""


@pytest.fixture(scope="session")
def real_runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Case, Real]]:
    folder = tmp_path_factory.mktemp("runs")
    for case in CASES:
        (
            case.config(),
            case.method(),
        )  # CPython 3.11 may not parse sources in several threads: what is imported is in now
    with ThreadPoolExecutor(len(CASES)) as pool:
        runs = {case: pool.submit(through_the_drivers, case, seed, folder, **SHORT) for case, seed in CASES.items()}
        yield {case: run.result() for case, run in runs.items()}
