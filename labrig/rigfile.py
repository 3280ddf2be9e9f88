"""The rig file's tables as they are written; `labrig.config` checks them against each other and builds from them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from labrig import units
from labrig.plant import PlantSpec
from labrig.quantities import Density, Duration, Flow, Length, Mass, MassFlow, Pressure, Ratio, Temperature, Volume

OUTPUT_ROLES = ("feed", "vent", "drain", "pressure")
CHANNEL_ROLES = (
    *("feed_pressure", "membrane_pressure", "vessel_pressure"),
    *("permeate_mass", "permeate_flow", "water_temperature"),
)


Positive = Field(gt=0)
NotNegative = Field(ge=0)


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Cell(_Table):
    """The holder that the membrane sits in."""

    name: str
    exposed_diameter: Annotated[Length, Positive]
    """Inside the O-ring."""
    exposed_diameter_u: Annotated[Length, NotNegative] = 5e-5
    max_pressure: Annotated[Pressure, Positive]
    """What it is built for: an interlock on the feed pressure must trip at or below it."""


class Hydraulics(_Table):
    """What lies between the pressure taps and the membrane."""

    head: Pressure = 0.0
    """Static head to subtract from the reading: positive where the permeate outlet lies above the tap."""
    head_u: Annotated[Pressure, NotNegative] = 0.0
    blank_flow: tuple[Annotated[Flow, Positive], ...] = ()
    """Flows of a blank run (no membrane) …"""
    blank_loss: tuple[Annotated[Pressure, NotNegative], ...] = ()
    """… and the pressure that the plumbing took at each."""
    blank_relative_u: Annotated[Ratio, NotNegative] = 0.1
    blank_temperature: Annotated[Temperature, Field(ge=units.celsius(0), le=units.celsius(100))] | None = None
    """Of its water; the loss of the lines is scaled from there to the viscosity of each run."""

    @model_validator(mode="after")
    def _paired(self) -> Hydraulics:
        if len(self.blank_flow) != len(self.blank_loss):
            raise ValueError("as many blank_loss as blank_flow values")
        if len(self.blank_flow) == 1:
            raise ValueError("a blank run at no flow or at two flows and more")
        return self


class Permeate(_Table):
    """How permeate is collected."""

    evaporation: Annotated[MassFlow, NotNegative] = 0.0
    """Loss from the vessel on the balance without flow, from a no-flow blank."""
    evaporation_u: Annotated[MassFlow, NotNegative] = 0.0
    balance_relative_u: Annotated[Ratio, NotNegative] = 1e-4
    capacity: Annotated[Mass, Positive] | None = None
    """Reading of the balance at which the vessel is full; unset, the balance's own range."""
    feed: Annotated[Volume, Positive] | None = None
    """Usable feed when its vessel was filled, for the forecast of its end."""
    air_density: Annotated[Density, NotNegative] = 1.2
    """Around the balance; water displaces a thousandth of its mass of it."""
    reference_temperature: Annotated[Temperature, Field(ge=units.celsius(0), le=units.celsius(100))] = units.celsius(25)


class InterlockTable(_Table):
    channel: str
    low: str | None = None
    high: str | None = None
    stale_after: Annotated[Duration, Positive] = 1.0
    """Silence of the channel that breaks the interlock."""


class Safety(_Table):
    """What makes outputs safe that no hardware watchdog guards, and how long an attended run may be left alone."""

    in_series_with: dict[str, str] = {}
    """An output, and one behind a watchdog without which it can do nothing: ``drain_valve = "feed_valve"``."""
    harmless: tuple[str, ...] = ()
    """Outputs that endanger nobody in any state."""
    absence: Annotated[Duration, Field(ge=1, le=600)] = 10.0
    """How long an attended run goes on without a desktop that watches it."""


class Simulation(PlantSpec):
    """What the simulated rig is in truth; labrig itself looks at the rest of the file only."""

    membrane: str = "example-v"
    """The membrane in the cell where none is asked for: a shipped one's name or a file."""
    devices: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Devices on serial lines by name, which is that of their address: open tables until their kind is known."""


class RigFile(_Table):
    """The document as written. Instruments stay open tables until their driver is known."""

    labrig: Literal[1] = Field(description="version of this format")
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$")
    description: str = ""
    cell: Cell
    hydraulics: Hydraulics = Hydraulics()
    permeate: Permeate = Permeate()
    instruments: dict[str, dict[str, Any]]
    roles: dict[str, str]
    interlocks: dict[str, InterlockTable] = {}
    frozen: dict[str, Annotated[Duration, Positive]] = {}
    """Channels whose signal must move within that time when an output was changed."""
    safety: Safety = Safety()
    simulation: Simulation | None = None
