"""The simulated rig: one plant behind the faces of real devices, in a process of its own."""

from __future__ import annotations

import math
from typing import BinaryIO, TextIO

from labrig.plant import Membrane, Plant
from labrig.rigfile import Simulation
from labrig.units import g
from labrig_instruments.simulated.ports import Kind


def serve(
    spec: Simulation,
    membrane: Membrane,
    seed: int,
    *,
    follow: BinaryIO | None = None,
    serial: Kind | None = None,
    announce: TextIO | None = None,
) -> int:
    """Serve a simulated rig with that membrane until SIGTERM, SIGINT or the end of ``follow``; returns the exit code.

    One line of JSON goes to ``announce`` (standard output): ``ni`` (gRPC), ``serial`` (a URL for each line's name),
    ``control`` (see `labrig_instruments.simulated.control`) and ``pid``.
    """
    from labrig_instruments.simulated.server import serve_plant
    from labrig_instruments.simulated.terminal import Scale

    balance = spec.permeate
    scale = Scale(balance.capacity / g, max(0, round(-math.log10(balance.readability / g))))
    plant = Plant(spec, membrane, seed)
    return serve_plant(plant, follow=follow, serial=serial, announce=announce, devices=spec.devices, scale=scale)
