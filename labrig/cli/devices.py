"""``labrig devices`` and ``labrig wiring``: what is connected, and what its inputs deliver."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from labrig.cli.ordering import data_folder
from labrig.clock import RealClock
from labrig.config import find_rig, load_rig
from labrig.discovery import Found, Search, find, rig_file
from labrig.riglock import HardwareLock, RigTaken
from labrig.roles import Source
from labrig.simulator import SimulatedRig
from labrig.wiring import Reading, Unread, look, shown_raw

FAULTY = 1


def devices(*, ask: bool, ports: Sequence[str], server: str, data: Path | None, as_toml: bool, as_json: bool) -> int:
    """List what is connected; nothing that another process of labrig uses is touched."""
    folder = data_folder(data)

    def taken(address: str) -> str:
        known = os.path.realpath(address) if Path(address).exists() else address  # as a rig's own lock names it
        try:
            with HardwareLock((known,), "labrig devices", folder):
                return ""
        except RigTaken as error:
            return str(error)

    found = find(Search(taken, server or None, tuple(ports), ask))
    if as_json:
        print(json.dumps([asdict(each) for each in found], indent=2))
    elif as_toml:
        print(rig_file(found), end="")
    else:
        _list(found, asked=ask)
    return 0


def _list(found: Sequence[Found], *, asked: bool) -> None:
    console = Console(highlight=False)
    table = Table("where", "what", "driver", "state")
    for each in found:
        table.add_row(each.where, each.identity, each.kind, each.state)
    console.print(table if found else "No NI device and no serial port is here.")
    if not asked and any(each.state == "not asked" for each in found):
        console.print("labrig devices --ask asks the serial ports who they are. Shut off what moves at a letter first.")


def wiring(rig: str, seconds: float, data: Path | None, *, as_json: bool) -> int:
    """What each input of a rig delivers; 1 where one is not good. Raises `RigTaken` while the rig is in use."""
    clock, path = RealClock(), find_rig(rig)
    with ExitStack() as stack:
        config = load_rig(path)
        if config.simulated:
            simulated = stack.enter_context(SimulatedRig(path, config.default_membrane, 0))
            config = load_rig(path, simulated.endpoints)
        stack.enter_context(HardwareLock(config.addresses, config.name, data_folder(data)))
        sources = [device for device in config.build(clock.now).values() if isinstance(device, Source)]
        found = look(sources, seconds, clock)
    if as_json:
        print(json.dumps([_document(each) for each in found], indent=2))
    else:
        _show(found)
    return 0 if all(isinstance(each, Reading) and each.state == "good" for each in found) else FAULTY


def _show(found: Sequence[Reading | Unread]) -> None:
    console = Console(highlight=False)
    table = Table("channel", "wired to", "raw", "noise", "value", "noise", "zero", "state")
    for each in found:
        match each:
            case Reading(channel=channel):
                unit, spread = channel.unit, each.noise / channel.unit.factor
                table.add_row(
                    *(channel.name, channel.address, shown_raw(channel, each.raw), shown_raw(channel, each.raw_noise)),
                    *(unit.show(each.value), f"{spread:.2g} {unit.symbol}", "yes" if each.at_zero else "", each.state),
                )
            case Unread():
                table.add_row(each.source, *([""] * 6), each.why)
    console.print(table)


def _document(each: Reading | Unread) -> dict[str, Any]:
    if isinstance(each, Unread):
        return {"source": each.source, "state": each.why}
    channel = each.channel
    there = each.samples and each.raw == each.raw
    return {
        **{"channel": channel.name, "address": channel.address, "samples": each.samples, "state": each.state},
        **{"raw": each.raw if there else None, "raw_noise": each.raw_noise, "raw_unit": channel.raw_unit},
        **{"value": channel.unit.from_si(each.value) if there else None, "unit": channel.unit.symbol},
        **{"noise": each.noise / channel.unit.factor if there else None, "at_zero": each.at_zero},
    }
