"""The commands and their options. Exit codes: 0 done, 1 the run or export did not come to its end, 2 bad input."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from labrig.cli.cataloguing import add_to
from labrig.cli.data_commands import add_to as add_data_commands
from labrig.cli.method_commands import add_to as add_method_commands
from labrig.errors import ConfigError, LabrigError

BAD_INPUT = 2
QUICK = "quick-permeability"
app = typer.Typer(
    name="labrig",
    help="Drive a membrane laboratory's test rig, record every sample, report results with their uncertainty.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

RigOption = Annotated[str, typer.Option("--rig", help="A rig file, or the name of a shipped rig.")]
MethodOption = Annotated[
    str, typer.Option("--method", help="A method by name or file, or a protocol file (.py). Default: a quick one.")
]
MethodArgument = Annotated[str, typer.Argument(metavar="[METHOD]", help="The same as --method, in fewer letters.")]
MembraneOption = Annotated[
    str, typer.Option("--membrane", help="Membrane in the simulated rig: a file or a shipped name. Default: the rig's.")
]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Seed of the simulated rig.")]
CouponOption = Annotated[str, typer.Option("--coupon", help="Identifier of the specimen.")]
LotOption = Annotated[str, typer.Option("--lot", help="Lot that the specimen was cut from.")]
OperatorOption = Annotated[str, typer.Option("--operator", help="Who runs it. Default: the user of this computer.")]
SetOption = Annotated[
    list[str], typer.Option("--set", metavar="NAME=VALUE", help="Change a parameter, such as pressures='1 psi, 2 psi'.")
]
DataOption = Annotated[Path | None, typer.Option("--data", help="Folder for everything that labrig writes.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on standard output (docs/cli.md).")]


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        from importlib.metadata import version as version_of

        typer.echo(f"labrig {version_of('labrig')}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command()
def run(
    rig: RigOption,
    coupon: CouponOption,
    named: MethodArgument = "",
    method: MethodOption = "",
    membrane: MembraneOption = "",
    lot: LotOption = "",
    operator: OperatorOption = "",
    seed: SeedOption = 0,
    set_: SetOption = [],  # noqa: B006 - typer copies it
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Run a method on a rig and report its result."""
    from labrig.cli.ordering import order
    from labrig.cli.running import run as run_it

    asked = order(_method(named, method), set_, coupon, lot, operator, data)
    _exit(run_it(rig, asked, membrane, seed, data, as_json=json))


