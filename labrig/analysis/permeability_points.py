"""One plateau, corrected: from what was read to flux and pressure across the membrane, with what they share.

Per plateau

    Q      = (balance · slope of mass + evaporation) / ρ(T)   or   meter · (reading - zero)     volume flow
    J      = Q / (π/4 · d²)            J_ref = J · μ(T)/μ(T_ref)       flux on the exposed area
    ΔP     = gain · (reading - zero) - head - blank · (a·μ(T)/μ(T_blank)·Q + b·Q²)     across the membrane alone

The static head is positive where the level of the permeate outlet lies above the pressure tap: the tap then reads
ρ·g·Δh more than drives the membrane. The laminar part of the lines' loss goes with the viscosity, its other part with
the density, which hardly changes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from labrig.analysis import water
from labrig.analysis.uncertainty import Budget, Estimate, Uncertain, through
from labrig.errors import AnalysisError
from labrig.units import ZERO_CELSIUS

ZERO: Final = Estimate(0.0)
ONE: Final = Estimate(1.0)


@dataclass(frozen=True, slots=True)
class Plateau:
    """What one plateau read, before any correction; the uncertainties are of its own noise alone."""

    label: str
    transducer: str
    """Key of `Conditions.transducers`."""
    pressure: Estimate
    """Pa, as read."""
    flow: Estimate
    """kg/s, slope of the reading of the balance; m³/s, reading of the flow meter, where not ``weighed``."""
    temperature: Estimate
    """K, as read."""
    weighed: bool = True
    seconds: float = 1.0
    """How long it lasted: its weight in the mean."""


@dataclass(frozen=True, slots=True)
class Transducer:
    """What all plateaus read by one pressure transducer share."""

    zero: Estimate
    """Pa, reading with both sides vented."""
    gain: Estimate = ONE


@dataclass(frozen=True, slots=True)
class Conditions:
    """What all plateaus share."""

    diameter: Estimate
    """m, exposed inside the O-ring."""
    transducers: Mapping[str, Transducer]
    balance: Estimate = ONE
    """True mass over reading, air buoyancy included."""
    evaporation: Estimate = ZERO
    """kg/s that leave the vessel unseen."""
    meter: Transducer = Transducer(ZERO)
    """Of the flow meter, m³/s, where flow was not weighed."""
    thermometer: Estimate = ZERO
    """K, correction of the reading."""
    head: Estimate = ZERO
    """Pa, positive where the permeate outlet lies above the pressure tap."""
    blank_a: float = 0.0
    """Pa/(m³/s), of the lines without a membrane, at ``blank_temperature``."""
    blank_b: float = 0.0
    """Pa/(m³/s)²."""
    blank: Estimate = ONE
    """Factor on the blank's loss."""
    blank_temperature: float | None = None
    """K, of the blank run's water; without it its loss is taken as it is."""
    reference_temperature: float = ZERO_CELSIUS + 25


@dataclass(frozen=True, slots=True)
class Shared:
    """The inputs that plateaus share, each entered into the budget once."""

    area: Uncertain
    balance: Uncertain
    evaporation: Uncertain
    meter_gain: Uncertain
    meter_zero: Uncertain
    thermometer: Uncertain
    head: Uncertain
    blank: Uncertain
    viscosity_ratio: Uncertain
    gains: Mapping[str, Uncertain]
    zeros: Mapping[str, Uncertain]


@dataclass(frozen=True, slots=True)
class Point:
    """One plateau, corrected, with the memory of what it came from."""

    dp: Uncertain
    flow: Uncertain
    flux: Uncertain
    flux_ref: Uncertain
    p: Uncertain
    kelvin: Uncertain
    blank_share: float
    seconds: float


def enter(budget: Budget, plateaus: Sequence[Plateau], given: Conditions) -> Shared:
    """What the plateaus share, as inputs of a budget."""
    diameter = budget.input("exposed diameter", given.diameter, "m")
    kelvin = np.mean([plateau.temperature.value for plateau in plateaus]) + given.thermometer.value
    ratio_u = water.viscosity_ratio_relative_u(float(kelvin), given.reference_temperature)
    used = {name: given.transducers[name] for name in sorted({plateau.transducer for plateau in plateaus})}
    return Shared(
        area=diameter * diameter * (math.pi / 4),
        balance=budget.input("balance", given.balance),
        evaporation=budget.input("evaporation", given.evaporation, "kg/s"),
        meter_gain=budget.input("gain of the flow meter", given.meter.gain),
        meter_zero=budget.input("zero of the flow meter", given.meter.zero, "m³/s"),
        thermometer=budget.input("thermometer", given.thermometer, "K"),
        head=budget.input("static head", given.head, "Pa"),
        blank=budget.input("loss of the lines", given.blank),
        viscosity_ratio=budget.input("viscosity ratio", Estimate(1.0, ratio_u)),
        gains={name: budget.input(f"gain of {name}", transducer.gain) for name, transducer in used.items()},
        zeros={name: budget.input(f"zero of {name}", transducer.zero, "Pa") for name, transducer in used.items()},
    )


def corrected(budget: Budget, plateau: Plateau, given: Conditions, shared: Shared) -> Point:
    """One plateau in the terms of the result; raises `AnalysisError` where no pressure is left for the membrane."""
    reading = budget.input(f"pressure, {plateau.label}", plateau.pressure, "Pa")
    kelvin = budget.input(f"temperature, {plateau.label}", plateau.temperature, "K") + shared.thermometer
    flow = _flow(budget, plateau, kelvin, shared)
    a = given.blank_a * _viscosity_since(given.blank_temperature, kelvin.x)
    loss = shared.blank * (flow * a + flow * flow * given.blank_b)
    taps = (reading - shared.zeros[plateau.transducer]) * shared.gains[plateau.transducer] - shared.head
    dp = taps - loss
    if not dp.x > 0:
        raise AnalysisError(
            f"{plateau.label}: {taps.x:g} Pa between the taps leave {dp.x:g} Pa across the membrane; "
            "check the zero, the static head and the blank run"
        )
    flux = flow / shared.area
    viscosity = through(water.viscosity, kelvin) * shared.viscosity_ratio
    flux_ref = flux * viscosity / water.viscosity(given.reference_temperature)
    return Point(dp, flow, flux, flux_ref, flux_ref / dp, kelvin, loss.x / taps.x, plateau.seconds)


def _flow(budget: Budget, plateau: Plateau, kelvin: Uncertain, shared: Shared) -> Uncertain:
    if plateau.weighed:
        slope = budget.input(f"mass flow, {plateau.label}", plateau.flow, "kg/s")
        return (slope * shared.balance + shared.evaporation) / through(water.density, kelvin)
    read = budget.input(f"flow, {plateau.label}", plateau.flow, "m³/s")
    return (read - shared.meter_zero) * shared.meter_gain


def _viscosity_since(blank: float | None, kelvin: float) -> float:
    return 1.0 if blank is None else water.viscosity(kelvin) / water.viscosity(blank)
