"""``labrig methods``: what methods there are, two side by side, and a new one as a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from rich.console import Console
from rich.table import Table

from labrig.cli.ordering import data_folder, parameters
from labrig.errors import ConfigError, LabrigError, RecordingError
from labrig.methods import FOLDER, MethodFile, find_method, load_method, method_of, read_method, shipped_methods
from labrig.outside import validate
from labrig.protocol import in_file, make


@dataclass(frozen=True, slots=True)
class New:
    """A method as it was asked for on the command line."""

    protocol: str
    name: str
    version: str
    description: str
    values: tuple[str, ...]
    """``NAME=VALUE``."""
    limits: tuple[str, ...]
    """``NAME=LOW..HIGH``."""
    fixed: tuple[str, ...]
    silence: str
    attended: bool


def list_methods(data: Path | None, *, as_json: bool) -> int:
    """Print every method; one whose file is at fault is named, and then the code is 1."""
    found, failed = list[tuple[MethodFile, Path]](), list[str]()
    folder = data_folder(data) / FOLDER
    for path in (*shipped_methods().values(), *sorted(folder.glob("*.toml"))):
        try:
            load_method(str(path))
            found.append((read_method(path), path))
        except LabrigError as error:
            failed.append(str(error))
    if as_json:
        print(json.dumps({"methods": [_document(*one) for one in found], "failed": failed}, indent=2))
        return 1 if failed else 0
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for head in ("method", "version", "protocol", "description"):
        table.add_column(head, overflow="fold")
    for file, _ in found:
        table.add_row(file.name, file.version, file.protocol, file.description)
    console = Console(highlight=False)
    console.print(table)
    for words in failed:
        console.print(f"[bold red]cannot be used:[/bold red] {words}", soft_wrap=True)
    return 1 if failed else 0


def show_method(name: str, data: Path | None, *, as_json: bool) -> int:
    """Print a method's file."""
    path = _path(name, data)
    load_method(str(path))
    if as_json:
        print(json.dumps(_document(read_method(path), path), indent=2, ensure_ascii=False))
    else:
        print(f"# {path}")
        print(path.read_text(encoding="utf-8"), end="")
    return 0


def compare_methods(one: str, other: str, data: Path | None, *, as_json: bool) -> int:
    """Print two methods side by side, defaults of their protocols included."""
    paths = [_path(name, data) for name in (one, other)]
    left, right = (_facts(path) for path in paths)
    rows = {key: (left.get(key, ""), right.get(key, "")) for key in dict.fromkeys((*left, *right))}
    if as_json:
        document = {key: {"values": pair, "differs": pair[0] != pair[1]} for key, pair in rows.items()}
        print(json.dumps(document, indent=2, ensure_ascii=False))
        return 0
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for head in ("", "", *(read_method(path).name for path in paths)):
        table.add_column(head, overflow="fold")
    for key, (first, second) in rows.items():
        table.add_row("*" if first != second else "", key, first, second)
    Console(highlight=False).print(table)
    return 0


def make_method(new: New, file: Path | None, data: Path | None, *, replace: bool, as_json: bool) -> int:
    """Write the method, if labrig can use it. Raises `ConfigError`, and then nothing was written."""
    target = file or data_folder(data) / FOLDER / f"{new.name}.toml"
    document = _written(new, target)
    made = validate(MethodFile, document, target)
    method_of(made, target)
    _not_in_the_way(target, made, replace=replace)
    part = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(as_toml(document), encoding="utf-8")
        if read_method(part) != made:
            raise ConfigError(target, "", "what TOML can hold", "another value after it was written")
        part.replace(target)
    except OSError as error:
        raise RecordingError(f"{target}: the method could not be written ({error.strerror or error})") from error
    finally:
        part.unlink(missing_ok=True)
    if as_json:
        print(json.dumps(_document(made, target), indent=2, ensure_ascii=False))
    else:
        print(f"{target}\nTry it: labrig rehearse --rig RIG --method {target if file else new.name}")
    return 0


def as_toml(document: Mapping[str, Any]) -> str:
    """Keys, then tables of keys; a JSON text, number or list of texts is the same in TOML."""
    lines = [f"{key} = {_value(value)}" for key, value in document.items() if not isinstance(value, dict)]
    for name, table in document.items():
        if isinstance(table, dict) and table:
            lines += ["", f"[{name}]", *(f"{key} = {_value(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


def _value(value: object) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _written(new: New, target: Path) -> dict[str, Any]:
    """The document; every parameter stands in it, so that a later default changes nothing."""
    protocol = _protocol(new.protocol, target)
    values = parameters(new.values)
    known = make(new.protocol, values, "--set")
    written = TypeAdapter(type(known)).dump_python(known, mode="json")
    limits = dict(_limit(text) for text in new.limits)
    return {
        "name": new.name,
        "version": new.version,
        "protocol": protocol,
        "description": new.description,
        "silence": new.silence,
        "attended": new.attended,
        **({"fixed": list(new.fixed)} if new.fixed else {}),
        "parameters": {name: value for name, value in written.items() if value is not None},
        **({"limits": limits} if limits else {}),
    }


def _protocol(name: str, target: Path) -> str:
    """A protocol file as it is found from the method's folder."""
    if not in_file(name):
        return name
    path, folder = Path(name).resolve(), target.parent.resolve()
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.as_posix()


def _limit(text: str) -> tuple[str, list[str]]:
    name, equals, values = text.partition("=")
    low, dots, high = values.partition("..")
    if not (equals and dots and name.strip()):
        raise ConfigError("--limit", "", "NAME=LOW..HIGH, such as zero='5 s..60 s'", text)
    return name.strip(), [low.strip(), high.strip()]


def _not_in_the_way(target: Path, made: MethodFile, *, replace: bool) -> None:
    """A method's name and version mean one thing for ever."""
    if made.name in shipped_methods():
        raise ConfigError("--name", "", "a name that no method of labrig has", made.name)
    if not target.exists():
        return
    there = read_method(target)
    if not replace:
        raise ConfigError(
            target, "", f"no file there, or --replace; it holds {there.name} {there.version}", made.version
        )
    if there.version == made.version and there != made:
        raise ConfigError("--version", "", f"another one: {there.name} {there.version} is something else", made.version)


def _path(name: str, data: Path | None) -> Path:
    """The file of a method that is known by its name or by its file."""
    found = find_method(name, (data_folder(data) / FOLDER,))
    path = shipped_methods().get(found, Path(found))
    if path.suffix != ".toml":
        raise ConfigError(name, "", "a method by name or file (.toml); labrig methods list shows them", name)
    return path


def _document(file: MethodFile, path: Path) -> dict[str, Any]:
    return {**file.model_dump(mode="json"), "file": str(path)}


def _facts(path: Path) -> dict[str, str]:
    """All that makes a method, as texts."""
    file, method = read_method(path), load_method(str(path))
    head = {
        "version": file.version,
        "protocol": file.protocol,
        "description": file.description,
        "attended": "yes" if file.attended else "no",
        "silence": f"{file.silence:g} s",
    }
    found = head | {name: _shown(value) for name, value in method.facts.parameters.items()}
    return (
        found
        | {f"limits of {name}": " to ".join(pair) for name, pair in file.limits.items()}
        | ({"fixed": ", ".join(file.fixed)} if file.fixed else {})
    )


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
