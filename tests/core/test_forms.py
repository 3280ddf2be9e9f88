"""What a form is made from: every installed protocol says enough of its parameters."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter

from labrig import plugins
from labrig.protocol import protocol_class


@pytest.mark.parametrize("name", plugins.names(plugins.PROTOCOLS))
def test_each_parameter_of_each_protocol_has_help_and_limits(name: str) -> None:
    """What a form shows beside a field, and refuses before anything is sent."""
    properties = TypeAdapter(protocol_class(name)).json_schema()["properties"]

    for parameter, schema in properties.items():
        value = schema.get("items", schema)
        assert len(schema["description"]) > 10, parameter
        assert "with its unit" not in schema["description"], parameter
        if "x-dimension" in value:
            assert value["x-low"] < value["x-high"], parameter
