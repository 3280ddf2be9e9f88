"""What a protocol is: a frozen dataclass of annotated parameters that knows how to run and how to be analysed.

Form, command line, record and code come from that one declaration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
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
            title=self.protocol.title,
            parameters=parameters,
            skipped=self.protocol.skipped,
            needs=self.protocol.needs,
            silence=self.silence,
            attended=self.attended,
            leaves=Condition(getattr(self.protocol, "leaves", Condition.FRESH)),
        )


def protocol_class(name: str) -> type[LabProtocol]:
    """The installed protocol of that name; raises `plugins.PluginError`."""
    found = plugins.load(plugins.PROTOCOLS, name)
    if not (isinstance(found, type) and is_dataclass(found)):
        raise plugins.PluginError(f"the protocol {name!r} is no dataclass; a protocol is a frozen dataclass with run()")
    return cast("type[LabProtocol]", found)


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