@app.command()
def rehearse(
    rig: RigOption,
    named: MethodArgument = "",
    method: MethodOption = "",
    membrane: MembraneOption = "",
    seed: SeedOption = 0,
    set_: SetOption = [],  # noqa: B006 - typer copies it
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Rehearse a method on the twin of a simulated rig, in virtual time: duration, pressures, water, result."""
    from labrig.cli.ordering import order
    from labrig.cli.rehearsing import rehearse as rehearse_it

    asked = order(_method(named, method), set_, "rehearsal", "", "rehearsal", data)
    _exit(rehearse_it(rig, asked, membrane, seed, as_json=json))


@app.command()
def sim(
    rig: Annotated[str, typer.Argument(help="A rig file with a [simulation] table, or a shipped rig.")],
    membrane: MembraneOption = "",
    seed: SeedOption = 0,
    serial: Annotated[
        str, typer.Option("--serial", help="How serial devices are reached: pty or socket. Default: pty if possible.")
    ] = "",
    follow: Annotated[bool, typer.Option("--follow", help="End when standard input closes.")] = False,
) -> None:
    """Play a rig: NI-DAQmx over gRPC and serial devices on this machine; prints one JSON line of endpoints."""
    from labrig.cli.simulating import simulate

    _exit(simulate(rig, membrane, seed, serial, follow=follow))


@app.command()
def up(
    rig: Annotated[str, typer.Argument(help="A rig file, or the name of a shipped rig.")],
    membrane: MembraneOption = "",
    seed: SeedOption = 0,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Start a rig's server, kept alive by a supervisor; a simulated rig is started with it."""
    from labrig.cli.serving import up as up_it

    _exit(up_it(rig, data, membrane, seed, as_json=json))


@app.command()
def down(
    rig: Annotated[str, typer.Argument(help="Name of the rig; not needed where only one is up.")] = "",
    data: DataOption = None,
) -> None:
    """End a rig's server and its supervisor; the rig is made safe first."""
    from labrig.cli.serving import down as down_it

    _exit(down_it(rig, data))


@app.command()
def stop(
    rig: Annotated[str, typer.Argument(help="Name of the rig; not needed where only one is up.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why, for the record.")] = "",
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Stop: make the rig safe now and end its run."""
    from labrig.cli.serving import stop as stop_it

    _exit(stop_it(rig, data, reason, as_json=json))


@app.command()
def status(
    rig: Annotated[str, typer.Argument(help="Name of the rig; not needed where only one is up.")] = "",
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """How a rig stands: its state, its run, what it waits for."""
    from labrig.cli.serving import status as status_of

    _exit(status_of(rig, data, as_json=json))


@app.command()
def refilled(
    rig: Annotated[str, typer.Argument(help="Name of the rig; not needed where only one is up.")] = "",
    data: DataOption = None,
) -> None:
    """Tell a rig that is up that its feed vessel was filled: the forecast of its end begins anew."""
    from labrig.cli.serving import refilled as refilled_it

    _exit(refilled_it(rig, data))


@app.command()
def serve(
    rig: Annotated[str, typer.Argument(help="A rig file, or the name of a shipped rig.")],
    data: DataOption = None,
    endpoints: Annotated[str, typer.Option("--endpoints", help="JSON: addresses of a running simulated rig.")] = "",
    control: Annotated[str, typer.Option("--control", help="Control port of that simulated rig.")] = "",
    membrane: MembraneOption = "",
    supervisor: Annotated[int, typer.Option("--supervisor", hidden=True)] = 0,
    heartbeat: Annotated[bool, typer.Option("--heartbeat", hidden=True)] = False,
) -> None:
    """Serve a rig in this process, without a supervisor (labrig up is the usual way)."""
    from labrig.cli.serving import serve as serve_it

    code = serve_it(
        rig,
        data,
        endpoints=endpoints,
        control=control,
        membrane=membrane,
        supervisor_pid=supervisor,
        heartbeat=heartbeat,
    )
    _exit(code)


@app.command()
def check(
    rig: Annotated[str, typer.Argument(help="A rig file, or the name of a shipped rig.")] = "",
    membrane: MembraneOption = "",
    method: MethodOption = "quick-permeability",
    set_: SetOption = [],  # noqa: B006 - typer copies it
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of rig files and end.")] = False,
    json: JsonOption = False,
) -> None:
    """Check a rig file, and say in words which membranes a method can measure on it."""
    from labrig.cli.checking import check as check_it

    _exit(check_it(rig, membrane, method, set_, schema=schema, as_json=json))


@app.command()
def devices(
    ask: Annotated[
        bool, typer.Option("--ask", help="Ask who answers at each free serial port; changes nothing.")
    ] = False,
    port: Annotated[list[str], typer.Option("--port", help="A serial port that the system does not list.")] = [],  # noqa: B006 - typer copies it
    server: Annotated[str, typer.Option("--server", help="gRPC server with NI devices, as 127.0.0.1:31763.")] = "",
    toml: Annotated[bool, typer.Option("--toml", help="Print a rig file to start from.")] = False,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """List the NI devices and serial ports of this computer, and say who answers."""
    from labrig.cli.devices import devices as list_devices

    _exit(list_devices(ask=ask, ports=port, server=server, data=data, as_toml=toml, as_json=json))


@app.command()
def wiring(
    rig: Annotated[str, typer.Argument(help="A rig file, or the name of a shipped rig.")],
    seconds: Annotated[float, typer.Option("--seconds", min=0.2, max=600, help="How long each device is read.")] = 3.0,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Read every input for some seconds: raw signal, value, noise, zero, and what is wrong with it."""
    from labrig.cli.devices import wiring as look_at_wiring

    _exit(look_at_wiring(rig, seconds, data, as_json=json))


@app.command()
def recover(
    run_files: Annotated[list[Path], typer.Argument(help="Run files (.labrig) that were cut off.")],
    json: JsonOption = False,
) -> None:
    """Close run files that a kill or a power cut left open; every sample that reached the disk is kept."""
    from labrig.cli.recovering import recover as recover_it

    _exit(recover_it(run_files, as_json=json))


@app.command()
def adopt(
    run_file: Annotated[Path, typer.Argument(help="A run file (.labrig) of a blank run or a no-flow blank.")],
    rig: RigOption,
) -> None:
    """Write what a blank run measured into a rig file; the former file stays as .bak."""
    from labrig.cli.adopting import adopt as adopt_it

    _exit(adopt_it(run_file, rig))


add_data_commands(app)
add_to(app)
add_method_commands(app)


def _method(named: str, method: str) -> str:
    if named and method and named != method:
        raise ConfigError("--method", "", f"the method once; METHOD says {named}", method)
    return named or method or QUICK


def _exit(code: int) -> NoReturn:
    raise typer.Exit(code)


def main() -> None:
    """Run the command line and exit."""
    try:
        app()
    except LabrigError as error:
        print(f"labrig: {error}", file=sys.stderr)
        for note in getattr(error, "__notes__", ()):
            print(f"        {note}", file=sys.stderr)
        sys.exit(BAD_INPUT)
