"""``python -m labrig_instruments.simulated RIG.toml``: the simulated rig of a rig file, as a process."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from labrig.config import find_rig
from labrig.errors import ConfigError
from labrig.outside import read_toml, validate
from labrig.plant import load_membrane
from labrig.rigfile import RigFile, Simulation
from labrig_instruments.simulated import serve


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0 after an orderly end, 2 for a file that does not fit."""
    parser = argparse.ArgumentParser(prog="labrig sim", description="Run the simulated rig of a rig file.")
    parser.add_argument("rig", help="rig file with a [simulation] table, or a shipped rig's name")
    parser.add_argument("--membrane", help="name of a shipped membrane, or a .toml file; else the rig file's own")
    parser.add_argument("--seed", type=int, default=0, help="which rig of all that the file allows")
    parser.add_argument("--serial", choices=("pty", "socket"), help="default: pty where there is one")
    parser.add_argument("--follow", action="store_true", help="end when standard input closes")
    options = parser.parse_args(argv)
    try:
        spec = simulation_of(find_rig(options.rig))
        membrane = load_membrane(options.membrane or spec.membrane)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    follow = sys.stdin.buffer if options.follow else None
    return serve(spec, membrane, options.seed, follow=follow, serial=options.serial)


def simulation_of(path: Path) -> Simulation:
    """The simulated rig in a rig file; raises `ConfigError` where there is none. Loads no driver."""
    document, _ = read_toml(path)
    simulation = validate(RigFile, document, path).simulation
    if simulation is None:
        raise ConfigError(path, "simulation", "a table that describes the simulated rig", None)
    return simulation


if __name__ == "__main__":
    sys.exit(main())
