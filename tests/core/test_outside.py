"""Files from outside: any text is a document or one clear error."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from labrig.errors import ConfigError
from labrig.outside import LARGEST, read_toml, validate
from labrig.quantities import Pressure
from labrig.units import psi


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid")
    limit: Pressure


@pytest.mark.fault("INP-01")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(
    st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
)
def test_any_file_is_a_document_or_a_config_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "some.toml"
    path.write_bytes(content)
    with contextlib.suppress(ConfigError):
        document, _ = read_toml(path)
        assert isinstance(document, dict)


@pytest.mark.fault("INP-02")
def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.toml"
    path.write_bytes(b"a" * (LARGEST + 1))

    with pytest.raises(ConfigError, match="a file of at most 1000000 bytes"):
        read_toml(path)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            {"limit": "10 mm"},
            "rig.toml: top.limit: expected a pressure such as '10 psi'; '10 mm' is a length, found '10",
        ),
        ({"limit": 10}, "rig.toml: top.limit: expected a pressure with its unit, such as '10 psi', not 10, found 10"),
        ({}, "rig.toml: top.limit: expected a value, found nothing"),
        ({"limit": "1 psi", "limt": 1}, "rig.toml: top.limt: expected no such key, found 1"),
    ],
)
def test_errors_name_file_key_expected_and_found(table: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        validate(Table, table, "rig.toml", "top")

    assert str(caught.value).startswith(message)


def test_further_faults_stand_as_notes() -> None:
    with pytest.raises(ConfigError) as caught:
        validate(Table, {"limit": "1 mm", "other": 1}, "rig.toml")

    assert len(caught.value.__notes__) == 1


@pytest.mark.parametrize(
    ("text", "expected"), [("95 psi", "expected at most 90.00 psi"), ("7 bar", "expected at most 6.205 bar")]
)
def test_a_limit_is_told_in_the_unit_that_was_written(text: str, expected: str) -> None:
    class Limited(BaseModel):
        limit: Annotated[Pressure, Field(le=90 * psi)]

    with pytest.raises(ConfigError, match=expected):
        validate(Limited, {"limit": text}, "rig.toml")
