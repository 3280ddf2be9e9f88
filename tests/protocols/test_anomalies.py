"""The full procedure: a sound run is valid and names nothing, and each anomaly is named, with what to do.

`tests/proofs/anomalies.py` does the same over many seeds.
"""

from __future__ import annotations

import pytest

from labrig.analysis.anomalies import REMEDIES
from labrig.model import Validity
from tests.proofs.anomalies import PLAYS, Played, played

pytestmark = pytest.mark.slow
SEED = 5


@pytest.fixture(scope="module")
def clean() -> Played:
    return played(SEED)


def test_a_sound_run_of_the_full_procedure_is_valid_names_nothing_and_looked_for_everything(clean: Played) -> None:
    table = clean.analysis.tables["anomalies"]

    assert clean.analysis.validity is Validity.VALID, clean.analysis.reasons
    assert clean.named == set()
    assert [row["anomaly"] for row in table] == list(REMEDIES)
    assert {row["found"] for row in table} == {"no"}
    assert all(row["to do"] and float(row["detection limit"]) > 0 for row in table)


@pytest.mark.parametrize("anomaly", list(REMEDIES))
def test_an_anomaly_of_three_times_its_detection_limit_is_named(anomaly: str, clean: Played) -> None:
    wrong = PLAYS[anomaly](SEED, clean)

    assert anomaly in wrong.named
    if anomaly not in {"plumbing-limited", "drifting temperature"}:  # these have rules and words of their own
        assert any(f"{anomaly}: " in reason and REMEDIES[anomaly] in reason for reason in wrong.analysis.reasons)
    if anomaly != "plumbing-limited":  # a third of the pressure is corrected, and named
        assert wrong.analysis.validity is not Validity.VALID
