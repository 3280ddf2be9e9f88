"""The small pure rules behind what is shown: ranges, the live estimate, words, tiles."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtWidgets import QApplication

from labrig.clock import SECOND
from labrig.model import Span
from labrig.units import cm_per_min_per_psi, mL_per_min, psi, unit
from labrig.wire.documents import RunPaper, StepPaper
from labrig_ui import tiles as tiles_module
from labrig_ui import words
from labrig_ui.app import Desktop
from labrig_ui.bins import Bins
from labrig_ui.channels import ESTIMATE, plots, shown, tiles
from labrig_ui.estimate import disc_area, flow_by_balance, permeability, steady
from labrig_ui.ladder import ladder_of
from labrig_ui.live import PERMEABILITY
from labrig_ui.main_window import LIVE
from labrig_ui.plots import stack
from labrig_ui.ranges import Range, around, moved, round_up, stretched
from labrig_ui.screens import pixels, scale_for
from labrig_ui.steps import steps_of
from labrig_ui.theme import LIGHT
from labrig_ui.tiles import Digits
from tests.ui.conftest import Until
from tests.ui.fake import DESCRIPTION, FakeRig

FINITE = st.floats(-1e6, 1e6, allow_nan=False)


@given(st.lists(FINITE, min_size=1, max_size=30))
def test_a_range_holds_all_that_it_has_seen_and_never_shrinks(values: list[float]) -> None:
    span = around(values[0], values[0])
    for value in values:
        before = span
        span = span.grown(value, value)
        assert before.low >= span.low
        assert before.high <= span.high

    assert all(span.holds(value, value) for value in values)


def test_a_range_does_not_move_while_the_data_stay_inside() -> None:
    span = around(0.0, 9.0)

    assert span == Range(0.0, 10.0)
    assert span.grown(0.1, 9.9) is span
    assert span.grown(0.0, 10.4) == Range(0.0, 15.0)


@pytest.mark.parametrize(("value", "expected"), [(1.0, 1.0), (1.2, 1.5), (42.0, 50.0), (0.07, 0.08), (0.0, 0.0)])
def test_ranges_end_on_round_numbers(value: float, expected: float) -> None:
    assert round_up(value) == pytest.approx(expected)


def test_the_time_axis_takes_a_wide_step_and_then_stands() -> None:
    shown_seconds = stretched(60.0, 61.0)

    assert shown_seconds == 90.0
    assert stretched(shown_seconds, 89.0) == shown_seconds


def test_a_moving_stretch_takes_whole_steps_and_always_holds_its_end() -> None:
    assert moved(0.2, 60.2, 1.0) == pytest.approx((1.0, 61.0))
    assert moved(0.9, 60.9, 1.0) == pytest.approx((1.0, 61.0))
    assert moved(1.0, 61.0, 1.0) == pytest.approx((1.0, 61.0))


def test_the_estimate_is_flow_over_area_over_pressure() -> None:
    """131.6 mL/min through 25 mm at 10 psi: 131.6 / 4.909 cm² / 10 psi = 2.681 cm/min/psi, by hand."""
    flow, pressure = np.array([131.6 * mL_per_min]), np.array([10 * psi])

    found = permeability(flow, pressure, disc_area(0.025))

    assert found[0] / cm_per_min_per_psi == pytest.approx(2.681, rel=1e-3)


def test_without_pressure_there_is_no_estimate() -> None:
    assert np.isnan(permeability(np.array([1e-6]), np.array([100.0]), 1e-4)[0])


def test_the_slope_of_the_balance_gives_the_flow() -> None:
    """One gram of water a second is 60.18 mL/min at 25 °C."""
    times = np.arange(0, 60 * SECOND, SECOND // 10)
    grams = times / SECOND * 1e-3
    mass = Bins(times, grams, grams, grams)

    flow = flow_by_balance(mass, np.array([5 * SECOND, 30 * SECOND]))

    assert np.isnan(flow[0])
    assert flow[1] / mL_per_min == pytest.approx(60.18, rel=1e-3)


def test_while_the_pressure_moves_there_is_no_estimate() -> None:
    times = np.arange(0, 20 * SECOND, SECOND)
    pressure = np.where(times < 10 * SECOND, 10 * psi, 20 * psi)

    held = steady(Bins(times, pressure, pressure, pressure))

    assert held[8]
    assert not held[10]
    assert held[15]


@pytest.mark.parametrize(
    ("seconds", "said"), [(45, "45 s"), (725, "12 min 5 s"), (12_000, "3 h 20 min"), (math.nan, "–"), (-3, "0 s")]
)
def test_durations_are_read_at_a_glance(seconds: float, said: str) -> None:
    assert words.duration(seconds) == said


def test_a_result_is_written_to_two_digits_of_its_uncertainty() -> None:
    assert words.result_text({"value": 3.89097, "U": 0.063614, "unit": "cm/min/psi"}) == "3.891 ± 0.064 cm/min/psi"
    assert words.result_text({"value": 33860.256, "U": 553.58, "unit": "L/m²/h/bar"}) == "33860 ± 554 L/m²/h/bar"


def a_run(**changes: object) -> RunPaper:
    schedule = (StepPaper(path="Zero", at=0.0), StepPaper(path="10 psi", at=7.0), StepPaper(path="20 psi", at=19.0))
    facts: dict[str, object] = {
        **{"run": "r", "file": "f", "method": "m 1", "protocol": "p", "coupon": "c", "lot": "", "operator": "o"},
        **{"orientation": "skin-up", "attended": True, "started_utc": "2026-05-04T09:30:00+00:00", "started": SECOND},
        **{"schedule": schedule, "seconds": 40.0, "step": "10 psi", "step_entered": 10 * SECOND},
    }
    return RunPaper.model_validate(facts | changes)


def test_time_left_follows_the_step_and_not_the_clock() -> None:
    """The step was reached late: what is left of the schedule is left all the same."""
    assert words.seconds_left(a_run(), 12 * SECOND) == pytest.approx(31.0)
    assert words.seconds_left(a_run(), 500 * SECOND) == 0.0
    assert math.isnan(words.seconds_left(a_run(seconds=0.0), 12 * SECOND))


def test_the_time_of_a_hold_is_still_to_come() -> None:
    """Two seconds of the step are over: five since it was entered, of which it was held for three."""
    assert words.seconds_left(a_run(step_held=3.0), 15 * SECOND) == pytest.approx(31.0)


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("gain of feed_pressure", "gain of feed pressure"),
        ("gain of p_module_3", "gain of module 3"),
        ("zero of no_label", "zero of no label"),
        ("mass flow, plateau 10 psi", "mass flow, plateau 10 psi"),
    ],
)
def test_a_budget_names_channels_as_they_are_labelled(said: str, written: str) -> None:
    assert words.labelled(said, {"feed_pressure": "Feed pressure", "p_module_3": "Module 3"}) == written


@pytest.mark.parametrize(
    ("dpi", "width", "height", "scale"),
    [
        (92.0, 1920, 1080, 1.0),  # 24 inch
        (96.0, 1280, 800, 1.0),
        (163.0, 3840, 2160, 1.74),  # 27 inch, 4K
        (96.0, 3840, 2160, 1.34),  # 46 inch, 4K: further away
        (170.0, 1920, 1200, 1.5),  # 13 inch: at 1.77 the pages would not fit
    ],
)
def test_text_is_as_large_as_on_a_24_inch_screen(dpi: float, width: int, height: int, scale: float) -> None:
    assert scale_for(dpi, width, height) == pytest.approx(scale, abs=0.01)


def test_steps_before_the_present_one_are_done() -> None:
    assert [step.state for step in steps_of(a_run())] == ["done", "now", "to come"]
    assert [step.state for step in steps_of(a_run(outcome="completed"))] == ["done"] * 3
    assert [step.state for step in steps_of(a_run(outcome="aborted"))] == ["done", "to come", "to come"]


def test_each_step_says_how_long_it_still_takes_or_when_it_begins() -> None:
    steps = steps_of(a_run())

    assert [step.words(9.0) for step in steps] == ["✓ Zero", "▶ 10 psi   10 s left", "· 20 psi   in 10 s"]
    assert [step.words(25.0) for step in steps][1] == "▶ 10 psi   longer than rehearsed"
    assert [step.words() for step in steps] == ["✓ Zero", "▶ 10 psi", "· 20 psi"]


def test_names_of_the_rig_file_are_written_as_people_write_them() -> None:
    two = words.readable("over_pressure: feed_pressure is high; vessel_over_pressure: it is high", ["feed_pressure"])
    assert two == "Over pressure: feed pressure is high; vessel over pressure: it is high"
    said = words.readable("over_pressure: feed_pressure is 90 psi", ["feed_pressure"])

    assert said == "Over pressure: feed pressure is 90 psi"
    assert words.readable("the file /data/my_runs is full", ["feed_pressure"]) == "The file /data/my_runs is full"


def test_a_step_that_was_not_rehearsed_is_shown_too() -> None:
    assert [step.state for step in steps_of(a_run(step="Rinse"))] == ["to come"] * 3 + ["now"]


def test_a_tile_shows_a_thousandth_of_the_range_and_no_minus_zero() -> None:
    pressure = shown(DESCRIPTION.channels[0])

    assert pressure.write(20.684 * psi) == "20.7"
    assert pressure.write(-0.004 * psi) == "0.0"
    assert pressure.write(-3 * psi) == "−3.0"
    assert pressure.write(math.nan) == "–"


def test_pressure_flow_and_permeability_get_tiles_and_plots() -> None:
    big, small = tiles(DESCRIPTION, estimate=True)

    assert [one.name for one in big] == ["feed_pressure", "permeate_flow", PERMEABILITY, "permeate_mass"]
    assert [one.name for one in small] == ["membrane_pressure", "water_temperature"]
    assert [one.name for one in plots(DESCRIPTION, estimate=True)] == ["feed_pressure", "permeate_flow", PERMEABILITY]
    assert unit(big[2].unit.symbol).dimension == "permeance"


@pytest.mark.parametrize(
    ("width", "height", "scale"), [(1920, 1080, 1.0), (3840, 2160, 1.0), (1920, 1080, 2.0)], ids=["hd", "4k", "4k at 2"]
)
def test_digits_are_20_mm_high_on_a_screen_of_24_inches(
    desktop: Desktop, rig: FakeRig, until: Until, monkeypatch: pytest.MonkeyPatch, width: int, height: int, scale: float
) -> None:
    """Such a screen is 531 mm wide, and the window fills it.

    A screen that is scaled has as many logical pixels as one of half its resolution.
    """
    per_mm = width / 531.4
    monkeypatch.setattr(tiles_module, "pixels", lambda millimetres, _: millimetres * per_mm)
    rig.pressure, rig.flow = 28.9 * psi, 388.8 * mL_per_min
    desktop.window.go(LIVE)
    desktop.window.resize(width, height)
    desktop.window.live_page.tiles.rebuild()
    big = [tile.digits for tile in desktop.window.live_page.tiles.tiles if isinstance(tile.digits, Digits)]

    until(lambda: big[1].text().startswith("388") or big[1].text().startswith("389"))

    heights = [digits.digit_height() / per_mm for digits in big[:2]]
    assert heights == pytest.approx([20.0, 20.0], abs=0.5), scale
    for digits in big[:2]:
        assert digits.fontMetrics().horizontalAdvance(digits.text()) <= digits.width()


def test_a_size_in_millimetres_is_that_of_the_screen_or_of_96_dots_an_inch(app: QApplication) -> None:
    screen = app.primaryScreen()

    assert pixels(25.4, screen) == pytest.approx(screen.physicalDotsPerInchY())
    assert pixels(25.4, None) == 96.0


def test_a_rig_with_other_roles_shows_its_first_channels() -> None:
    other = DESCRIPTION.model_copy(
        update={"channels": tuple(one.model_copy(update={"role": ""}) for one in DESCRIPTION.channels)}
    )

    assert len(tiles(other, estimate=False)[0]) == 4
    assert len(plots(other, estimate=False)) == 3


def plateau(dP: float, J: float, **more: object) -> dict[str, object]:  # noqa: N803 - the table's own names
    return {"plateau": f"at {dP:g}", "dP": dP * psi, "J ref": J / 100 / 60, "u(J ref)": 0.1 / 100 / 60, **more}


def test_a_plot_takes_bands_before_it_has_colours(app: QApplication) -> None:
    plot = stack([ESTIMATE])[0]

    plot.show_spans([Span("plateau", 0, SECOND)], 0)
    plot.paint_with(LIGHT, LIGHT.curve(0))
    plot.deleteLater()


def test_a_ladder_tells_how_far_each_plateau_stands_from_the_result() -> None:
    """With 4 cm/min/psi: 40.4 cm/min at 10 psi is one per cent above the line, its bar half of one per cent."""
    rows = [plateau(10, 40.4), plateau(20, 80.0), plateau(10, 39.6, flag="drifting")]
    found = ladder_of({"results": [{"value": 4.0, "unit": "cm/min/psi"}], "tables": {"plateaus": rows}})

    assert found is not None
    assert [rung.beyond for rung in found.rungs] == pytest.approx([1.0, 0.0, -1.0])
    assert found.rungs[0].beyond_bar == pytest.approx(0.5)
    assert [rung.up for rung in found.rungs] == [True, True, False]
    assert found.rungs[2].flag == "drifting"


@pytest.mark.parametrize(
    "analysis",
    [None, {}, {"results": [], "tables": {}}, {"results": [{"value": 1.0, "unit": "cm/min/psi"}], "tables": {}}],
)
def test_without_plateaus_there_is_no_ladder(analysis: dict[str, object] | None) -> None:
    assert ladder_of(analysis) is None
