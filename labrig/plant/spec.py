"""The truth about a simulated rig: the ``[simulation]`` table of its rig file.

Everything has a default but the cell, so that the table stays short. What a real laboratory does not know exactly
(a transducer's gain, the true bore of a holder) stands here as a standard deviation; `labrig.plant.plant.Plant` draws
one truth from it per seed.
"""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from labrig.plant.transmitters import FlowMeter, PressureTransmitter, Spec, Thermometer, Transmitter
from labrig.quantities import (
    Density,
    Duration,
    Flow,
    Length,
    Mass,
    MassFlow,
    Pressure,
    Ratio,
    Temperature,
    Voltage,
    Volume,
)
from labrig.quantities import TemperatureDifference as Difference
from labrig.units import L, L_per_min, celsius, cm, g, g_per_min, mL, mm, ms, percent, psi

Positive = Field(gt=0)
NotNegative = Field(ge=0)


class Cell(Spec):
    """The holder that the coupon sits in."""

    name: str
    exposed_diameter: Annotated[Length, Positive]
    """Nominal diameter inside the O-ring: what the operator believes."""
    diameter_sd: Annotated[Length, NotNegative] = 0.05 * mm
    """Standard deviation of the true diameter about the nominal one."""
    trapped_gas: Annotated[Volume, Positive] = 1 * mL
    """Air left in the dome, and what lines yield, as a volume of air: what keeps the cell under pressure for a while
    after the feed valve shut."""


class FeedVessel(Spec):
    """The pressure vessel with the feed water; the gas headspace is what the water leaves."""

    volume: Annotated[Volume, Positive] = 25 * L
    level: Annotated[Volume, NotNegative] = 20 * L
    """Water at the start."""
    diameter: Annotated[Length, Positive] = 30 * cm
    """Inside; how fast the level sinks, and with it the head on the cell."""
    level_above_tap: Length = 0.0
    """Height of the first water level above the cell's pressure tap; negative below it."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.level >= self.volume:
            raise ValueError("a level below the vessel's volume, so that some headspace is left")
        return self


class PressureRegulator(Spec):
    """Proportional gas regulator that a voltage commands, or a digital controller over its line."""

    address: str = "cDAQ1Mod4/ao0"
    """For a digital one the device's name and ``setpoint``: ``pressure_controller/setpoint``."""
    command: Literal["voltage", "digital"] = "voltage"
    """A digital one is told its pressure, Pa."""
    voltage: tuple[Voltage, Voltage] = (0.0, 10.0)
    """Command span, mapped linearly onto ``pressure``; of no meaning where the command is digital."""
    pressure: tuple[Pressure, Pressure] = (0.0, 100 * psi)
    lag: Annotated[Duration, Field(ge=0.05)] = 0.4
    """Time constant with which the pressure closes in on its target."""
    overshoot: Annotated[Ratio, Field(ge=0, lt=0.5)] = 3 * percent
    """Of a step of the set-point."""
    droop: Annotated[Pressure, NotNegative] = 0.5 * psi
    """How far the pressure sinks at ``full_flow``."""
    full_flow: Annotated[Flow, Positive] = 2 * L_per_min
    gain_sd: Annotated[Ratio, NotNegative] = 0.3 * percent
    offset_sd: Annotated[Pressure, NotNegative] = 0.03 * psi

    @model_validator(mode="after")
    def _spans_rise(self) -> Self:
        if not (self.voltage[0] < self.voltage[1] and 0 <= self.pressure[0] < self.pressure[1]):
            raise ValueError("spans that rise, and no pressure below zero")
        return self


class SolenoidValve(Spec):
    """A valve on one digital line, or on a relay of a digital device; 1 energises the coil."""

    address: str
    """Of a relay the device's name and what the device calls it: ``relays/17/coil/0``."""
    command: Literal["line", "digital"] = "line"
    opening_delay: Annotated[Duration, NotNegative] = 30 * ms
    closing_delay: Annotated[Duration, NotNegative] = 50 * ms


class Valves(Spec):
    """Without power the feed and the drain are shut and the vent is open."""

    feed: SolenoidValve = SolenoidValve(address="cDAQ1Mod3/port0/line0")
    """Normally closed; feed vessel to cell."""
    vent: SolenoidValve = SolenoidValve(address="cDAQ1Mod3/port0/line1")
    """Normally open; vessel headspace to the atmosphere."""
    drain: SolenoidValve = SolenoidValve(address="cDAQ1Mod3/port0/line2")
    """Normally closed; upstream side of the cell to waste."""
    vent_time: Annotated[Duration, Positive] = 0.3
    """Time constant of the vessel's pressure through the open vent with 5 L of headspace; in proportion for others."""


class Line(Spec):
    """A round tube with its fittings: ΔP = a·Q + b·Q² while the flow is laminar."""

    diameter: Annotated[Length, Positive]
    length: Annotated[Length, NotNegative]
    fittings: Annotated[float, NotNegative] = 0.0
    """Sum of the loss coefficients K of valves, elbows and ends, in ΔP = K·ρ·v²/2."""


