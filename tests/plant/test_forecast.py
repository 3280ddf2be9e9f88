"""The forecast says what a rig will show of a membrane, and in words why it will not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labrig.plant.forecast import forecast, line_coefficients
from labrig.plant.membrane import load_membrane, shipped_membranes
from labrig.plant.plant import Plant
from labrig.plant.spec import FeedVessel, Line, PlantSpec, Plumbing
from labrig.plant.transmitters import FlowMeter, PressureTransmitter
from labrig.units import L, celsius, cm_per_min_per_psi, g, g_per_min, minute, mL_per_min, mm, psi
from tests.plant.rigs import FLOW, PRESSURE, bench, exact_balance, ideal, plain, pressurised

MEASURABLE = [
    ("example-i", "bench-47", (10, 20, 30)),
    ("example-ii", "bench-47", (10, 20, 30)),
    ("example-iii", "bench-25", (10, 20, 30)),
    ("example-iv", "bench-25-coarse", (2, 4, 6)),
    ("example-v", "bench-25", (10, 20, 30)),
    ("example-vi", "bench-47", (10, 20, 30)),
    ("example-vii", "bench-47-tight", (3, 6, 9)),
    ("example-viii", "bench-13", (10, 20, 30)),
    ("psed", "bench-47-tight", (40, 60, 80)),
    ("foam-500nm", "bench-47-tight", (5, 10, 20)),
    ("film-100nm", "bench-47-tight", (10, 20, 30)),
]
FILM_2NM = plain(9.3e-6 * cm_per_min_per_psi)
FOAM_100UM = plain(5810 * cm_per_min_per_psi)


@pytest.mark.parametrize(("membrane", "rig", "pressures"), MEASURABLE)
def test_every_shipped_membrane_has_a_bench_that_measures_it(
    membrane: str, rig: str, pressures: tuple[float, ...]
) -> None:
    """Three pressures, 4 to 1000 mL/min, a plateau within five seconds, ten minutes of water at least."""
    for pressure in pressures:
        expected = forecast(bench(rig), load_membrane(membrane), pressure * psi)

        assert expected.measurable, expected.reasons
        assert 4 <= expected.flow / mL_per_min <= 1000
        assert expected.collecting < 5
        assert min(expected.filling, expected.emptying) > 10 * minute
        assert expected.plumbing_share < 0.1
        assert not [each for each in expected.cautions if "alcohol" not in each]


def test_no_shipped_membrane_is_left_out() -> None:
    assert tuple(sorted(membrane for membrane, _, _ in MEASURABLE)) == shipped_membranes()


@pytest.mark.parametrize(("membrane", "rig", "pressures"), MEASURABLE)
def test_the_plant_does_what_was_forecast(membrane: str, rig: str, pressures: tuple[float, ...]) -> None:
    """But for the regulator's own errors, the true bore of the cell and a few seconds of creep."""
    spec, pressure = bench(rig), pressures[1] * psi
    exact = spec.regulator.model_copy(update={"gain_sd": 0.0, "offset_sd": 0.0})
    spec = spec.model_copy(update={"regulator": exact})

    truth = pressurised(Plant(spec, load_membrane(membrane), 1), pressure, seconds=12).truth()

    expected = forecast(spec, load_membrane(membrane), pressure)
    assert truth["feed_pressure"] == pytest.approx(expected.tap, rel=0.003)
    area = 3.14159265 / 4 * spec.cell.exposed_diameter**2
    assert truth["permeate_flow"] / truth["area"] * area == pytest.approx(expected.flow, rel=0.005)


@pytest.mark.parametrize(
    "rig", ["bench-13", "bench-25", "bench-25-coarse", "bench-25-serial", "bench-47", "bench-47-tight"]
)
@pytest.mark.parametrize("pressure", [1, 5, 15, 90])
def test_a_film_with_pores_of_2_nm_is_measured_by_none(rig: str, pressure: float) -> None:
    expected = forecast(bench(rig), FILM_2NM, pressure * psi)

    assert not expected.measurable
    assert any("balance needs" in reason or "evaporation" in reason for reason in expected.reasons)


@pytest.mark.parametrize(
    "rig", ["bench-13", "bench-25", "bench-25-coarse", "bench-25-serial", "bench-47", "bench-47-tight"]
)
def test_a_foam_with_pores_of_100_um_is_measured_by_none(rig: str) -> None:
    for pressure in (0.2, 1, 5):
        assert not forecast(bench(rig), FOAM_100UM, pressure * psi).measurable


