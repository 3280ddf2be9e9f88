"""The rig file: what is wired where, how it is calibrated, what may not be exceeded.

Read once, checked whole, frozen. Instruments are validated by the signature of their driver, so that a key that the
driver does not know is refused here, by name.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from labrig import hazard, plugins, units
from labrig.errors import ConfigError, LabrigError, UnitError
from labrig.model import Channel, Mounting, Orientation, Output
from labrig.outside import read_toml, validate
from labrig.rigfile import CHANNEL_ROLES, OUTPUT_ROLES, InterlockTable, RigFile, Simulation
from labrig.roles import Actuator, Device, Now, Source
from labrig.safety import Interlock

SIMULATED = "sim://"
"""Prefix of an address that the simulated rig fills in when it starts."""
ANYWHERE = " anywhere"
"""Suffix of one that stands for wherever the device is plugged in."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """One instrument of a rig: its driver and the validated options to build it with."""

    name: str
    kind: str
    driver: Callable[..., Device]
    options: BaseModel

    @property
    def address(self) -> str:
        """What no other process may use meanwhile: a port as the system knows it, or a device and who serves it."""
        port, *others = (getattr(self.options, key, None) for key in ("port", "server", "device"))
        if port:
            return os.path.realpath(port) if Path(port).exists() else str(port)
        return " of ".join(str(part) for part in reversed(others) if part)

    def build(self, now: Now) -> Device:
        """A driver that has stored its options and touched nothing yet."""
        return self.driver(self.name, now, **plugins.keywords(self.options))


@dataclass(frozen=True, slots=True)
class RigConfig:
    """A checked rig file."""

    path: Path
    text: str
    file: RigFile
    instruments: tuple[Instrument, ...]
    channels: Mapping[str, Channel]
    """By name."""
    outputs: Mapping[str, Output]
    """By name."""
    owners: Mapping[str, str]
    """Instrument by output name."""
    interlocks: tuple[Interlock, ...]

    @property
    def name(self) -> str:
        return self.file.name

    @property
    def simulated(self) -> bool:
        return self.file.simulation is not None

    @property
    def default_membrane(self) -> str:
        """The simulated rig's membrane where none is asked for."""
        return self.file.simulation.membrane if self.file.simulation else ""

    @property
    def channel_roles(self) -> Mapping[str, str]:
        """Channel name by role."""
        return {role: name for role, name in self.file.roles.items() if role in CHANNEL_ROLES}

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where the real devices of this rig are reached, each once; nothing of a simulated rig is anybody else's."""
        if self.simulated:
            return ()
        return tuple(sorted({address for each in self.instruments if (address := each.address)}))

    def output_of(self, role: str) -> Output | None:
        name = self.file.roles.get(role)
        return self.outputs.get(name) if name else None

    def build(self, now: Now) -> Mapping[str, Device]:
        """Every driver by instrument name, not opened."""
        return {instrument.name: instrument.build(now) for instrument in self.instruments}

    def mounting(self, orientation: Orientation = Orientation.SKIN_UP) -> Mounting:
        """A coupon in this rig's cell."""
        cell = self.file.cell
        return Mounting(cell.name, cell.exposed_diameter, cell.exposed_diameter_u, orientation)


def shipped_rigs() -> tuple[str, ...]:
    """Names of the rigs that come with labrig."""
    return tuple(
        sorted(
            entry.name.removesuffix(".toml")
            for entry in files("labrig").joinpath("rigs").iterdir()
            if entry.name.endswith(".toml")
        )
    )


def find_rig(name: str) -> Path:
    """A rig file's path, or the file of a shipped rig of that name; raises `ConfigError` where there is neither."""
    if name in shipped_rigs():
        return Path(str(files("labrig").joinpath("rigs", f"{name}.toml")))
    path = Path(name)
    if path.suffix == ".toml" or path.is_file():
        return path
    raise ConfigError(name, "", f"a rig file or a shipped rig ({', '.join(shipped_rigs())})", name)


def load_rig(path: Path, endpoints: Mapping[str, str] | None = None) -> RigConfig:
    """Read and check a rig file.

    ``endpoints`` are the addresses of a running simulated rig, put in place of ``sim://…``.
    Raises `ConfigError`, naming file, key, what was expected and what was found.
    """
    document, text = read_toml(path)
    file = validate(RigFile, document, path)
    if file.simulation is not None:
        _check_devices(path, file.simulation)
    filled = {name: _filled(table, endpoints or {}) for name, table in file.instruments.items()}
    instruments = tuple(_instrument(path, name, table) for name, table in filled.items())
    try:
        devices = {instrument.name: instrument.build(lambda: 0) for instrument in instruments}
    except LabrigError as error:
        raise ConfigError(path, "instruments", "instruments that fit together", str(error)) from error
    channels = _unique(path, [(d, c) for d in devices.values() if isinstance(d, Source) for c in d.channels])
    outputs = _unique(path, [(d, o) for d in devices.values() if isinstance(d, Actuator) for o in d.outputs])
    _check_roles(path, file, channels, outputs)
    hazard.check(
        path,
        {name: output for name, (_, output) in outputs.items()},
        [device for device in devices.values() if isinstance(device, hazard.Guarding)],
        file.safety.in_series_with,
        file.safety.harmless,
    )
    interlocks = tuple(_interlock(path, name, table, channels) for name, table in file.interlocks.items())
    _check_pressure(path, file, interlocks)
    for name in file.frozen:
        if name not in channels:
            raise ConfigError(path, f"frozen.{name}", f"one of {', '.join(channels)}", name)
    return RigConfig(
        path,
        text,
        file,
        instruments,
        {name: channel for name, (_, channel) in channels.items()},
        {name: output for name, (_, output) in outputs.items()},
        {name: device.name for name, (device, _) in outputs.items()},
        interlocks,
    )


