"""Instruments and protocols by entry point, ours and other people's alike; imported only when asked for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, create_model

from labrig.errors import LabrigError

INSTRUMENTS = "labrig.instruments"
PROTOCOLS = "labrig.protocols"
SIMULATORS = "labrig.simulators"
FACES = "labrig.faces"
"""Simulated devices on serial lines, by the name that a rig file's ``[simulation.devices]`` gives their kind."""


class PluginError(LabrigError):
    """An entry point that is missing, or that cannot be loaded."""


def names(group: str) -> tuple[str, ...]:
    """What is installed in a group, sorted."""
    return tuple(sorted(point.name for point in entry_points(group=group)))


def load(group: str, name: str) -> Any:  # noqa: ANN401 - an entry point may be anything; the caller knows its group
    """The object behind an entry point; raises `PluginError` in words."""
    points = tuple(entry_points(group=group, name=name))
    if not points:
        known = ", ".join(names(group)) or "none"
        raise PluginError(f"no {_noun(group)} is called {name!r}; installed are: {known}")
    if len(points) > 1:
        raise PluginError(f"{name!r} is provided twice, by {_owners(points)}; uninstall one of them")
    try:
        return points[0].load()
    except (ImportError, AttributeError) as error:
        raise PluginError(f"the {_noun(group)} {name!r} of {_owners(points)} cannot be loaded: {error}") from error


@cache
def options_of(driver: Callable[..., object]) -> type[BaseModel]:
    """The rig-file keys of a driver: its constructor's keyword-only parameters as a pydantic model."""
    hints = get_type_hints(driver.__init__, include_extras=True)
    fields: dict[str, Any] = {
        parameter.name: (
            hints[parameter.name],
            ... if parameter.default is inspect.Parameter.empty else parameter.default,
        )
        for parameter in inspect.signature(driver).parameters.values()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }
    name = getattr(driver, "__name__", "Driver")
    return create_model(f"{name}Options", __config__=ConfigDict(extra="forbid", frozen=True), **fields)


def keywords(options: BaseModel) -> Mapping[str, Any]:
    """The validated options as keyword arguments, nested models kept as models."""
    return {name: getattr(options, name) for name in type(options).model_fields}


def _owners(points: tuple[EntryPoint, ...]) -> str:
    return " and ".join(point.dist.name if point.dist else point.value for point in points)


def _noun(group: str) -> str:
    return group.rpartition(".")[2].removesuffix("s")
