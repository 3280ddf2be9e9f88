"""Methods: a protocol with its parameters fixed under a name and a version, as TOML, for people who do not script."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from labrig import plugins
from labrig.errors import ConfigError
from labrig.outside import read_toml, validate
from labrig.protocol import Method, make
from labrig.quantities import Duration

METHODS = "labrig.methods"


class MethodFile(BaseModel):
    """The document as written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")
    version: str = Field(pattern=r"^[0-9]+(\.[0-9]+)*$")
    protocol: str
    description: str = ""
    silence: Annotated[Duration, Field(gt=0)] = 10.0
    """How long the protocol may go without a verb before the rig is made safe."""
    attended: bool = True
    """Whether somebody must be watching: an attended run stops in order when the last desktop is gone."""
    parameters: dict[str, Any] = {}


def shipped_methods() -> Mapping[str, Path]:
    """Method files of every installed package, by name."""
    found: dict[str, Path] = {}
    for owner in plugins.names(METHODS):
        package = plugins.load(METHODS, owner)
        for entry in files(package).iterdir():
            if entry.name.endswith(".toml"):
                found[entry.name.removesuffix(".toml")] = Path(str(entry))
    return found


def load_method(name: str, changes: Mapping[str, Any] | None = None) -> Method:
    """A method by shipped name or file, with parameters changed; raises `ConfigError` or `plugins.PluginError`."""
    shipped = shipped_methods()
    path = shipped.get(name) or Path(name)
    if name not in shipped and path.suffix != ".toml":
        raise ConfigError(name, "", f"a method file or a shipped method ({', '.join(sorted(shipped))})", name)
    document, _ = read_toml(path)
    file = validate(MethodFile, document, path)
    if file.protocol not in plugins.names(plugins.PROTOCOLS):
        known = ", ".join(plugins.names(plugins.PROTOCOLS))
        raise ConfigError(path, "protocol", f"an installed protocol: {known}", file.protocol)
    protocol = make(file.protocol, file.parameters, f"{path}: parameters")
    if changes:
        protocol = make(file.protocol, {**file.parameters, **changes}, "--set")
    version = f"{file.version} (changed)" if changes else file.version
    return Method(file.name, version, file.protocol, protocol, file.silence, file.attended, file.description)
