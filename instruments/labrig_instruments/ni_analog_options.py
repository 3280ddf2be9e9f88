"""How a rig file describes one analog terminal of an NI device: its signal, its wiring, its range."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field, model_validator

from labrig import units
from labrig.drivers import ChannelOptions, Pair
from labrig.errors import UnitError
from labrig.model import Channel
from labrig.quantities import Resistance, Voltage
from labrig.units import Unit
from labrig_instruments.ni import terminal

_WIRING: Final = {
    "default": "DEFAULT",
    "differential": "DIFF",
    "single-ended": "RSE",
    "non-referenced": "NRSE",
    "pseudo-differential": "PSEUDO_DIFF",
}


class AnalogInput(ChannelOptions):
    """One terminal. Its signal's unit says what it is: volts, milliamperes, or the millivolts a volt of a bridge."""

    signals: ClassVar = ("V", "A", "V/V")

    input: Annotated[str, terminal(r"_?[a-z][a-z0-9_]*\d+(_vs_\w+)?", "ai0")]
    wiring: Literal["default", "differential", "single-ended", "non-referenced", "pseudo-differential"] = "default"
    input_range: Pair | None = None
    """What the converter is to span; unset, -10 V to 10 V, -20 mA to 20 mA, or the two signals of a bridge."""
    live_zero: bool | None = None
    """A loop whose current never falls to zero, judged by NAMUR NE 43; unset, every current that starts at 4 mA."""

    bridge: Literal["full", "half", "quarter"] = "full"
    """How much of a bridge the sensor is: load cells and pressure transducers are full ones."""
    excitation: Annotated[Voltage, Field(gt=0)] = 2.5
    """What the device feeds a bridge with."""
    resistance: Annotated[Resistance, Field(gt=0)] = 350.0
    """Of a bridge at rest."""

    @model_validator(mode="after")
    def _has_a_range(self) -> AnalogInput:
        low, high = self.span()
        if low >= high:
            raise ValueError(f"an input_range with two different ends, not {self.input_range}")
        if self.live_zero and self.signal_unit().symbol != "A":
            raise ValueError("live_zero for a current only")
        given = {"bridge", "excitation", "resistance"} & self.model_fields_set
        if given and self.signal_unit().symbol != "V/V":
            raise ValueError(f"{', '.join(sorted(given))} for a bridge only, whose signal is in mV/V")
        return self

    def span(self) -> tuple[float, float]:
        """Ends of the converter's range, V, A or V/V."""
        raw_unit = self.signal_unit()
        if self.input_range is None:
            return self._usual_span(raw_unit)
        try:
            low, high = sorted(units.parse(text, raw_unit.dimension) for text in self.input_range)
        except UnitError as error:
            raise ValueError(f"input_range as {error}") from None
        return low, high

    def is_loop(self) -> bool:
        if self.signal_unit().symbol != "A":
            return False
        if self.live_zero is not None:
            return self.live_zero
        return self.signal is not None and min(units.parse(text, "current") for text in self.signal) >= 3.99e-3

    def add_to(self, task: Any, channel: Channel) -> None:  # noqa: ANN401 - nidaqmx ships no types
        """Make it a channel of a task of NI-DAQmx."""
        from nidaqmx.constants import BridgeConfiguration, TerminalConfiguration

        low, high = self.span()
        if channel.raw_unit == "V/V":
            task.ai_channels.add_ai_bridge_chan(
                channel.address,
                min_val=low,
                max_val=high,
                bridge_config=BridgeConfiguration[f"{self.bridge.upper()}_BRIDGE"],
                voltage_excit_val=self.excitation,
                nominal_bridge_resistance=self.resistance,
            )
            return
        add = task.ai_channels.add_ai_voltage_chan if channel.raw_unit == "V" else task.ai_channels.add_ai_current_chan
        wiring = TerminalConfiguration[_WIRING[self.wiring]]
        add(channel.address, terminal_config=wiring, min_val=low, max_val=high)

    def _usual_span(self, raw_unit: Unit) -> tuple[float, float]:
        if raw_unit.symbol != "V/V" or self.signal is None:
            return {"V": (-10.0, 10.0), "A": (-0.02, 0.02), "V/V": (-0.002, 0.002)}[raw_unit.symbol]
        widest = 1.05 * max(abs(units.parse(text, raw_unit.dimension)) for text in self.signal)
        return -widest, widest
