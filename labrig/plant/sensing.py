"""One transmitter as it truly is: its lag, gain and offset, and what the converter behind it delivers."""

from __future__ import annotations

import math

import numpy as np

from labrig.model import Floats
from labrig.plant.noise import Noise, draw
from labrig.plant.transmitters import ENDS, LIMITS, Converter, FlowMeter, Thermometer, Transmitter


class Probe:
    """A transmitter of the spec with the errors that the seed gave it."""

    def __init__(self, spec: Transmitter, seed: int) -> None:
        low, high = spec.span
        reach = high - low
        absolute = 1.0 if isinstance(spec, Thermometer) else reach
        self.spec = spec
        self.lag = spec.lag
        self.band = spec.hysteresis * reach
        """Width of the hysteresis, SI."""
        self.gain = 1 + spec.gain_sd * draw(seed, f"{spec.address}/gain")
        self.offset = spec.offset_sd * absolute * draw(seed, f"{spec.address}/offset")
        """At the low end of the span, SI."""
        out_low, out_high = ENDS.get(spec.output, spec.span)
        per_unit = (out_high - out_low) / reach
        self._floor, self._ceiling = LIMITS[spec.output]
        self._slope = per_unit * self.gain
        self._constant = out_low + per_unit * (self.offset - self.gain * low)
        self._cut = out_low + spec.cut_off * (out_high - out_low) if isinstance(spec, FlowMeter) else None
        self._zero = out_low
        noise = spec.noise * absolute * per_unit
        loop = spec.output == "4-20 mA"
        self.digitiser: Digitiser | Reader = (
            Reader(seed, spec.address, noise)
            if spec.output in {"bridge", "pulses", "digital"}
            else Digitiser(spec.converter, seed, spec.address, loop=loop, signal_noise=noise)
        )

    def output(self, indicated: Floats) -> Floats:
        """V or A (SI of a digital instrument) from the lagged quantity, saturated as the transmitter saturates."""
        signal = indicated * self._slope
        signal += self._constant
        if self._cut is not None:
            signal[signal < self._cut] = self._zero
        np.maximum(signal, self._floor, out=signal)
        np.minimum(signal, self._ceiling, out=signal)
        return signal


class Digitiser:
    """An analog input: its noise and its steps."""

    def __init__(self, spec: Converter, seed: int, address: str, *, loop: bool, signal_noise: float = 0.0) -> None:
        """``signal_noise``: rms of what comes with the signal, V or A."""
        full = spec.current if loop else spec.voltage
        self._lsb = 2 * full / 2**spec.bits
        self._codes = 2.0 ** (spec.bits - 1)
        own = spec.current_noise if loop else spec.voltage_noise
        self._rms = math.hypot(own, signal_noise) / self._lsb
        self._noise = Noise(seed, f"{address}/noise")

    def read(self, signal: Floats, first: int) -> Floats:
        """Samples ``first``, ``first + 1`` … of ``signal`` with noise, in steps of the converter, shape (n,)."""
        codes: Floats = self._noise.stretch(first, len(signal)) * self._rms
        codes += signal * (1 / self._lsb)
        np.rint(codes, out=codes)
        np.maximum(codes, -self._codes, out=codes)
        np.minimum(codes, self._codes - 1, out=codes)
        codes *= self._lsb
        return codes


class Reader:
    """A converter far finer than its noise: no steps but those that a digital instrument's face rounds to."""

    def __init__(self, seed: int, address: str, rms: float) -> None:
        self._rms, self._noise = rms, Noise(seed, f"{address}/noise")

    def read(self, signal: Floats, first: int) -> Floats:
        """Samples ``first``, ``first + 1`` … of ``signal`` with noise, shape (n,)."""
        readings: Floats = self._noise.stretch(first, len(signal)) * self._rms
        readings += signal
        return readings
