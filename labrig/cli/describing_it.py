"""``labrig describe``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from rich.console import Console
from rich.table import Table

from labrig import plugins
from labrig.cli.ordering import data_folder
from labrig.describing import form_schema
from labrig.methods import FOLDER, find_method, load_method
from labrig.protocol import Method, make
from labrig.units import unit


def describe(name: str, data: Path | None, *, as_json: bool) -> int:
    """Print what a method or protocol is."""
    method, schema = _found(name, data)
    if as_json:
        print(json.dumps(_document(method, schema), indent=2, ensure_ascii=False))
        return 0
    console = Console(highlight=False)
    console.print(f"[bold]{method.protocol.title}[/bold]  {method.name} {method.version}".rstrip())
    for words in (schema.get("description", ""), method.description):
        if words:
            console.print(words, markup=False)
    console.print(f"Protocol: {method.protocol_name}", markup=False, soft_wrap=True)
    console.print(f"Needs: {', '.join(method.protocol.needs)}", markup=False)
    if method.protocol.skipped:
        console.print(f"Leaves out: {', '.join(method.protocol.skipped)}", markup=False)
    console.print("Somebody must watch its runs." if method.attended else "Nobody needs to watch its runs.")
    console.print(_parameters(method, schema))
    return 0


def _found(name: str, data: Path | None) -> tuple[Method, dict[str, Any]]:
    """A method, or a protocol with its defaults, and the schema of what a run may change."""
    if name in plugins.names(plugins.PROTOCOLS):
        method = Method(name, "", name, make(name, {}, name))
        return method, TypeAdapter(type(method.protocol)).json_schema()
    named = find_method(name, (data_folder(data) / FOLDER,))
    method = load_method(named)
    return method, form_schema(named, method)


def _document(method: Method, schema: dict[str, Any]) -> dict[str, Any]:
    facts = method.facts
    return {
        "name": facts.name,
        "version": facts.version,
        "protocol": facts.protocol,
        "title": facts.title,
        "description": method.description,
        "needs": list(facts.needs),
        "skipped": list(facts.skipped),
        "attended": facts.attended,
        "parameters": facts.parameters,
        "schema": schema,
    }


def _parameters(method: Method, schema: dict[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for head in ("parameter", "value", "limits", "is"):
        table.add_column(head, overflow="fold", no_wrap=head in {"parameter", "limits"})
    for name, value in method.facts.parameters.items():
        about: dict[str, Any] | None = schema.get("properties", {}).get(name)
        shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        limits = "fixed" if about is None else _limits(about.get("items", about))
        table.add_row(name, shown, limits, (about or {}).get("description", ""))
    return table


def _limits(about: dict[str, Any]) -> str:
    """Such as ``0.1 to 150 psi``, ``at least 5 s``, or the choices."""
    if "enum" in about:
        return ", ".join(map(str, about["enum"]))
    if "x-unit" not in about:
        low, high = about.get("minimum"), about.get("maximum")
        return f"{low} to {high}" if low is not None and high is not None else ""
    low, high = (_shown(about, key) for key in ("x-low", "x-high"))
    if low and high:
        return f"{low} to {high}"
    return f"at least {low}" if low else f"at most {high}" if high else ""


def _shown(about: dict[str, Any], key: str) -> str:
    if key not in about:
        return ""
    shown_in = unit(about["x-unit"])
    return f"{shown_in.from_si(about[key]):.6g} {shown_in.symbol}".rstrip()