def _filled(table: Mapping[str, Any], endpoints: Mapping[str, str]) -> dict[str, Any]:
    def filled(value: object) -> object:
        if isinstance(value, list):
            return [filled(each) for each in value]
        if isinstance(value, str) and value.startswith(SIMULATED):
            return endpoints.get(value.removeprefix(SIMULATED), value)
        return value

    return {key: filled(value) for key, value in table.items()}


def _instrument(path: Path, name: str, table: Mapping[str, Any]) -> Instrument:
    kind, driver, options = _of_kind(path, f"instruments.{name}", table, plugins.INSTRUMENTS)
    return Instrument(name, kind, driver, options)


def _check_devices(path: Path, simulation: Simulation) -> None:
    """Every digital signal of the plant has a device that tells it, and every device keys that its kind knows."""
    for name, table in simulation.devices.items():
        _of_kind(path, f"simulation.devices.{name}", table, plugins.FACES)
    signals = [t.address for t in simulation.transmitters if t.output == "digital"]
    signals += [simulation.regulator.address] if simulation.regulator.command == "digital" else []
    valves = simulation.valves
    signals += [valve.address for valve in (valves.feed, valves.vent, valves.drain) if valve.command == "digital"]
    for address in signals:
        if address.partition("/")[0] not in simulation.devices:
            expected = f"a device for {address}, whose signal is digital"
            raise ConfigError(path, "simulation.devices", expected, ", ".join(simulation.devices) or "none")


def _of_kind(path: Path, key: str, table: Mapping[str, Any], group: str) -> tuple[str, Any, BaseModel]:
    """The kind that a table names, what is installed under it, and the table's other keys, checked."""
    kinds, kind = plugins.names(group), table.get("kind")
    if not isinstance(kind, str) or kind not in kinds:
        raise ConfigError(path, f"{key}.kind", f"one of {', '.join(kinds)}", kind)
    made = plugins.load(group, kind)
    others = {key: value for key, value in table.items() if key != "kind"}
    return kind, made, validate(plugins.options_of(made), others, path, key)


def _unique(path: Path, owned: list[tuple[Device, Any]]) -> dict[str, tuple[Device, Any]]:
    found: dict[str, tuple[Device, Any]] = {}
    for device, thing in owned:
        if thing.name in found:
            other = found[thing.name][0].name
            raise ConfigError(path, f"instruments.{device.name}", f"a name that {other} does not use too", thing.name)
        found[thing.name] = (device, thing)
    return found


def _check_roles(path: Path, file: RigFile, channels: Mapping[str, Any], outputs: Mapping[str, Any]) -> None:
    for role, name in file.roles.items():
        known = outputs if role in OUTPUT_ROLES else channels
        if role not in OUTPUT_ROLES + CHANNEL_ROLES:
            raise ConfigError(path, f"roles.{role}", f"one of {', '.join(OUTPUT_ROLES + CHANNEL_ROLES)}", role)
        if name not in known:
            what = "output" if role in OUTPUT_ROLES else "channel"
            raise ConfigError(path, f"roles.{role}", f"an {what} of this rig: {', '.join(known)}", name)


def _check_pressure(path: Path, file: RigFile, interlocks: tuple[Interlock, ...]) -> None:
    """A rig that commands pressure must trip before its cell has more than it is built for."""
    channel, most = file.roles.get("feed_pressure"), file.cell.max_pressure
    if "pressure" not in file.roles or channel is None:
        return
    limits = [interlock.high for interlock in interlocks if interlock.channel == channel]
    if min(limits, default=math.inf) > most:
        shown = units.UNITS["psi"]
        wanted = f"an interlock on {channel} at or below the cell's max_pressure of {shown.show(most)}"
        found = shown.show(min(limits)) if limits and min(limits) < math.inf else "none"
        raise ConfigError(path, "interlocks", wanted, found)


def _interlock(path: Path, name: str, table: InterlockTable, channels: Mapping[str, Any]) -> Interlock:
    if table.channel not in channels:
        raise ConfigError(path, f"interlocks.{name}.channel", f"one of {', '.join(channels)}", table.channel)
    dimension = channels[table.channel][1].unit.dimension
    limits: dict[str, float] = {}
    for side, text in (("low", table.low), ("high", table.high)):
        if text is not None:
            try:
                limits[side] = units.parse(text, dimension)
            except UnitError as error:
                raise ConfigError(path, f"interlocks.{name}.{side}", str(error), text) from error
    if limits.get("low", -math.inf) >= limits.get("high", math.inf):
        raise ConfigError(path, f"interlocks.{name}", "a low limit below the high one", f"{table.low} and {table.high}")
    if not limits:
        raise ConfigError(path, f"interlocks.{name}", "a low or a high limit", "neither")
    return Interlock(name, table.channel, **limits, stale_after=table.stale_after)


def schema() -> dict[str, Any]:
    """JSON Schema of the rig file, with the tables of every installed instrument."""
    document = RigFile.model_json_schema()
    kinds: list[dict[str, Any]] = []
    for kind in plugins.names(plugins.INSTRUMENTS):
        table = plugins.options_of(plugins.load(plugins.INSTRUMENTS, kind)).model_json_schema(
            ref_template=f"#/$defs/{kind}/$defs/{{model}}"
        )
        table.setdefault("properties", {})["kind"] = {"const": kind}
        table["required"] = [*table.get("required", []), "kind"]
        document.setdefault("$defs", {})[kind] = table
        kinds.append({"$ref": f"#/$defs/{kind}"})
    document["properties"]["instruments"]["additionalProperties"] = {"oneOf": kinds}
    document["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return document
