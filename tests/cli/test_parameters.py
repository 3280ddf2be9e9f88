"""Parameters that no run can have are refused before anything is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from labrig.errors import ConfigError
from labrig.methods import load_method


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("zero", "-5 s"),
        ("window", "0 s"),
        ("patience", "0 s"),
        ("settle", "-1 s"),
        ("drift", "-1 %"),
        ("slope_error", "0 %"),
        ("collected", "-1 g"),
        ("pressures", ["0 psi", "20 psi"]),
        ("pressures", ["-10 psi", "20 psi"]),
    ],
)
def test_a_parameter_that_no_plateau_can_meet_is_refused_by_its_name(name: str, value: str | list[str]) -> None:
    with pytest.raises(ConfigError, match=name):
        load_method("quick-permeability", {name: value})


def test_a_method_must_allow_its_protocol_some_silence(tmp_path: Path) -> None:
    """With none, the guardian would end each run at its first look."""
    method = tmp_path / "q.toml"
    method.write_text('name = "q"\nversion = "1"\nprotocol = "water-permeability"\nsilence = "0 s"\n', encoding="utf-8")

    with pytest.raises(ConfigError, match="silence"):
        load_method(str(method))
