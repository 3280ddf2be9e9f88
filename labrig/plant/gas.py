"""Pressure in the feed vessel's headspace: the regulator that makes it, the vent that lets it go."""

from __future__ import annotations

import math
from typing import Final

from labrig.plant.noise import draw
from labrig.plant.spec import PressureRegulator
from labrig.units import L, atm, celsius

VENT_HEADSPACE: Final = 5 * L
"""Headspace that the spec's vent time holds for."""
VENTED_REST: Final = 0.02
"""Share of the regulator's pressure that stays in the vessel when it blows into the open vent."""


class Headspace:
    """Gauge pressure of the gas, Pa, and its rate of change; each step is exact for a constant target.

    Under the regulator it is a second-order system whose envelope decays with the spec's lag and whose damping gives
    the spec's overshoot; through the open vent it is a first-order one.
    """

    def __init__(self, spec: PressureRegulator, seed: int, vent_time: float) -> None:
        self._spec, self._vent_time = spec, vent_time
        self._gain = 1 + spec.gain_sd * draw(seed, f"{spec.address}/gain")
        self._offset = spec.offset_sd * draw(seed, f"{spec.address}/offset")
        log_overshoot = math.log(max(spec.overshoot, 1e-6))
        self._sigma = 1 / spec.lag
        self._wave = self._sigma * math.pi / -log_overshoot
        """Damped angular frequency: overshoot = exp(-π·σ/ω_d)."""
        self.pressure = 0.0
        self.rate = 0.0
        self.setpoint = 0.0
        self.runaway: float | None = None
        """Where the pressure goes whatever was commanded, Pa."""

    def set(self, raw: float) -> None:
        """Take a command (V, or Pa of a digital one) within its span, with the regulator's errors."""
        p_low, p_high = self._spec.pressure
        low, high = self._spec.pressure if self._spec.command == "digital" else self._spec.voltage
        share = min(max((raw - low) / (high - low), 0.0), 1.0)
        wanted = p_low + share * (p_high - p_low)
        self.setpoint = max(0.0, wanted * self._gain + self._offset) if share > 0 else 0.0

    def target(self, flow: float) -> float:
        """Where the regulator ends up at a flow of m³/s, Pa: the droop is in proportion, up to twice the full flow."""
        if self.runaway is not None:
            return self.runaway
        droop = self._spec.droop * min(flow / self._spec.full_flow, 2.0)
        return max(0.0, self.setpoint - droop)

    def supply(self, *, flow: float, vented: bool, headspace: float, temperature: float) -> float:
        """Gas that the headspace takes up, m³/s at 0 °C and 1 atm: its pressure rises, and ``flow`` of water leaves."""
        if vented:
            return 0.0
        inflow = (self.pressure + atm) * flow + headspace * self.rate
        return max(0.0, inflow) / atm * celsius(0) / temperature

    def step(self, step: float, *, flow: float, vented: bool, headspace: float) -> None:
        """Advance by ``step`` seconds; ``headspace`` is the gas volume, m³."""
        if vented:
            rest = VENTED_REST * self.target(flow)
            time = self._vent_time * headspace / VENT_HEADSPACE
            self.pressure = rest + (self.pressure - rest) * math.exp(-step / time)
            self.rate = 0.0
            return
        target = self.target(flow)
        error, sigma, wave = self.pressure - target, self._sigma, self._wave
        decay, cosine, sine = math.exp(-sigma * step), math.cos(wave * step), math.sin(wave * step)
        push = (self.rate + sigma * error) / wave
        self.pressure = target + decay * (error * cosine + push * sine)
        self.rate = decay * (self.rate * cosine - (sigma * push + wave * error) * sine)
        if self.pressure < 0:
            self.pressure = self.rate = 0.0

    def bend(self, *, flow: float, vented: bool, headspace: float) -> float:
        """|d²p/dt²| or its envelope, Pa/s²: how strongly the pressure's curve bends."""
        target = self.target(flow)
        if vented:
            time = self._vent_time * headspace / VENT_HEADSPACE
            return abs(self.pressure - VENTED_REST * target) / time**2
        natural = self._sigma**2 + self._wave**2
        return natural * abs(self.pressure - target) + 2 * self._sigma * abs(self.rate)
