"""The simulated rig as a process: every face of one plant, from the first line that names them to the end."""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import BinaryIO, Final, TextIO

from labrig import plugins
from labrig.clock import spawn
from labrig.quantities import FROM_FILE
from labrig_instruments.simulated.control_port import ControlServer, answerer
from labrig_instruments.simulated.line_faults import PluggedDevice
from labrig_instruments.simulated.live import LivePlant, PlantLike
from labrig_instruments.simulated.ni.door import NiServer
from labrig_instruments.simulated.ports import Kind
from labrig_instruments.simulated.registry import Faults
from labrig_instruments.simulated.terminal import Face, Scale, Terminal

TICK: Final = 0.05
"""Seconds between two looks at the clock; the plant is never further behind."""
TIDY: Final = 5
"""Ticks between two looks for clients that are gone."""

End = queue.SimpleQueue[str]
"""Why the process is to end; its ``put`` may be called from a signal handler."""


def serve_plant(
    plant: PlantLike,
    *,
    follow: BinaryIO | None = None,
    serial: Kind | None = None,
    announce: TextIO | None = None,
    devices: Mapping[str, Mapping[str, object]] | None = None,
    scale: Scale | None = None,
) -> int:
    """Serve a plant until SIGTERM, SIGINT or the end of ``follow``; returns the exit code.

    Call it on the main thread. One line of JSON with the endpoints goes to ``announce`` (standard output) as soon as
    all of them answer. ``devices`` are tables by name, as ``[simulation.devices]`` of a rig file has them; a balance
    that is not among them speaks MT-SICS.
    """
    end: End = queue.SimpleQueue()
    with ExitStack() as stack:
        stack.enter_context(_signals(end))
        live = LivePlant(plant)
        ni = NiServer(live)
        stack.callback(ni.close)
        serials: dict[str, PluggedDevice] = {}
        for name, table in _tables(live, devices or {}).items():
            terminal = Terminal(live, name, scale)
            serials[name] = PluggedDevice(_face(terminal, table), terminal, kind=serial)
            stack.callback(serials[name].close)
        control = ControlServer(answerer(live, ni.counters, Faults(live, ni, serials)))
        stack.callback(control.close)
        if follow is not None:
            _follow(follow, end)
        endpoints = _endpoints(ni, serials, control)
        print(json.dumps(endpoints), file=announce or sys.stdout, flush=True)
        _keep_time(live, ni, end)
    return 0


def _tables(live: LivePlant, devices: Mapping[str, Mapping[str, object]]) -> dict[str, Mapping[str, object]]:
    balances = [address for address, kind in live.addresses.items() if kind == "balance"]
    return {**{name: {"kind": "mt-sics"} for name in balances}, **devices}


def _face(terminal: Terminal, table: Mapping[str, object]) -> Face:
    """The device of that kind, with the other keys of its table."""
    made = plugins.load(plugins.FACES, str(table["kind"]))
    others = {key: value for key, value in table.items() if key != "kind"}
    options = plugins.options_of(made).model_validate(others, context=FROM_FILE)
    face: Face = made(terminal, **plugins.keywords(options))
    return face


def _endpoints(ni: NiServer, serials: Mapping[str, PluggedDevice], control: ControlServer) -> dict[str, object]:
    serial = {name: url for device in serials.values() for name, url in device.endpoints().items()}
    return {"ni": ni.address, "serial": serial, "control": control.address, "pid": os.getpid()}


def _keep_time(live: LivePlant, ni: NiServer, end: End) -> None:
    ticks = 0
    while True:
        try:
            end.get(timeout=TICK)
        except queue.Empty:
            live.tick()
            ticks += 1
            if ticks % TIDY == 0:
                ni.keep_up()
        else:
            return


@contextmanager
def _signals(end: End) -> Iterator[None]:
    """SIGTERM and SIGINT end the process; on the way out they mean again what they meant before."""

    def asked(number: int, frame: FrameType | None) -> None:
        end.put(signal.Signals(number).name)

    before = {number: signal.signal(number, asked) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _follow(pipe: BinaryIO, end: End) -> None:
    """End with whoever holds the other end of the pipe.

    The thread cannot be woken and is left behind at the end; it reads the descriptor itself, because a buffered reader
    keeps a lock that the interpreter would wait for when it shuts down.
    """
    descriptor = pipe.fileno()

    def read() -> None:
        while os.read(descriptor, 4096):
            pass
        end.put("follow")

    spawn("follow", read)
