"""The bench on serial lines, in virtual time: the twin delivers what its balance, flow meter and controller would."""

from __future__ import annotations

import pytest

from labrig.units import psi
from tests.line.lines import SHORT, Case, on_the_twin, plateau_means

CASE = Case("bench-25-serial", "example-v", ("10 psi", "20 psi", "30 psi"))


def test_the_quick_method_measures_on_it_as_on_the_others() -> None:
    virtual = on_the_twin(CASE, 11, **SHORT)

    assert virtual.judged.over_U < 1, virtual.judged
    supply = [mean / psi for mean, _ in plateau_means(virtual.run, "supply_pressure")]
    assert supply == pytest.approx([10, 20, 30], rel=0.02)


def test_its_flow_meter_and_its_balance_agree() -> None:
    virtual = on_the_twin(CASE, 12, **SHORT)

    for span, (flow, _) in zip(virtual.run.spans("plateau"), plateau_means(virtual.run, "permeate_flow"), strict=True):
        mass = virtual.run.series("permeate_mass", span)
        weighed = (mass.values[-1] - mass.values[0]) / mass.seconds[-1] / 997
        assert flow == pytest.approx(weighed, rel=0.03)
        gas = virtual.run.series("gas_supply", span).values.mean()
        assert gas > flow  # each litre of water that leaves the vessel is replaced by gas under pressure
