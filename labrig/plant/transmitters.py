"""Transmitters of the simulated rig as a file describes them: what each measures, its span, its errors, its signal."""

from __future__ import annotations

import math
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from labrig.quantities import (
    Current,
    Duration,
    Flow,
    Pressure,
    Ratio,
    Temperature,
    TemperatureDifference,
    Voltage,
)
from labrig.units import L_per_min, celsius, mA, mL_per_min, ms, mV, percent, psi

Signal = Literal["0-10 V", "4-20 mA", "bridge", "pulses", "digital"]
"""A bridge is what a strain gauge gives of its excitation, pulses what a turbine gives. A digital instrument tells its
quantity itself, over a line of its own; its signal is that quantity in SI."""
FULL_BRIDGE: Final = 2e-3
"""V/V of a bridge at the end of its span, as most load cells and pressure transducers have it."""
FULL_FREQUENCY: Final = 1000.0
"""Pulses a second at the end of the span."""
ENDS: Final[dict[Signal, tuple[float, float]]] = {
    "0-10 V": (0.0, 10.0),
    "4-20 mA": (4 * mA, 20 * mA),
    "bridge": (0.0, FULL_BRIDGE),
    "pulses": (0.0, FULL_FREQUENCY),
}
"""Signal at the ends of the span, V, A, V/V or Hz; a digital one's ends are those of its span."""
LIMITS: Final[dict[Signal, tuple[float, float]]] = {
    "0-10 V": (-0.3, 10.5),
    "4-20 mA": (3.8 * mA, 20.5 * mA),
    "bridge": (-2 * FULL_BRIDGE, 2 * FULL_BRIDGE),
    "pulses": (0.0, 2 * FULL_FREQUENCY),
    "digital": (-math.inf, math.inf),
}
"""Where the signal saturates, V or A; for the loop as NAMUR NE 43 has it. A digital one's limits are its face's."""


class Spec(BaseModel):
    """A part of the plant as a file describes it: frozen, and refuses keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Converter(Spec):
    """The analog input that a transmitter is wired to."""

    bits: Annotated[int, Field(ge=8, le=32)] = 16
    voltage: Annotated[Voltage, Field(gt=0)] = 10.5
    """Full scale to either side, of a voltage input."""
    current: Annotated[Current, Field(gt=0)] = 21.5 * mA
    """Full scale to either side, of a current input."""
    voltage_noise: Annotated[Voltage, Field(ge=0)] = 0.3 * mV
    """rms, of a voltage input; also what a terminal reads that nothing is wired to."""
    current_noise: Annotated[Current, Field(ge=0)] = 0.5e-3 * mA


class _Common(Spec):
    address: str
    span: tuple[float, float]
    gain_sd: Annotated[Ratio, Field(ge=0)] = 0.1 * percent
    hysteresis: Annotated[Ratio, Field(ge=0)] = 0.0
    """Of the span, between rising and falling."""
    converter: Converter = Converter()
    """Behind an analog signal."""
    update_rate: Annotated[float, Field(gt=0)] = 20.0
    """Readings a second of a digital instrument."""

    @model_validator(mode="after")
    def _span_rises(self) -> Self:
        if self.span[0] >= self.span[1]:
            raise ValueError("a span whose second end lies above its first")
        return self


class PressureTransmitter(_Common):
    """A gauge, against the atmosphere.

    ``feed_pressure`` and ``membrane_pressure`` sit at the cell's upstream tap, the second with a small span;
    ``vessel_pressure`` sits in the feed vessel's headspace.
    """

    quantity: Literal["feed_pressure", "membrane_pressure", "vessel_pressure"]
    span: tuple[Pressure, Pressure] = (0.0, 100 * psi)
    output: Signal = "0-10 V"
    lag: Annotated[Duration, Field(ge=0)] = 10 * ms
    offset_sd: Annotated[Ratio, Field(ge=0)] = 0.05 * percent
    """Of the span."""
    noise: Annotated[Ratio, Field(ge=0)] = 0.01 * percent
    """rms, of the span."""
    hysteresis: Annotated[Ratio, Field(ge=0)] = 0.02 * percent


class FlowMeter(_Common):
    """In the permeate line."""

    quantity: Literal["permeate_flow"]
    span: tuple[Flow, Flow] = (0.0, 1000 * mL_per_min)
    output: Signal = "4-20 mA"
    lag: Annotated[Duration, Field(ge=0)] = 0.3
    gain_sd: Annotated[Ratio, Field(ge=0)] = 0.5 * percent
    offset_sd: Annotated[Ratio, Field(ge=0)] = 0.05 * percent
    """Of the span."""
    noise: Annotated[Ratio, Field(ge=0)] = 0.1 * percent
    """rms, of the span."""
    cut_off: Annotated[Ratio, Field(ge=0)] = 1 * percent
    """Of the span; less flow reads as none."""


class GasMeter(_Common):
    """In the gas line to the feed vessel: what its headspace takes up, at 0 °C and 1 atm.

    What a regulator blows through an open vent is not counted.
    """

    quantity: Literal["gas_supply"]
    span: tuple[Flow, Flow] = (0.0, 5 * L_per_min)
    output: Signal = "digital"
    lag: Annotated[Duration, Field(ge=0)] = 50 * ms
    gain_sd: Annotated[Ratio, Field(ge=0)] = 0.5 * percent
    offset_sd: Annotated[Ratio, Field(ge=0)] = 0.05 * percent
    """Of the span."""
    noise: Annotated[Ratio, Field(ge=0)] = 0.05 * percent
    """rms, of the span."""


class Thermometer(_Common):
    """In the feed water, close to the cell."""

    quantity: Literal["water_temperature"]
    span: tuple[Temperature, Temperature] = (celsius(0), celsius(50))
    output: Signal = "4-20 mA"
    lag: Annotated[Duration, Field(ge=0)] = 5.0
    offset_sd: Annotated[TemperatureDifference, Field(ge=0)] = 0.1
    noise: Annotated[TemperatureDifference, Field(ge=0)] = 0.01


Transmitter = Annotated[PressureTransmitter | FlowMeter | GasMeter | Thermometer, Field(discriminator="quantity")]
