"""What a rig file must say of each output: what makes it safe when labrig is dead."""

from __future__ import annotations

from pathlib import Path

import pytest

from labrig.config import find_rig, load_rig, shipped_rigs
from labrig.errors import ConfigError

TEXT = find_rig("bench-25").read_text(encoding="utf-8")


def loaded(tmp_path: Path, text: str) -> None:
    assert text != TEXT
    path = tmp_path / "rig.toml"
    path.write_text(text, encoding="utf-8")
    load_rig(path)


@pytest.mark.parametrize("name", shipped_rigs())
def test_shipped_rigs_have_every_output_behind_a_watchdog(name: str) -> None:
    config = load_rig(find_rig(name))

    assert len(config.outputs) == 4
    assert any(instrument.kind == "ni-watchdog" for instrument in config.instruments)


@pytest.mark.fault("DEV-14")
def test_an_output_that_nothing_guards_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"rig.toml: safety.in_series_with.feed_valve: expected feed_valve .*line0.*found 'neither'"
    ):
        loaded(tmp_path, TEXT.replace('"cDAQ1Mod3/port0/line0" = "low", ', ""))


def test_an_output_in_series_with_a_guarded_one_will_do(tmp_path: Path) -> None:
    unguarded = TEXT.replace(', "cDAQ1Mod3/port0/line2" = "low"', "")
    loaded(tmp_path, unguarded.replace("[roles]", '[safety]\nin_series_with.drain_valve = "feed_valve"\n\n[roles]'))
    with pytest.raises(ConfigError, match=r"found 'pressure_setpoint'"):
        loaded(
            tmp_path,
            unguarded.replace('outputs = { "cDAQ1Mod4/ao0" = "0 V" }', "").replace(
                "[roles]",
                '[safety]\nin_series_with.drain_valve = "pressure_setpoint"\n'
                'in_series_with.pressure_setpoint = "feed_valve"\n\n[roles]',
            ),
        )


def test_a_harmless_output_needs_no_guard(tmp_path: Path) -> None:
    unguarded = TEXT.replace(', "cDAQ1Mod3/port0/line2" = "low"', "")
    loaded(tmp_path, unguarded.replace("[roles]", '[safety]\nharmless = ["drain_valve"]\n\n[roles]'))


def test_a_watchdog_must_bring_an_output_to_its_own_safe_state(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"instruments.watchdog: expected low for .*line1, the safe .*vent_valve"):
        loaded(tmp_path, TEXT.replace('"cDAQ1Mod3/port0/line1" = "low"', '"cDAQ1Mod3/port0/line1" = "high"'))
    with pytest.raises(ConfigError, match=r"expected 0 V for cDAQ1Mod4/ao0, .*found '2 V'"):
        loaded(tmp_path, TEXT.replace('"cDAQ1Mod4/ao0" = "0 V"', '"cDAQ1Mod4/ao0" = "2 V"'))


@pytest.mark.parametrize(
    ("statement", "named"), [('in_series_with.lamp = "feed_valve"', "lamp"), ('harmless = ["fan"]', "fan")]
)
def test_a_statement_on_an_output_that_is_not_there_is_refused(tmp_path: Path, statement: str, named: str) -> None:
    with pytest.raises(ConfigError, match=f"an output of this rig: feed_valve.*found '{named}'"):
        loaded(tmp_path, TEXT.replace("[roles]", f"[safety]\n{statement}\n\n[roles]"))
