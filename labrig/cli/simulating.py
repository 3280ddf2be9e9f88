"""``labrig sim``: the simulated rig as a process."""

from __future__ import annotations

import sys

from labrig import plugins
from labrig.config import find_rig, load_rig
from labrig.errors import ConfigError
from labrig.plant import load_membrane
from labrig.server import priority


def simulate(rig: str, membrane: str, seed: int, serial: str, *, follow: bool) -> int:
    """Serve until told to end. Loopback only."""
    config = load_rig(find_rig(rig))
    if config.file.simulation is None:
        raise ConfigError(config.path, "simulation", "a table that describes the simulated rig", None)
    if serial not in {"", "pty", "socket"}:
        raise ConfigError("--serial", "", "pty or socket", serial)
    serve = plugins.load(plugins.SIMULATORS, "labrig")
    in_cell = load_membrane(membrane or config.default_membrane)
    priority.go_first()
    code = serve(
        config.file.simulation,
        in_cell,
        seed,
        follow=sys.stdin.buffer if follow else None,
        serial=serial or None,
        announce=sys.stdout,
    )
    return int(code)
