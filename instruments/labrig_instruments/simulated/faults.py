"""Everything that can be made to go wrong in a simulated rig: frozen values, as the control port takes them.

Quantities are texts with a unit, or SI numbers. Signals are in what the converter delivers, volts or amperes.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from labrig.quantities import (
    Current,
    Duration,
    Flow,
    Length,
    MassFlow,
    Pressure,
    Ratio,
    TemperatureDifference,
)


class Fault(BaseModel):
    """One thing that is wrong. ``key`` tells it from another of its kind elsewhere."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @property
    def key(self) -> str:
        return ""


class SignalFault(Fault):
    """At one analog input, from the moment it is set until it is cleared."""

    address: str

    @property
    def key(self) -> str:
        return self.address


class OpenLoop(SignalFault):
    fault: Literal["open loop"] = "open loop"
    current: Current = 0.0
    """``0 mA`` where the wire is broken, ``22 mA`` where the transmitter says that it failed."""


class Stuck(SignalFault):
    """The signal keeps the value that it had."""

    fault: Literal["stuck"] = "stuck"


class Drift(SignalFault):
    fault: Literal["drift"] = "drift"
    rate: float
    """V/s or A/s."""


class NotANumber(SignalFault):
    fault: Literal["nan"] = "nan"


class Spike(SignalFault):
    """The next samples of the stream, and no others."""

    fault: Literal["spike"] = "spike"
    height: float
    """V or A on top of the signal."""
    samples: Annotated[int, Field(ge=1)] = 1


class Overrun(Fault):
    """The computer's buffer of every acquisition on a device has run over: -200279. Happens once."""

    fault: Literal["overrun"] = "overrun"
    device: str

    @property
    def key(self) -> str:
        return self.device


class Removed(Fault):
    """A device is pulled out; cleared, it is back, and tasks that it had stay lost."""

    fault: Literal["removed"] = "removed"
    device: str
    """A module, or a chassis with all its modules."""
    code: Literal[-201003, -200220] = -201003
    power_lost: bool = False
    """Whether its outputs fall to 0; else they stay, and a watchdog in it goes on counting."""

    @property
    def key(self) -> str:
        return self.device


class StrictWatchdog(Fault):
    """A chassis that refuses every task once its watchdog has gone off, until the chassis is reset."""

    fault: Literal["strict watchdog"] = "strict watchdog"
    device: str

    @property
    def key(self) -> str:
        return self.device


class ServerSilence(Fault):
    """The NI server answers nothing for a while; calls that are given up meanwhile are never carried out."""

    fault: Literal["server silence"] = "server silence"
    lasts: Annotated[Duration, Field(gt=0)]


class LineFault(Fault):
    """On the serial line of one device."""

    address: str = "balance"

    @property
    def key(self) -> str:
        return self.address


class Silence(LineFault):
    fault: Literal["silence"] = "silence"


class Garbage(LineFault):
    """Answers of the right length with the wrong bytes."""

    fault: Literal["garbage"] = "garbage"


class Partial(LineFault):
    """Answers that break off in the middle."""

    fault: Literal["partial"] = "partial"


class Late(LineFault):
    fault: Literal["late"] = "late"
    delay: Annotated[Duration, Field(gt=0)]


class WrongIdentity(LineFault):
    """Another device of the same make answers."""

    fault: Literal["wrong identity"] = "wrong identity"
    serial_number: str = "B000000000"


class Overload(LineFault):
    """What it measures lies beyond its range."""

    fault: Literal["overload"] = "overload"


class Unplugged(LineFault):
    """Cleared, the device is back: on its old port, or with ``elsewhere`` on another, which the answer names."""

    fault: Literal["unplugged"] = "unplugged"
    elsewhere: bool = False


class Leak(Fault):
    fault: Literal["leak"] = "leak"
    flow: Annotated[Flow, Field(gt=0)]
    """Out of the cell's upstream side at 10 psi, in proportion at others."""


class Clogged(Fault):
    fault: Literal["clogged"] = "clogged"
    line: Literal["feed", "cell", "drain"]
    factor: Annotated[float, Field(ge=1)] = 10.0

    @property
    def key(self) -> str:
        return self.line


class StuckValve(Fault):
    fault: Literal["stuck valve"] = "stuck valve"
    valve: Literal["feed", "vent", "drain"]
    position: Literal["open", "closed"]

    @property
    def key(self) -> str:
        return self.valve


class AirBubble(Fault):
    fault: Literal["air bubble"] = "air bubble"
    share: Annotated[Ratio, Field(ge=0, lt=1)]
    """Of the membrane's area."""


class SqueezedBubble(Fault):
    """A bubble that pressure makes smaller, and may carry off."""

    fault: Literal["squeezed bubble"] = "squeezed bubble"
    share: Annotated[Ratio, Field(ge=0, lt=1)]
    """Of the membrane's area, at atmospheric pressure."""
    leaves: Annotated[Pressure, Field(gt=0)] | None = None
    """Pressure in the cell at which it lets go for good; never by default."""


class DryPores(Fault):
    """Incomplete wetting: pores that hold air until pressure wets them for good."""

    fault: Literal["dry pores"] = "dry pores"
    share: Annotated[Ratio, Field(ge=0, lt=1)]
    wetted_at: Annotated[Pressure, Field(gt=0)]
    """Pressure across the membrane at which the last of them is wetted."""


class FouledFeed(Fault):
    """Dirt in the feed closes pores as water goes through."""

    fault: Literal["fouled feed"] = "fouled feed"
    depth: Annotated[Length, Field(gt=0)]
    """Water, as m³ on each m², after which 37 % of the pores are left."""


class Warming(Fault):
    fault: Literal["warming"] = "warming"
    per_minute: TemperatureDifference
    """On top of the water's own drift; negative for cooling."""


class MovedOutlet(Fault):
    """The permeate outlet stands higher than it did: another static head."""

    fault: Literal["moved outlet"] = "moved outlet"
    height: Length


class Evaporation(Fault):
    """From the beaker, on top of what usually goes."""

    fault: Literal["evaporation"] = "evaporation"
    flow: Annotated[MassFlow, Field(gt=0)]


class ZeroShift(Fault):
    """A pressure transmitter reads too much by this, whatever the pressure."""

    fault: Literal["zero shift"] = "zero shift"
    address: str
    pressure: Pressure

    @property
    def key(self) -> str:
        return self.address


class OverPressure(Fault):
    """The regulator runs away."""

    fault: Literal["over-pressure"] = "over-pressure"
    pressure: Annotated[Pressure, Field(ge=0)]


class FeedEmpty(Fault):
    """The vessel runs dry. Happens once; a refilled vessel is full again."""

    fault: Literal["feed empty"] = "feed empty"


PlantFault = (
    Leak
    | Clogged
    | StuckValve
    | AirBubble
    | SqueezedBubble
    | DryPores
    | FouledFeed
    | Warming
    | MovedOutlet
    | Evaporation
    | ZeroShift
    | OverPressure
)
AnySignalFault = OpenLoop | Stuck | Drift | NotANumber | Spike
AnyLineFault = Silence | Garbage | Partial | Late | WrongIdentity | Overload | Unplugged
AnyFault = Annotated[
    AnySignalFault | AnyLineFault | PlantFault | Overrun | Removed | StrictWatchdog | ServerSilence | FeedEmpty,
    Field(discriminator="fault"),
]
