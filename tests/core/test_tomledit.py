"""A value put into a TOML text changes that value and nothing else."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig.errors import ConfigError
from labrig.tomledit import with_values

TEXT = """\
# What it is.
name = "x"

[lines]
# Kept.
flow = [
    "1 L/min",  # first
    "2 L/min",
]
loss = "3 psi"

[other]
flow = "none"
"""


def test_a_value_over_several_lines_is_replaced_and_comments_elsewhere_stay() -> None:
    edited = with_values(TEXT, "lines", {"flow": '["5 L/min"]', "u": '"1 %"'}, "a.toml")

    assert tomllib.loads(edited)["lines"] == {"flow": ["5 L/min"], "loss": "3 psi", "u": "1 %"}
    assert tomllib.loads(edited)["other"] == {"flow": "none"}
    assert "# What it is." in edited
    assert "# Kept." in edited


def test_a_table_that_is_not_there_comes_to_the_end() -> None:
    edited = with_values(TEXT, "new", {"a": "1"}, "a.toml")

    assert edited.startswith(TEXT)
    assert tomllib.loads(edited)["new"] == {"a": 1}


@pytest.mark.parametrize("text", ['lines = { flow = "1" }\n', "lines = 5\n"])
def test_a_table_that_cannot_be_edited_without_doubt_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="lines"):
        with_values(text, "lines", {"flow": '"2"'}, "a.toml")


def test_a_text_that_is_no_toml_is_refused() -> None:
    with pytest.raises(ConfigError, match="a TOML document"):
        with_values("a = = 1", "lines", {"flow": '"2"'}, "a.toml")


@given(
    keys=st.dictionaries(st.from_regex(r"[a-z]{1,4}", fullmatch=True), st.integers(-9, 9), max_size=4),
    new=st.integers(-99, 99),
    key=st.from_regex(r"[a-z]{1,4}", fullmatch=True),
)
def test_whatever_stands_in_the_table_the_others_stay(keys: dict[str, int], new: int, key: str) -> None:
    text = "[t]\n" + "".join(f"{name} = {value}  # note\n" for name, value in keys.items())

    assert tomllib.loads(with_values(text, "t", {key: str(new)}, "a.toml")) == {"t": {**keys, key: new}}
