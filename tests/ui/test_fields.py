"""Form fields come from the protocol's declaration, and what is typed is read as files are."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from labrig.methods import load_method, shipped_methods
from labrig.wire.documents import MethodPaper
from labrig_ui.fields import Field, Read, fields_of, identifier_error, read
from tests.ui.fake import METHODS

FIELDS = {field.name: field for field in fields_of(METHODS[0])}


def test_each_kind_of_parameter_becomes_its_kind_of_field() -> None:
    kinds = {name: (field.kind, field.many, field.optional) for name, field in FIELDS.items()}

    assert kinds == {
        "pressures": ("quantity", True, False),
        "zero": ("quantity", False, False),
        "repeats": ("integer", False, False),
        "purge": ("flag", False, False),
        "liquid": ("choice", False, False),
        "hold_time": ("quantity", False, True),
    }


def test_the_hint_names_unit_limits_and_count() -> None:
    assert FIELDS["pressures"].hint == "0 psi to 80 psi; 2 to 20 values, separated by commas"


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("pressures", "10 psi, 0.5 bar", ["10 psi", "0.5 bar"]),
        ("zero", " 1 min ", "1 min"),
        ("repeats", "3", 3),
        ("hold_time", "", None),
        ("liquid", "water", "water"),
    ],
)
def test_what_is_right_is_taken_as_it_was_typed(name: str, typed: str, value: object) -> None:
    found = read(FIELDS[name], typed)

    assert (found.value, found.error) == (value, "")


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("zero", "5", "Write the unit too, such as 5 s"),
        ("zero", "five seconds", "Expected a time with its unit, such as '10 s', not 'five seconds'"),
        ("zero", "5 psi", "Expected a time such as '10 s'; '5 psi' is a pressure"),
        ("zero", "", "Needed: time in s"),
        ("pressures", "10 psi", "Expected 2 to 20 values, found 1"),
        ("pressures", "10 psi, 90 psi", "Allowed: 0 psi to 80 psi"),
        ("repeats", "2.5", "Expected a whole number, not '2.5'"),
        ("repeats", "12", "Allowed: 1 to 9"),
        ("liquid", "wine", "Expected one of water, isopropanol"),
    ],
)
def test_what_is_wrong_is_said_in_words(name: str, typed: str, said: str) -> None:
    assert read(FIELDS[name], typed).error == said


def test_a_limit_itself_is_allowed_in_any_unit() -> None:
    assert read(FIELDS["pressures"], "0 psi, 80 psi").error == ""
    assert read(FIELDS["pressures"], "0 bar, 5.51580583454 bar").error == ""


def test_another_unit_is_said_in_the_parameters_own() -> None:
    assert read(FIELDS["zero"], "1 min").note == "= 60.00 s"
    assert read(FIELDS["zero"], "60 s").note == ""


@given(st.sampled_from(sorted(FIELDS)), st.text(max_size=30))
def test_any_text_is_either_a_value_or_an_error(name: str, typed: str) -> None:
    found = read(FIELDS[name], typed)

    assert found.error or found.value is not None or FIELDS[name].optional


@given(st.text(max_size=80))
def test_names_that_the_command_line_refuses_are_refused_here(typed: str) -> None:
    from labrig.cli.ordering import identifier
    from labrig.errors import ConfigError

    try:
        identifier("--coupon", typed.strip())
        refused = False
    except ConfigError:
        refused = True

    assert bool(identifier_error("the coupon", typed, needed=True)) == refused


@pytest.mark.parametrize("name", sorted(shipped_methods()))
def test_a_shipped_method_makes_a_form_whose_own_values_are_right(name: str) -> None:
    method = load_method(name)
    paper = MethodPaper(
        name=method.name,
        version=method.version,
        protocol=method.protocol_name,
        title=method.protocol.title,
        description="",
        attended=method.attended,
        parameters=dict(method.facts.parameters),
        parameter_schema=TypeAdapter(type(method.protocol)).json_schema(),
    )

    fields: dict[str, Field] = {field.name: field for field in fields_of(paper)}

    assert set(fields) == set(method.facts.parameters)
    assert {name: read(field, field.given).error for name, field in fields.items()} == dict.fromkeys(fields, "")


def test_a_list_that_may_have_no_values_may_be_left_empty() -> None:
    assert read(replace(FIELDS["pressures"], least=0), "") == Read([])
