"""A child process that imports protocols, so that neither server nor desktop has to.

It says what methods are and what an order would do: one JSON request on standard input, one JSON answer on standard
output.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pydantic import TypeAdapter

from labrig.clock import SECOND
from labrig.config import RigConfig, load_rig
from labrig.errors import LabrigError
from labrig.header import Order
from labrig.methods import bounds_of, find_method, load_method, read_method, shipped_methods
from labrig.model import Coupon, Outcome, Series
from labrig.plant import load_membrane
from labrig.protocol import Method
from labrig.units import minute

if TYPE_CHECKING:
    from labrig.rehearsal import Rehearsal

DRAWN: Final = ("feed_pressure", "permeate_flow", "permeate_mass")
"""Roles whose channels a screen draws of a rehearsal."""
POINTS: Final = 150
WATER: Final = 998.0
"""kg/m³ at 21 °C."""


def methods(folders: list[str]) -> list[dict[str, Any]]:
    """Every shipped method, and every one that lies in these folders, with what a form is made from."""
    names = [*shipped_methods(), *(str(path) for folder in folders for path in sorted(Path(folder).glob("*.toml")))]
    return [_described(name) for name in names]


def _described(name: str) -> dict[str, Any]:
    method = load_method(name)
    facts = method.facts
    return {
        "name": facts.name,
        "version": facts.version,
        "protocol": facts.protocol,
        "title": facts.title,
        "description": method.description,
        "attended": facts.attended,
        "parameters": facts.parameters,
        "parameter_schema": form_schema(name, method),
    }


def form_schema(name: str, method: Method) -> dict[str, Any]:
    """JSON Schema of the parameters that a run of this method may change, within the method's own limits."""
    schema = TypeAdapter(type(method.protocol)).json_schema()
    path = shipped_methods().get(name, Path(name))
    if path.suffix != ".toml":
        return schema
    bounds = bounds_of(read_method(path), path)
    for parameter, (low, high, _) in bounds.ranges.items():
        about = schema["properties"][parameter]
        about.get("items", about).update({"x-low": low, "x-high": high})
    for parameter in bounds.fixed:
        del schema["properties"][parameter]
    return schema


def order(request: dict[str, Any]) -> dict[str, Any]:
    """An order's facts, and its schedule by rehearsal where the rig has a twin."""
    method = load_method(find_method(request["method"], map(Path, request.get("folders", ()))), request["changes"])
    config = load_rig(Path(request["rig_file"]))
    return {"facts": asdict(method.facts), **_rehearsed(method, config, request["membrane"])}


def _rehearsed(method: Method, config: RigConfig, membrane: str) -> dict[str, Any]:
    if not config.simulated:
        return {"seconds": 0.0, "lasting": "", "schedule": [], "rehearsal": "", "foretold": None}
    from labrig.rehearsal import rehearse

    asked = Order(method.facts, Coupon("rehearsal"), "rehearsal")
    done = rehearse(method.protocol, asked, config, load_membrane(membrane or config.default_membrane), seed=0)
    return {
        "seconds": done.schedule.total,
        "lasting": _lasting(done.schedule.total),
        "schedule": [{"path": path, "at": at} for path, at in done.schedule.steps],
        "rehearsal": "" if done.outcome is Outcome.COMPLETED else f"{done.outcome.value}: {done.reason}",
        "foretold": _foretold(done, config),
    }


def _foretold(done: Rehearsal, config: RigConfig) -> dict[str, Any]:
    """Curves of what people look at, thinned; NaN where nothing was measured."""
    known = [config.file.roles[role] for role in DRAWN if role in config.file.roles]
    series = {name: done.run.series(name) for name in known}
    feed = series.get(config.file.roles.get("feed_pressure", ""))
    highest = float(np.nanmax(feed.values)) if feed is not None and np.isfinite(feed.values).any() else 0.0
    return {
        "curves": [_curve(name, one) for name, one in series.items() if len(one.times)],
        "water": done.plant.truth()["delivered_mass"] / WATER,
        "highest": highest,
    }


def _curve(name: str, series: Series) -> dict[str, Any]:
    """Of each of `POINTS` stretches the lowest and the highest sample, in the order of time."""
    stretches = np.array_split(np.arange(len(series.times)), min(POINTS, len(series.times)))
    filled = np.nan_to_num(series.values, nan=0.0)
    places = sorted({int(one[pick(filled[one])]) for one in stretches for pick in (np.argmin, np.argmax)})
    return {
        "channel": name,
        "times": (series.times[places] / SECOND).tolist(),
        "values": series.values[places].tolist(),
    }


def _lasting(seconds: float) -> str:
    return f"{seconds / minute:.0f} min" if seconds >= 3 * minute else f"{seconds:.0f} s"


def coupon(request: dict[str, Any]) -> dict[str, Any]:
    """What the catalogue says of an ordered coupon."""
    from labrig.catalogue.ordering import ordered_specimen

    return asdict(ordered_specimen(Path(request["data"]), Coupon(request["coupon"], lot=request["lot"])))


ANSWERS: Final[Mapping[str, Callable[[dict[str, Any]], Any]]] = {
    "methods": lambda request: methods(request["folders"]),
    "order": order,
    "coupon": coupon,
}


def main() -> None:
    """Answer one request."""
    request = json.load(sys.stdin)
    try:
        with redirect_stdout(sys.stderr):  # what a protocol prints is no part of the answer
            answer = ANSWERS[request["what"]](request)
        document: dict[str, Any] = {"answer": answer}
    except LabrigError as error:
        document = {"error": "\n".join([str(error), *getattr(error, "__notes__", ())])}
    print(json.dumps(document))  # noqa: T201 - the answer


if __name__ == "__main__":
    main()