class Plumbing(Spec):
    """What resists the flow beside the membrane."""

    feed: Line = Line(diameter=8 * mm, length=1.0, fittings=8.0)
    """Feed vessel to the cell's pressure tap, the feed valve included."""
    cell: Line = Line(diameter=6 * mm, length=0.6, fittings=4.0)
    """The cell's pressure tap through the cell (without membrane) and the permeate line to the atmosphere: what a
    blank run measures."""
    drain: Line = Line(diameter=4 * mm, length=1.0, fittings=6.0)
    head: Length = 0.0
    """Height of the permeate outlet's water level above the cell's pressure tap; its weight opposes the flow."""
    head_sd: Annotated[Length, NotNegative] = 0.0
    """Standard deviation of the true height about it."""
    cell_sd: Annotated[Ratio, NotNegative] = 0.0
    """Of the true pressure loss of the cell's line about what its dimensions give."""
    blank_throttle: Annotated[float, Field(ge=1)] = 1000.0
    """Factor on the feed line's loss in a blank run, where the operator throttles the feed: nothing else would."""

    @model_validator(mode="after")
    def _drain_resists(self) -> Self:
        if self.drain.length == 0 and self.drain.fittings == 0:
            raise ValueError("a drain line with a length or fittings: nothing else would limit its flow")
        return self


class Water(Spec):
    """Temperature of the water, the same everywhere."""

    temperature: Annotated[Temperature, Field(ge=celsius(1), le=celsius(90))] = celsius(22)
    """At the start."""
    drift: Difference = 0.3
    """Per hour."""
    wander: Annotated[Difference, NotNegative] = 0.02
    """Standard deviation of slow waves about the drift, periods of minutes."""


class Balance(Spec):
    """The balance and the beaker on it."""

    address: str = "balance"
    readability: Annotated[Mass, Positive] = 0.01 * g
    capacity: Annotated[Mass, Positive] = 6200 * g
    """Beyond it the balance shows overload."""
    update_rate: Annotated[float, Positive] = 10.0
    """Readings a second."""
    latency: Annotated[Duration, NotNegative] = 0.15
    """From the pan to the line."""
    filter: Annotated[Duration, Positive] = 0.2
    """Time constant of the balance's own averaging."""
    repeatability: Annotated[Mass, NotNegative] = 0.005 * g
    gain_sd: Annotated[Ratio, NotNegative] = 0.002 * percent
    settled_within: Annotated[int, Positive] = 1
    """A reading is stable when the last second stayed within so many steps of the readability."""
    vessel_mass: Annotated[Mass, NotNegative] = 400 * g
    """Of the empty beaker; the balance is zeroed with it on the pan."""
    vessel_capacity: Annotated[Mass, Positive] = 6000 * g
    """Water that the beaker holds; more runs over, past the pan."""
    water: Annotated[Mass, NotNegative] = 50 * g
    """Water in the beaker at the start."""
    outlet: Literal["submerged", "dripping"] = "submerged"
    drop: Annotated[Mass, Positive] = 0.05 * g
    """Of one drop from an outlet that is not submerged."""
    evaporation: Annotated[MassFlow, NotNegative] = 0.01 * g_per_min
    evaporation_sd: Annotated[MassFlow, NotNegative] = 0.0
    """Standard deviation of the true one about it."""
    air_density: Annotated[Density, NotNegative] = 1.2
    """What the water's buoyancy in air comes from."""


def _usual_transmitters() -> tuple[Transmitter, ...]:
    return (
        PressureTransmitter(quantity="feed_pressure", address="cDAQ1Mod1/ai0"),
        PressureTransmitter(quantity="membrane_pressure", address="cDAQ1Mod1/ai1", span=(0.0, 5 * psi)),
        PressureTransmitter(quantity="vessel_pressure", address="cDAQ1Mod1/ai2"),
        FlowMeter(quantity="permeate_flow", address="cDAQ1Mod2/ai0"),
        Thermometer(quantity="water_temperature", address="cDAQ1Mod2/ai1"),
    )


class PlantSpec(Spec):
    """A simulated rig, whole."""

    cell: Cell
    vessel: FeedVessel = FeedVessel()
    regulator: PressureRegulator = PressureRegulator()
    valves: Valves = Valves()
    plumbing: Plumbing = Plumbing()
    water: Water = Water()
    permeate: Balance = Balance()
    transmitters: tuple[Transmitter, ...] = Field(default_factory=_usual_transmitters)
    """Given, it replaces the usual five whole."""

    @model_validator(mode="after")
    def _addresses_differ(self) -> Self:
        valves = self.valves
        addresses = Counter(
            (
                *(valve.address for valve in (valves.feed, valves.vent, valves.drain)),
                *(self.regulator.address, self.permeate.address),
                *(transmitter.address for transmitter in self.transmitters),
            )
        )
        twice = sorted(address for address, count in addresses.items() if count > 1)
        if twice:
            raise ValueError(f"an address for each part of its own ({', '.join(twice)} is given twice)")
        return self
