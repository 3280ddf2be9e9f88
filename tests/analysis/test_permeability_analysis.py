"""From a recorded run to the permeability: what is right comes out, what is wrong is named, nothing else is raised."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labrig.errors import AnalysisError
from labrig.model import Analysis, Calibration, Quality, Span, Validity
from labrig.units import LMH_per_bar, celsius, cm_per_min_per_psi, mL_per_min, mm, psi
from labrig_protocols.permeability_analysis import analyse
from tests.analysis.bench import CHANNELS, ROLES, SECOND, START, Bench, Errors, MemoryRun

EXAMPLE_V = 4 * cm_per_min_per_psi
NOISY = Errors(noise=1.0)


def _reasons(analysis: Analysis) -> str:
    return "; ".join(analysis.reasons)


def test_a_clean_run_at_18_celsius_gives_4_at_25_celsius_and_is_valid() -> None:
    """A membrane of 4.000 cm/min/psi at 25 °C lets 3.382 through at 18 °C."""
    analysis = analyse(Bench(p=EXAMPLE_V, temperature=celsius(18), errors=NOISY).run())

    p25, permeance, resistance, uncorrected = analysis.results
    assert (analysis.name, analysis.version) == ("water-permeability", "2")
    assert analysis.validity is Validity.VALID, analysis.reasons
    assert p25.unit == "cm/min/psi"
    assert p25.value / cm_per_min_per_psi == pytest.approx(4.0, rel=0.002)
    assert permeance.value / LMH_per_bar == pytest.approx(4 * 8702.264, rel=0.002)
    assert resistance.value == pytest.approx(1.162e10, rel=0.003)
    assert uncorrected.value / cm_per_min_per_psi == pytest.approx(3.382, rel=0.002)
    assert abs(p25.value - EXAMPLE_V) <= p25.U
    assert p25.U / p25.value < 0.01


def test_the_result_says_what_it_means_and_where_it_came_from() -> None:
    run = Bench().run()

    p25 = analyse(run).results[0]

    assert p25.definition["reference temperature"] == "25 °C"
    assert "IAPWS" in p25.definition["temperature correction"]
    assert "41.96 mm" in p25.definition["area"]
    assert p25.definition["pressure"] == "Feed pressure"
    assert p25.spans == run.spans("plateau")
    assert {"exposed diameter", "thermometer", "gain of feed"} <= {line.source for line in p25.budget}


def test_each_plateau_has_its_row_in_si() -> None:
    rows = analyse(Bench(roles=ROLES).run()).tables["plateaus"]

    assert [row["plateau"] for row in rows] == [f"plateau {i} at {i}0.0 psi" for i in (1, 2, 3)]
    assert rows[1]["start"] == pytest.approx(49.0)
    assert rows[1]["seconds"] == pytest.approx(30.0)
    assert rows[1]["dP"] == pytest.approx(20 * psi, rel=1e-6)
    assert rows[1]["flow by meter"] == pytest.approx(rows[1]["flow by mass"], rel=1e-3)
    assert abs(float(rows[1]["E_n"])) < 0.2
    assert rows[1]["temperature"] == pytest.approx(celsius(22))


def test_the_transducer_with_the_smaller_uncertainty_in_range_is_taken_for_each_plateau() -> None:
    """0-5 psi across the cell below 5 psi, 0-100 psi above."""
    rows = analyse(Bench(pressures=(2 * psi, 4 * psi, 8 * psi), roles=ROLES).run()).tables["plateaus"]

    assert [row["pressure channel"] for row in rows] == ["cell", "cell", "feed"]


def test_a_measured_zero_head_and_evaporation_leave_no_error() -> None:
    bench = Bench(errors=Errors(zero=0.05 * psi), head=978.0, evaporation=8e-7, blank_a=1e8, blank_b=1e12)

    analysis = analyse(bench.run())

    assert analysis.validity is Validity.VALID, analysis.reasons
    assert analysis.results[0].value == pytest.approx(EXAMPLE_V, rel=1e-5)


def test_without_a_zero_the_result_is_indicative_and_carries_the_uncertainty_of_the_calibration() -> None:
    run = Bench().run()

    with_zero, without = analyse(run), analyse(run.with_spans(*run.spans("plateau")))

    assert without.validity is Validity.INDICATIVE
    assert "the zero of feed was not measured" in _reasons(without)
    assert without.results[0].u > with_zero.results[0].u


def test_a_zero_beyond_what_the_calibration_allows_is_invalid() -> None:
    analysis = analyse(Bench(errors=Errors(zero=0.5 * psi)).run())

    assert analysis.validity is Validity.INVALID
    assert "feed read 0.5 psi with both sides vented; its calibration allows" in _reasons(analysis)


def test_a_zero_that_moved_during_the_run_is_invalid() -> None:
    run = Bench(errors=Errors(zero=0.01 * psi)).run()
    moved = run.values["feed"].copy()
    moved[-50:] = 0.15 * psi
    again = Span("zero", int(run.times[-40]), int(run.times[-1]))

    analysis = analyse(run.with_values("feed", moved).with_spans(*run.marked, again))

    assert "the zero of feed moved by" in _reasons(analysis)


def test_a_zero_that_was_not_subtracted_shows_as_an_intercept() -> None:
    """1 psi too much on 10, 20 and 30 psi, and no zero to tell."""
    run = Bench(pressures=tuple(x * psi for x in (10, 15, 20, 25, 30)), errors=Errors(zero=1 * psi, noise=1.0)).run()

    analysis = analyse(run.with_spans(*run.spans("plateau")))

    assert analysis.validity is Validity.INVALID
    assert "misses the origin" in _reasons(analysis)


def test_compaction_is_named_as_such_and_not_taken_for_a_wrong_zero() -> None:
    pressures = tuple(x * psi for x in (10, 20, 30, 40, 50))

    analysis = analyse(Bench(pressures=pressures, compaction=0.002 / psi, errors=NOISY).run())

    assert analysis.validity is Validity.INDICATIVE
    assert "compaction, fouling or turbulence" in _reasons(analysis)


def test_lines_that_take_a_fifth_of_the_pressure_are_corrected_and_flagged() -> None:
    bench = Bench(blank_a=1.6e9, errors=NOISY)

    analysis = analyse(bench.run())

    assert analysis.validity is Validity.VALID, analysis.reasons
    assert analysis.results[0].value == pytest.approx(EXAMPLE_V, rel=0.005)
    assert all(0.1 < float(row["blank share"]) < 0.3 for row in analysis.tables["plateaus"])
    assert all(row["flag"] == "corrected for the lines" for row in analysis.tables["plateaus"])
    assert "plateau 1" in str(analysis.diagnostics["corrected for the lines"])


def test_lines_that_take_most_of_the_pressure_make_the_run_invalid() -> None:
    analysis = analyse(Bench(blank_a=1.2e10, errors=NOISY).run())

    assert analysis.validity is Validity.INVALID
    assert "Use wider lines" in _reasons(analysis)


def _with_setup(run: MemoryRun, **changes: float) -> MemoryRun:
    return run.with_header(replace(run.header, setup={**run.header.setup, **changes}))


def test_a_coarse_membrane_without_a_blank_run_is_indicative_and_a_tight_one_is_not() -> None:
    coarse = analyse(Bench(p=4 * cm_per_min_per_psi, blank_a=0.0, errors=NOISY).run())
    tight = analyse(Bench(p=1 * cm_per_min_per_psi, blank_a=0.0, errors=NOISY).run())

    assert "no blank run is on record" in _reasons(coarse)
    assert tight.validity is Validity.VALID, tight.reasons


def test_a_blank_run_is_not_believed_far_beyond_its_highest_flow() -> None:
    """The run reaches 1.55 L/min; two blank runs to 0.4 L/min give 1.2 % and 0.1 % of the pressure there."""
    much, little = (Bench(blank_a=a, errors=NOISY).run() for a in (1e8, 1e7))

    beyond, hardly, within = (
        analyse(_with_setup(run, blank_flow_high=high * mL_per_min))
        for run, high in ((much, 400), (little, 400), (much, 1500))
    )

    assert beyond.validity is Validity.INVALID
    assert (
        "plateau 3 at 30.0 psi: the flow of 1547 mL/min is beyond the blank run, which ended at 400 mL/min"
        in beyond.reasons
    )
    assert hardly.validity is Validity.INDICATIVE
    assert within.validity is Validity.VALID, within.reasons


def test_a_plateau_that_never_became_steady_is_invalid_with_the_reason_of_the_wait() -> None:
    run = Bench().run()
    zero, first, *others = run.marked
    unsteady = replace(first, attributes={**first.attributes, "steady": 0.0, "unsteady": "feed drifts by 3 %"})

    analysis = analyse(run.with_spans(zero, unsteady, *others))

    assert analysis.validity is Validity.INVALID
    assert "plateau 1 at 10.0 psi was not steady: feed drifts by 3 %" in analysis.reasons


def test_skipped_steps_make_the_result_indicative_by_name() -> None:
    analysis = analyse(Bench(parameters={"skipped": ["wetting", "air purge"]}, errors=NOISY).run())

    assert analysis.validity is Validity.INDICATIVE
    assert analysis.reasons == (
        "wetting not verified: step skipped by the method",
        "air purge not verified: step skipped by the method",
    )


def test_two_plateaus_cannot_show_linearity() -> None:
    analysis = analyse(Bench(pressures=(10 * psi, 20 * psi), errors=NOISY).run())

    assert analysis.validity is Validity.INDICATIVE
    assert "three pressures at least" in _reasons(analysis)


def test_incomplete_wetting_shows_on_the_way_down() -> None:
    """Below 20 psi a fifth of the pores stays dry until 30 psi have opened them."""
    bench = Bench(pressures=tuple(x * psi for x in (10, 20, 30, 20, 10)), errors=NOISY)
    run = bench.run()
    flow = np.diff(run.values["permeate"], prepend=0.0)
    flow[(run.times - START) / SECOND < 80] *= 0.8

    analysis = analyse(run.with_values("permeate", np.cumsum(flow)))

    assert analysis.validity is Validity.INVALID
    assert "incomplete wetting" in _reasons(analysis)


@pytest.mark.parametrize(("error", "validity"), [(0.002, Validity.VALID), (0.04, Validity.INVALID)])
def test_flow_meter_and_balance_must_agree_within_their_uncertainties(error: float, validity: Validity) -> None:
    analysis = analyse(Bench(roles=ROLES, errors=Errors(meter=error, noise=1.0)).run())

    assert analysis.validity is validity, analysis.reasons
    assert ("flow meter and balance disagree" in _reasons(analysis)) is (validity is Validity.INVALID)


def test_a_flow_below_the_range_of_the_meter_is_not_compared() -> None:
    analysis = analyse(Bench(p=EXAMPLE_V / 1000, roles=ROLES, seconds=120, errors=Errors(meter=0.5, noise=1.0)).run())

    assert "disagree" not in _reasons(analysis)
    assert all(math.isnan(float(row["E_n"])) for row in analysis.tables["plateaus"])


def test_water_that_warms_during_a_plateau_is_invalid() -> None:
    analysis = analyse(Bench(warming=0.5 / 60, errors=NOISY).run())

    assert analysis.validity is Validity.INVALID
    assert "0.2 K/min is allowed" in _reasons(analysis)


def test_water_below_freezing_is_computed_and_invalid() -> None:
    analysis = analyse(Bench(temperature=celsius(-3)).run())

    assert analysis.validity is Validity.INVALID
    assert "0 °C to 100 °C is possible" in _reasons(analysis)


def test_a_temperature_channel_in_degrees_celsius_leaves_no_plateau_and_says_why() -> None:
    run = Bench().run()

    with pytest.raises(AnalysisError, match="check the water temperature channel"):
        analyse(run.with_values("water", run.values["water"] - 273.15))


def test_a_plateau_without_weighed_samples_is_left_out_and_named() -> None:
    analysis = analyse(Bench(pressures=tuple(x * psi for x in (10, 20, 30, 40))).run().without("permeate", 45, 80))

    assert analysis.validity is Validity.INVALID
    assert "plateau 2 at 20.0 psi was left out: permeate has no usable samples" in analysis.reasons
    assert len(analysis.tables["plateaus"]) == 3
    assert analysis.results[0].value == pytest.approx(EXAMPLE_V, rel=1e-3)


def test_a_plateau_outside_every_transducers_range_is_invalid() -> None:
    run = Bench(pressures=(10 * psi, 20 * psi, 30 * psi)).run()
    narrow = tuple(replace(channel, high=25 * psi) if channel.name == "feed" else channel for channel in CHANNELS)

    analysis = analyse(run.with_header(replace(run.header, channels=narrow)))

    assert "plateau 3 at 30.0 psi: feed was outside its calibrated range 0 psi to 25.00 psi" in analysis.reasons


def test_a_membrane_that_lets_nothing_through_is_indicative_with_its_detection_limit() -> None:
    analysis = analyse(Bench(p=1e-16, errors=NOISY).run())

    assert "cannot be told from none" in _reasons(analysis)
    assert abs(analysis.results[0].value) < analysis.results[0].U


def test_buoyancy_is_corrected_where_the_air_is_known_and_uncertain_where_it_is_not() -> None:
    """In air of 1.2 kg/m³ water weighs 0.105 % less than it is."""
    run = Bench().run()
    vacuum = analyse(run).results[0]

    def with_setup(**changes: float) -> MemoryRun:
        setup = {key: value for key, value in run.header.setup.items() if key != "air_density"}
        return run.with_header(replace(run.header, setup={**setup, **changes}))

    air, unknown = analyse(with_setup(air_density=1.2)).results[0], analyse(with_setup()).results[0]

    assert air.value / vacuum.value == pytest.approx(1.00105, abs=1e-5)
    assert unknown.value == pytest.approx(vacuum.value)
    assert unknown.u > vacuum.u


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"roles": {}}, "roles membrane_pressure or feed_pressure"),
        ({"roles": {"feed_pressure": "feed", "permeate_mass": "permeate"}}, "water_temperature"),
        ({"roles": {"feed_pressure": "nowhere"}}, "no such channel"),
        ({"setup": {"head": "high"}}, "gives head as 'high'"),
        ({"setup": {"evaporation": math.nan}}, "evaporation"),
    ],
)
def test_a_header_that_lacks_what_is_needed_is_an_error_that_names_it(
    change: dict[str, dict[str, str]], words: str
) -> None:
    run = Bench().run()
    header = replace(run.header, roles=change.get("roles", run.header.roles), setup=change.get("setup", {}))

    with pytest.raises(AnalysisError, match=words):
        analyse(run.with_header(header))


def test_an_impossible_diameter_is_an_error_that_names_it() -> None:
    run = Bench().run()
    header = replace(run.header, mounting=replace(run.header.mounting, exposed_diameter=0.0 * mm))

    with pytest.raises(AnalysisError, match="exposed diameter"):
        analyse(run.with_header(header))


def test_a_run_without_plateaus_is_an_error_in_words() -> None:
    run = Bench().run()

    with pytest.raises(AnalysisError, match="no plateau was marked"):
        analyse(run.with_spans(*run.spans("zero")))


def test_a_channel_that_was_not_recorded_is_an_analysis_error() -> None:
    run = Bench().run()
    lost = replace(run, values={name: values for name, values in run.values.items() if name != "permeate"})

    with pytest.raises(AnalysisError, match="permeate cannot be read"):
        analyse(lost)


@settings(max_examples=60)
@given(
    rate=st.sampled_from([0.1, 0.5, 1.0, 10.0]),
    seconds=st.sampled_from([1.0, 5.0, 30.0]),
    gaps=st.lists(
        st.tuples(st.sampled_from(["feed", "permeate", "water"]), st.floats(0, 120), st.floats(0, 60)), max_size=4
    ),
    level=st.sampled_from([0.0, 1e-12, 1.0, 1e3, -1.0]),
)
def test_whatever_is_missing_the_answer_is_an_analysis_or_an_analysis_error(
    rate: float, seconds: float, gaps: list[tuple[str, float, float]], level: float
) -> None:
    run = Bench(p=level * EXAMPLE_V, rate=rate, seconds=seconds, errors=NOISY).run()
    for channel, start, length in gaps:
        run = run.without(channel, start, start + length)

    try:
        analysis = analyse(run)
    except AnalysisError:
        pass
    else:
        assert math.isfinite(analysis.results[0].value)
        assert math.isfinite(analysis.results[0].U)
        assert (analysis.validity is Validity.VALID) == (not analysis.reasons)


def test_samples_that_say_open_loop_are_no_samples() -> None:
    run = Bench().run()
    flags = np.full(len(run.times), Quality.OPEN_LOOP, np.uint8)
    broken = replace(
        run,
        values={**run.values, "feed": np.full(len(run.times), np.nan)},
        quality={**run.quality, "feed": flags},
    )

    with pytest.raises(AnalysisError, match="no usable samples"):
        analyse(broken)


def test_the_interval_of_whole_runs_holds_the_truth_as_often_as_it_says() -> None:
    """150 rigs with sensors drawn about their calibrations, compaction up to 0.1 %/psi and all noise."""
    rng = np.random.default_rng(12)
    within, relative, valid = [], [], 0
    for seed in range(150):
        errors = Errors(
            gain=1e-3 * rng.normal(),
            zero=0.03 * psi * rng.normal(),
            thermometer=0.1 * rng.normal(),
            diameter=0.05 * mm * rng.normal(),
            noise=1.0,
        )
        bench = Bench(
            p=float(10 ** rng.uniform(math.log10(0.3), 1)) * cm_per_min_per_psi,
            temperature=celsius(rng.uniform(18, 26)),
            compaction=1e-3 / psi * rng.uniform(),
            errors=errors,
            seed=seed,
        )
        analysis = analyse(bench.run())
        p25 = analysis.results[0]
        within.append(abs(p25.value - bench.true_p()) / p25.U)
        relative.append(p25.U / p25.value)
        valid += analysis.validity is Validity.VALID

    assert np.mean(np.array(within) <= 1) >= 0.90
    assert max(within) <= 2
    assert np.median(relative) < 0.015
    assert valid >= 0.95 * 150


def test_the_budget_follows_the_calibration_of_the_channel() -> None:
    run = Bench(blank_a=0.0).run()
    coarse = tuple(
        replace(channel, calibration=Calibration((0.0, 1.0), 0.01)) if channel.name == "feed" else channel
        for channel in CHANNELS
    )

    p25 = analyse(run.with_header(replace(run.header, channels=coarse))).results[0]

    assert p25.budget[0].source == "gain of feed"
    assert p25.budget[0].contribution / p25.value == pytest.approx(0.01, rel=1e-3)
