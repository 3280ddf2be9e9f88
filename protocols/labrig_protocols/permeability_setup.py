"""What the permeability analysis reads of a rig: its facts, its transducers with their zeros, its blanks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from labrig.analysis import reading
from labrig.analysis.permeability import Conditions, Transducer
from labrig.analysis.uncertainty import Estimate
from labrig.errors import AnalysisError
from labrig.model import Channel, RunData
from labrig.units import ZERO_CELSIUS, celsius

PRESSURES: Final = ("membrane_pressure", "feed_pressure")
SETUP: Final = {
    "head": "Pa by which the pressure tap reads more than drives the membrane: ρ·g·(permeate outlet above the tap)",
    "head_u": "Pa, standard uncertainty",
    "blank_a": "Pa/(m³/s), loss of the lines without a membrane",
    "blank_b": "Pa/(m³/s)²",
    "blank_relative_u": "standard uncertainty of that loss, as a fraction",
    "blank_flow_high": "m³/s, highest flow of the blank run; without it its reach is not judged",
    "blank_temperature": "K, of the blank run's water; without it its loss is not scaled to the run's viscosity",
    "evaporation": "kg/s that leave the vessel on the balance",
    "evaporation_u": "kg/s, standard uncertainty",
    "reference_temperature": "K",
    "balance_relative_u": "standard uncertainty of the balance's sensitivity, as a fraction",
    "balance_readability": "kg",
    "air_density": "kg/m³ around the balance, for its buoyancy; without it the buoyancy is left uncorrected",
}
"""Keys of `RunHeader.setup` that are read; one that is missing counts as 0, the reference temperature as 25 °C."""
BUOYANCY: Final = 1.05e-3
"""Share of its mass by which water weighs less in air of 1.2 kg/m³ on a balance adjusted with steel."""
STEEL: Final = 8000.0
"""kg/m³, conventional density of balance weights (OIML D 28)."""
WATER: Final = 998.0
REFERENCES: Final = {"20 °C": celsius(20), "25 °C": celsius(25)}


@dataclass(frozen=True, slots=True)
class Gauge:
    """A pressure transducer as this run found it."""

    channel: Channel
    zeros: tuple[Estimate, ...]
    """Measured with both sides vented, in order of time."""
    transducer: Transducer

    def u(self, pressure: Estimate) -> float:
        """Standard uncertainty of a pressure that it reads."""
        zero = self.transducer.zero
        return math.hypot(pressure.u, zero.u, self.transducer.gain.u * (pressure.value - zero.value))


def gauges_of(run: RunData) -> list[Gauge]:
    """The pressure transducers of the run with their zeros; raises `AnalysisError` where there is none."""
    channels = [channel for role in PRESSURES if (channel := reading.channel_in(run, role)) is not None]
    if not channels:
        raise AnalysisError(f"this run has nothing in the roles {' or '.join(PRESSURES)}, and the analysis needs one")
    return [_gauge(run, channel) for channel in channels]


def _gauge(run: RunData, channel: Channel) -> Gauge:
    zeros: list[Estimate] = []
    for span in run.spans("zero"):
        try:
            zeros.append(reading.mean_over(run, channel, span))
        except AnalysisError:
            continue  # A zero without samples is no zero; with none left, the rules say that it was not measured.
    gain = Estimate(1.0, channel.calibration.relative_u)
    return Gauge(channel, tuple(zeros), Transducer(_zero(zeros, channel.calibration.offset_u), gain))


def _zero(zeros: Sequence[Estimate], offset_u: float) -> Estimate:
    """The zero during the plateaus: the mean of those measured, uncertain by their noise and by half their range."""
    if not zeros:
        return Estimate(0.0, offset_u)
    values = [zero.value for zero in zeros]
    noise = math.hypot(*(zero.u for zero in zeros)) / len(zeros)
    moved = (max(values) - min(values)) / 2 / math.sqrt(3)
    return Estimate(sum(values) / len(values), math.hypot(noise, moved), min(zero.dof for zero in zeros))


def weighs(run: RunData) -> bool:
    """Whether the permeate was weighed; else the flow meter alone measures it. Raises `AnalysisError` for neither."""
    if reading.channel_in(run, "permeate_mass") is not None and run.header.parameters.get("flow") != "flow meter":
        return True
    if reading.channel_in(run, "permeate_flow") is None:
        raise AnalysisError("this run has nothing in the roles permeate_mass or permeate_flow, and needs one of them")
    return False


def conditions_of(run: RunData, gauges: Sequence[Gauge]) -> Conditions:
    """What all plateaus share, from header and calibrations; raises `AnalysisError` for a fact that is no number."""
    mounting = run.header.mounting
    if not mounting.exposed_diameter > 0:
        raise AnalysisError(f"the exposed diameter is {mounting.exposed_diameter:g} m; enter that of the cell's O-ring")
    water = reading.channel_needed(run, "water_temperature")
    thermometer_u = math.hypot(water.calibration.offset_u, water.calibration.relative_u * ZERO_CELSIUS)
    weighed = weighs(run)
    return Conditions(
        diameter=Estimate(mounting.exposed_diameter, mounting.exposed_diameter_u),
        transducers={gauge.channel.name: gauge.transducer for gauge in gauges},
        balance=_balance(run) if weighed else Estimate(1.0),
        evaporation=stated_evaporation(run) if weighed else Estimate(0.0),
        meter=Transducer(Estimate(0.0)) if weighed else _meter(reading.channel_needed(run, "permeate_flow")),
        thermometer=Estimate(0.0, thermometer_u),
        head=Estimate(reading.number(run, "head"), reading.number(run, "head_u")),
        blank_a=reading.number(run, "blank_a"),
        blank_b=reading.number(run, "blank_b"),
        blank=Estimate(1.0, reading.number(run, "blank_relative_u")),
        blank_temperature=reading.number(run, "blank_temperature") or None,
        reference_temperature=_reference(run),
    )


def stated_evaporation(run: RunData) -> Estimate:
    """What the rig file says of it, kg/s."""
    return Estimate(reading.number(run, "evaporation"), reading.number(run, "evaporation_u"))


def _reference(run: RunData) -> float:
    """The method's reference temperature, else the rig's."""
    asked = REFERENCES.get(str(run.header.parameters.get("reference", "")))
    return asked or reading.number(run, "reference_temperature", ZERO_CELSIUS + 25)


def _meter(channel: Channel) -> Transducer:
    calibration = channel.calibration
    return Transducer(Estimate(0.0, calibration.offset_u), Estimate(1.0, calibration.relative_u))


def _balance(run: RunData) -> Estimate:
    """True mass over reading: corrected for the buoyancy of air where its density is known, else uncertain by it."""
    mass = reading.channel_needed(run, "permeate_mass")
    sensitivity = reading.number(run, "balance_relative_u", mass.calibration.relative_u)
    air = reading.number(run, "air_density", math.nan) if "air_density" in run.header.setup else None
    if air is None:
        return Estimate(1.0, math.hypot(sensitivity, BUOYANCY / math.sqrt(3)))
    return Estimate((1 - air / STEEL) / (1 - air / WATER), sensitivity)


def blank_of(run: RunData) -> tuple[bool, float | None]:
    """Whether a blank run is on record, and its highest flow in m³/s where that is known."""
    known = "blank_flow_high" in run.header.setup
    measured = bool(reading.number(run, "blank_a") or reading.number(run, "blank_b"))
    return measured, reading.number(run, "blank_flow_high") if known else None