def test_a_flow_beyond_the_meter_is_refused_with_both_figures() -> None:
    meter = FlowMeter(quantity="permeate_flow", address=FLOW, span=(0.0, 500 * mL_per_min))
    spec = ideal().model_copy(update={"transmitters": (*ideal().transmitters[:3], meter)})

    expected = forecast(spec, plain(7.4 * cm_per_min_per_psi), 10 * psi)

    assert expected.reasons == (
        "the flow meter's range of 500 mL/min ends below the expected 1023 mL/min; "
        "use a smaller cell or a lower pressure",
    )


def test_thin_lines_are_refused_for_example_iv() -> None:
    thin = Line(diameter=1.6 * mm, length=1.0, fittings=1.5)
    spec = ideal(plumbing=Plumbing(feed=Line(diameter=1.0, length=0.0), cell=thin))

    expected = forecast(spec, load_membrane("example-iv"), 5 * psi)

    assert expected.plumbing_share >= 0.85
    assert any("more than half" in reason for reason in expected.reasons)


def test_each_refusal_names_what_is_in_the_way() -> None:
    spec = ideal()

    def words(**changes: object) -> str:
        return " / ".join(forecast(spec.model_copy(update=changes), plain(), 10 * psi).reasons)

    assert words() == ""
    assert "full after" in words(permeate=exact_balance(vessel_capacity=500 * g))
    assert "empty after" in words(vessel=FeedVessel(volume=1 * L, level=0.5 * L))
    assert "balance needs" in words(permeate=exact_balance(readability=100 * g, vessel_capacity=1e5, capacity=1e5))
    assert "evaporation takes" in words(permeate=exact_balance(evaporation=200 * g_per_min))
    low = PressureTransmitter(quantity="feed_pressure", address=PRESSURE, span=(0.0, 5 * psi))
    assert "no pressure transmitter" in words(transmitters=(low,))
    assert "does not lift" in words(plumbing=Plumbing(head=10.0))
    assert "regulator ends at 100 psi" in " ".join(forecast(spec, plain(0.01), 120 * psi).reasons)


def test_each_caution_names_what_to_mind() -> None:
    tight, general = bench("bench-47-tight"), bench("bench-47")
    soft = general.model_copy(update={"regulator": general.regulator.model_copy(update={"droop": 5 * psi})})

    def words(spec: PlantSpec, membrane: str, pressure: float) -> str:
        return " / ".join(forecast(spec, load_membrane(membrane), pressure * psi).cautions)

    assert "only the balance measures" in words(general, "psed", 60)
    assert "more than 80 % of the flow meter's range" in words(general, "example-viii", 10)
    assert "alcohol" in words(tight, "film-100nm", 20)
    assert "weigh a blank without flow" in words(tight, "psed", 5)
    # 453 mL/min at 22 °C make 5 psi·453/2000 of droop.
    assert "cell sees 8.87 psi of the 10 psi" in words(soft, "example-v", 10)
    assert "each plateau takes 3 min and more" in words(bench("bench-25"), "psed", 10)
    assert "subtract the measured zero" in words(general, "psed", 0.2)


@settings(max_examples=50)
@given(st.sampled_from(shipped_membranes()), st.sampled_from(["bench-13", "bench-47"]), st.floats(0.1, 130))
def test_any_pressure_gets_a_forecast_with_sensible_shares(membrane: str, rig: str, pressure: float) -> None:
    expected = forecast(bench(rig), load_membrane(membrane), pressure * psi)

    assert 0 <= expected.plumbing_share <= 1
    assert 0 <= expected.evaporation_share <= 1
    assert 0 <= expected.transmembrane <= expected.tap <= pressure * psi * 1.001
    assert all(reason == reason.strip() and reason for reason in (*expected.reasons, *expected.cautions))


def test_the_lines_coefficients_are_what_a_blank_run_finds() -> None:
    """0.5 m of 6 mm and K = 4 at 22 °C: 128·μ·L/(π·D⁴) and K·ρ/(2·A²), by hand."""
    a, b = line_coefficients(bench("bench-25"), celsius(22))

    assert a == pytest.approx(128 * 0.9544e-3 * 0.5 / (3.14159265 * 0.006**4), rel=1e-4)
    assert b == pytest.approx(4 * 997.77 / (2 * (2.82743e-5) ** 2), rel=1e-4)
