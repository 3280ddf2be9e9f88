"""A child process that imports protocols, so that neither server nor desktop has to.

It says what methods are and what an order would do: one JSON request on standard input, one JSON answer on standard
output.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from labrig.config import RigConfig, load_rig
from labrig.errors import LabrigError
from labrig.header import Order
from labrig.methods import load_method, shipped_methods
from labrig.model import Coupon, Outcome
from labrig.outside import read_toml
from labrig.plant import load_membrane
from labrig.protocol import Method


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
        "parameter_schema": TypeAdapter(type(method.protocol)).json_schema(),
    }


def order(request: dict[str, Any]) -> dict[str, Any]:
    """An order's facts, and its schedule by rehearsal where the rig has a twin."""
    method = load_method(_method(request["method"], request.get("folders", ())), request["changes"])
    config = load_rig(Path(request["rig_file"]))
    return {"facts": asdict(method.facts), **_rehearsed(method, config, request["membrane"])}


def _method(name: str, folders: Iterable[str]) -> str:
    """The file of a method that is known by its name alone; else the name, which is that of a shipped one or a file."""
    if name in shipped_methods() or name.endswith(".toml"):
        return name
    files = (path for folder in folders for path in sorted(Path(folder).glob("*.toml")))
    return next((str(path) for path in files if read_toml(path)[0].get("name") == name), name)


def _rehearsed(method: Method, config: RigConfig, membrane: str) -> dict[str, Any]:
    if not config.simulated:
        return {"seconds": 0.0, "schedule": [], "rehearsal": ""}
    from labrig.rehearsal import rehearse

    asked = Order(method.facts, Coupon("rehearsal"), "rehearsal")
    done = rehearse(method.protocol, asked, config, load_membrane(membrane or config.default_membrane), seed=0)
    return {
        "seconds": done.schedule.total,
        "schedule": [{"path": path, "at": at} for path, at in done.schedule.steps],
        "rehearsal": "" if done.outcome is Outcome.COMPLETED else f"{done.outcome.value}: {done.reason}",
    }


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
