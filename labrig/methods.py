"""Methods: a protocol with its parameters fixed under a name and a version, as TOML, for people who do not script."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, Field

from labrig import plugins, units
from labrig.errors import ConfigError, UnitError
from labrig.outside import read_toml, validate
from labrig.protocol import LabProtocol, Method, in_file, make, protocol_class
from labrig.quantities import Duration, Quantity

METHODS = "labrig.methods"
FOLDER = "methods"
"""Of a data folder, where the laboratory's own methods lie."""


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
    limits: dict[str, tuple[str, str]] = {}
    """Least and greatest value of parameters, for changes of a single run."""
    fixed: tuple[str, ...] = ()
    """Parameters that no run may change."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a single run may change of a method."""

    source: str
    ranges: Mapping[str, tuple[float, float, Quantity]]
    """SI."""
    fixed: tuple[str, ...]

    def check(self, protocol: LabProtocol, changed: Iterable[str], source: str) -> None:
        """Raises `ConfigError` for a value outside its limits, and for a change of what is fixed."""
        for name in changed:
            if name in self.fixed:
                raise ConfigError(source, name, f"no change: {self.source} fixes it", name)
        for name, (low, high, quantity) in self.ranges.items():
            value = getattr(protocol, name)
            for one in value if isinstance(value, tuple) else (value,):
                if not low <= one <= high:
                    words = f"{quantity.show(low)} to {quantity.show(high)}, the limits of {self.source}"
                    raise ConfigError(source, name, words, quantity.show(one))


def shipped_methods() -> Mapping[str, Path]:
    """Method files of every installed package, by name."""
    found: dict[str, Path] = {}
    for owner in plugins.names(METHODS):
        package = plugins.load(METHODS, owner)
        for entry in files(package).iterdir():
            if entry.name.endswith(".toml"):
                found[entry.name.removesuffix(".toml")] = Path(str(entry))
    return found


def find_method(name: str, folders: Iterable[Path]) -> str:
    """The file of a method of these folders that is known by its name alone.

    Else the name itself, which is that of a shipped method, of a method file or of a protocol file.
    """
    if name in shipped_methods() or name.endswith((".toml", ".py")):
        return name
    found = (path for folder in folders for path in sorted(folder.glob("*.toml")))
    return next((str(path) for path in found if read_toml(path)[0].get("name") == name), name)


def load_method(name: str, changes: Mapping[str, Any] | None = None) -> Method:
    """A method by shipped name or file, or a protocol file with its defaults, with parameters changed.

    Raises `ConfigError` or `plugins.PluginError`.
    """
    if in_file(name):
        return _protocol_as_method(Path(name).absolute(), changes or {})
    shipped = shipped_methods()
    path = shipped.get(name) or Path(name)
    if name not in shipped and path.suffix != ".toml":
        wanted = f"a method file, a protocol file (.py) or a shipped method ({', '.join(sorted(shipped))})"
        raise ConfigError(name, "", wanted, name)
    return method_of(read_method(path), path, changes)


def method_of(file: MethodFile, path: Path, changes: Mapping[str, Any] | None = None) -> Method:
    """What the document of a method file at that path means; raises as `load_method`."""
    protocol_name = protocol_of(file, path)
    bounds = bounds_of(file, path)
    protocol = make(protocol_name, file.parameters, f"{path}: parameters")
    bounds.check(protocol, (), f"{path}: parameters")
    if changes:
        protocol = make(protocol_name, {**file.parameters, **changes}, "--set")
        bounds.check(protocol, changes, "--set")
    version = f"{file.version} (changed)" if changes else file.version
    return Method(file.name, version, protocol_name, protocol, file.silence, file.attended, file.description)


def read_method(path: Path) -> MethodFile:
    """A method file; raises `ConfigError`."""
    document, _ = read_toml(path)
    return validate(MethodFile, document, path)


def protocol_of(file: MethodFile, path: Path) -> str:
    """Name of the installed protocol, or path of the protocol file, which is looked for beside the method's."""
    if in_file(file.protocol):
        return str((path.parent / file.protocol).resolve())
    if file.protocol not in plugins.names(plugins.PROTOCOLS):
        known = ", ".join(plugins.names(plugins.PROTOCOLS))
        raise ConfigError(path, "protocol", f"a protocol file (.py) or an installed protocol: {known}", file.protocol)
    return file.protocol


def bounds_of(file: MethodFile, path: Path) -> Bounds:
    """What a run of this method may change; raises `ConfigError` for a limit that makes no sense."""
    kind = protocol_class(protocol_of(file, path))
    hints = get_type_hints(kind, include_extras=True)
    known = [field.name for field in fields(kind)]  # type: ignore[arg-type]  # checked by protocol_class: a dataclass
    for name in (*file.limits, *file.fixed):
        if name not in known:
            raise ConfigError(path, "limits" if name in file.limits else "fixed", ", ".join(known), name)
    ranges: dict[str, tuple[float, float, Quantity]] = {}
    for name, texts in file.limits.items():
        quantity = next(_quantities(hints[name]), None)
        if quantity is None:
            raise ConfigError(path, f"limits.{name}", "a parameter that is a quantity; name others in fixed", name)
        try:
            low, high = (units.parse(text, quantity.dimension) for text in texts)
        except UnitError as error:
            raise ConfigError(path, f"limits.{name}", str(error), str(list(texts))) from error
        if low > high:
            raise ConfigError(path, f"limits.{name}", "the smaller value first", str(list(texts)))
        ranges[name] = (low, high, quantity)
    return Bounds(f"{file.name} {file.version}", ranges, file.fixed)


def _protocol_as_method(path: Path, changes: Mapping[str, Any]) -> Method:
    """A protocol file with its defaults; the version is the beginning of the hash of its text."""
    protocol = make(str(path), changes, "--set")
    version = hashlib.sha256(path.read_bytes()).hexdigest()[:8] + (" (changed)" if changes else "")
    return Method(path.stem.replace("_", "-"), version, str(path), protocol)


def _quantities(annotation: object) -> Iterator[Quantity]:
    """Those within an annotation, also within one of a tuple."""
    for part in get_args(annotation):
        if isinstance(part, Quantity):
            yield part
        yield from _quantities(part)
