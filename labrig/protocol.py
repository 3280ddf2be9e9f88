"""What a protocol is: a frozen dataclass of annotated parameters that knows how to run and how to be analysed.

Form, command line, record and code come from that one declaration.
"""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, cast

from pydantic import TypeAdapter, ValidationError

from labrig import plugins
from labrig.errors import ConfigError
from labrig.header import MethodFacts
from labrig.model import Analysis, Condition, RunData
from labrig.outside import explained
from labrig.quantities import FROM_FILE

if TYPE_CHECKING:
    from labrig.rig import Rig


class LabProtocol(Protocol):
    """A frozen dataclass: its fields are the parameters, with the quantity types of `labrig.quantities`.

    A class attribute ``leaves`` says what a run makes of its coupon (`labrig.specimen.Condition`); without one the
    coupon stays as it was.
    """

    title: ClassVar[str]
    """A few words for people."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Roles that a rig must fill; a class variable where they do not depend on the parameters."""
        ...

    @property
    def skipped(self) -> tuple[str, ...]:
        """Steps of the full procedure that these parameters leave out; they make the result indicative."""
        ...

    def run(self, rig: Rig) -> None:
        """Move the rig and mark spans. Every verb ends when the run ends."""
        ...

    def analyse(self, run: RunData) -> Analysis:
        """What a finished run says. A pure function of the run, versioned; raises `AnalysisError`."""
        ...


@dataclass(frozen=True, slots=True)
class Method:
    """A protocol with its parameters fixed under a name and a version."""

    name: str
    version: str
    protocol_name: str
    protocol: LabProtocol
    silence: float = 10.0
    """Seconds that the protocol may go without a verb before the rig is made safe."""
    attended: bool = True
    """Whether somebody must be watching."""
    description: str = ""

    @property
    def facts(self) -> MethodFacts:
        """All that a station and a run file need to know of it."""
        parameters = TypeAdapter(type(self.protocol)).dump_python(self.protocol, mode="json")
        return MethodFacts(
            name=self.name,
            version=self.version,
            protocol=self.protocol_name,
            protocol_text=_text_of(self.protocol_name),
            title=self.protocol.title,
            parameters=parameters,
            skipped=self.protocol.skipped,
            needs=self.protocol.needs,
            silence=self.silence,
            attended=self.attended,
            leaves=Condition(getattr(self.protocol, "leaves", Condition.FRESH)),
        )


def _text_of(protocol: str) -> str:
    """Of a protocol that is a file; empty for an installed one."""
    return Path(protocol).read_text(encoding="utf-8", errors="replace") if in_file(protocol) else ""


def protocol_class(name: str) -> type[LabProtocol]:
    """The installed protocol of that name, or the one in a file ``….py``; raises `plugins.PluginError`."""
    if in_file(name):
        return from_file(Path(name))
    found = plugins.load(plugins.PROTOCOLS, name)
    if not _is_protocol(found):
        raise plugins.PluginError(f"the protocol {name!r} is no dataclass; a protocol is a frozen dataclass with run()")
    return cast("type[LabProtocol]", found)


def in_file(name: str) -> bool:
    """Whether a protocol's name is that of a Python file."""
    return name.endswith(".py")


def from_file(path: Path) -> type[LabProtocol]:
    """The one protocol that a Python file defines; the file is run. Raises `plugins.PluginError`."""
    module_name = f"labrig_protocol_file.{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise plugins.PluginError(
            f"{path}: there is no such protocol file; what was made from it says so in its record"
        )
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module  # where the annotations of its dataclass are looked up
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # anybody's code
        raise plugins.PluginError(f"{path}: {_place_in(path, error)}{type(error).__name__}: {error}") from error
    found = [one for one in vars(module).values() if _is_protocol(one) and one.__module__ == module_name]
    if len(found) != 1:
        names = ", ".join(one.__name__ for one in found) or "none"
        raise plugins.PluginError(
            f"{path}: a protocol file defines one frozen dataclass with title, needs, skipped, run() and analyse(); "
            f"this one defines {names}"
        )
    return cast("type[LabProtocol]", found[0])


def _is_protocol(thing: object) -> bool:
    members = ("title", "needs", "skipped", "run", "analyse")
    return isinstance(thing, type) and is_dataclass(thing) and all(hasattr(thing, member) for member in members)


def _place_in(path: Path, error: BaseException) -> str:
    """The line of that file in which the error arose."""
    if isinstance(error, SyntaxError):
        return f"line {error.lineno}: "
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f"line {lines[-1]}: " if lines else ""


def make(name: str, parameters: Mapping[str, Any], source: str, *, from_file: bool = True) -> LabProtocol:
    """A protocol with these parameters, the rest at their defaults; raises `ConfigError` naming the parameter."""
    kind = protocol_class(name)
    known = tuple(field.name for field in fields(kind))  # type: ignore[arg-type]  # checked above: a dataclass
    for key in parameters:
        if key not in known:
            raise ConfigError(source, key, f"a parameter of {name}: {', '.join(known)}", key)
    try:
        return TypeAdapter(kind).validate_python(dict(parameters), context=FROM_FILE if from_file else None)
    except ValidationError as error:
        raise explained(error, source) from None
