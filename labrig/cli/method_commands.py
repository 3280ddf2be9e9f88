"""The commands over protocols and methods and their options: describe, methods (docs/methods.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import typer

DataOption = Annotated[Path | None, typer.Option("--data", help="Folder for everything that labrig writes.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on standard output (docs/cli.md).")]
NAMED = "A method by name or file (.toml), an installed protocol, or a protocol file (.py)."

methods = typer.Typer(
    name="methods",
    help="Methods: protocols with their parameters fixed under a name and a version (docs/methods.md).",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


def describe(
    name: Annotated[str, typer.Argument(metavar="METHOD|PROTOCOL", help=NAMED)],
    data: DataOption = None,
    json: Annotated[bool, typer.Option("--json", help="Its facts and the JSON Schema of its parameters.")] = False,
) -> None:
    """What a method or protocol does, what it needs, and each parameter with its value and its limits."""
    from labrig.cli.describing_it import describe as describe_it

    _exit(describe_it(name, data, as_json=json))


@methods.command("list")
def methods_list(data: DataOption = None, json: JsonOption = False) -> None:
    """Every method: those that come with labrig, and those in the folder methods of the data folder."""
    from labrig.cli.method_files import list_methods

    _exit(list_methods(data, as_json=json))


@methods.command("show")
def methods_show(
    name: Annotated[str, typer.Argument(metavar="METHOD", help="A method by name or file.")],
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """A method's file as it is written; labrig describe explains it."""
    from labrig.cli.method_files import show_method

    _exit(show_method(name, data, as_json=json))


@methods.command("compare")
def methods_compare(
    one: Annotated[str, typer.Argument(metavar="METHOD", help="A method by name or file.")],
    other: Annotated[str, typer.Argument(metavar="OTHER", help="Another one, or another version of it.")],
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Two methods side by side; what differs is marked."""
    from labrig.cli.method_files import compare_methods

    _exit(compare_methods(one, other, data, as_json=json))


@methods.command("make")
def methods_make(
    protocol: Annotated[str, typer.Argument(help="An installed protocol, or a protocol file (.py).")],
    name: Annotated[str, typer.Option("--name", help="Small letters, digits and -.")],
    version: Annotated[str, typer.Option("--version", help="Numbers with dots; another value is another version.")],
    description: Annotated[str, typer.Option("--description", help="For people.")] = "",
    set_: Annotated[
        list[str], typer.Option("--set", metavar="NAME=VALUE", help="Value of a parameter: pressures='1 psi, 2 psi'.")
    ] = [],  # noqa: B006 - typer copies it
    limit: Annotated[
        list[str],
        typer.Option("--limit", metavar="NAME=LOW..HIGH", help="What one run may change it to: zero='5 s..60 s'."),
    ] = [],  # noqa: B006 - typer copies it
    fix: Annotated[list[str], typer.Option("--fix", metavar="NAME", help="A parameter that no run may change.")] = [],  # noqa: B006 - typer copies it
    silence: Annotated[str, typer.Option("--silence", help="Longest time without a verb. Default: 10 s.")] = "10 s",
    unattended: Annotated[bool, typer.Option("--unattended", help="Nobody needs to watch its runs.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Put it in the place of an earlier version.")] = False,
    file: Annotated[
        Path | None, typer.Option("--file", help="Where to write it. Default: NAME.toml in methods of the data folder.")
    ] = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Write a method: a protocol's parameters with the values given, the others at their defaults, all checked."""
    from labrig.cli.method_files import New, make_method

    new = New(protocol, name, version, description, tuple(set_), tuple(limit), tuple(fix), silence, not unattended)
    _exit(make_method(new, file, data, replace=replace, as_json=json))


def add_to(app: typer.Typer) -> None:
    """Put these commands beside the others."""
    app.command("describe")(describe)
    app.add_typer(methods)


def _exit(code: int) -> NoReturn:
    raise typer.Exit(code)
